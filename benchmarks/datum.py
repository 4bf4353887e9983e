"""How fast datums are converted, beside the packages that people use.

The peers convert one point a call, in a loop, as their documentation shows; ours converts columns. The limit is copying
two columns of float64 into two others on this machine.
"""

from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np

from benchmarks.report import Row, main, per_second
from yizhan.geo import Datum, convert

SEED = 20250101
NAMES = {Datum.WGS84: "wgs84", Datum.GCJ02: "gcj02", Datum.BD09: "bd09"}
SHORT = {Datum.WGS84: "wgs", Datum.GCJ02: "gcj", Datum.BD09: "bd"}


def measure(quick: bool) -> Iterator[Row]:
    """Convert simulated points in mainland China between the three datums."""
    count, looped = (500_000, 5_000) if quick else (4_000_000, 50_000)
    rng = np.random.default_rng(SEED)
    lon, lat = rng.uniform(104.0, 116.0, count), rng.uniform(26.0, 38.0, count)
    out = np.empty((2, count))

    def copy() -> None:
        np.copyto(out[0], lon)
        np.copyto(out[1], lat)

    limit = per_second(copy, count)
    for source in Datum:
        for target in Datum:
            if source is target:
                continue
            peers, missing = {}, {}
            for peer, find in (
                ("coord-convert", _coord_convert),
                ("eviltransform", _eviltransform),
                ("prcoords", _prcoords),
            ):
                try:
                    one = find(source, target)
                except ImportError as error:
                    missing[peer] = str(error)
                    continue
                points = list(zip(lon[:looped].tolist(), lat[:looped].tolist(), strict=True))
                peers[peer] = per_second(
                    lambda one=one, points=points: [one(x, y) for x, y in points], looped, repeats=3
                )  # type: ignore[misc]
            yield Row(
                case=f"{NAMES[source]}-to-{NAMES[target]}",
                unit="points/s",
                ours=per_second(lambda s=source, t=target: convert(lon, lat, source=s, target=t), count),  # type: ignore[misc]
                peers=peers,
                limit=limit,
                missing=missing,
            )


def _coord_convert(source: Datum, target: Datum) -> Callable[[float, float], object]:
    convert_one: Callable[[float, float], object] = getattr(
        import_module("coord_convert.transform"), f"{SHORT[source]}2{SHORT[target]}"
    )
    return convert_one


def _eviltransform(source: Datum, target: Datum) -> Callable[[float, float], object]:
    module = import_module("eviltransform")
    exact = source is Datum.GCJ02 and target is Datum.WGS84
    convert_one = getattr(module, "gcj2wgs_exact" if exact else f"{SHORT[source]}2{SHORT[target]}")
    return lambda x, y: convert_one(y, x)


def _prcoords(source: Datum, target: Datum) -> Callable[[float, float], object]:
    module = import_module("prcoords")
    name = f"{SHORT[source]}_{SHORT[target]}"
    convert_one = getattr(module, f"{name}_bored", None) or getattr(module, name)
    return lambda x, y: convert_one((y, x))


if __name__ == "__main__":
    main("datum", measure)
