"""WGS-84, GCJ-02 and BD-09, exactly, both ways, for arrays and for single positions.

Positions are stored in WGS-84; AMap and Tencent speak GCJ-02, Baidu BD-09. Neither is published: the formulae here are
those that every open implementation shares. GCJ-02 applies in mainland China, Hong Kong and Macau (see
`yizhan.geo.region`); elsewhere, Taiwan included, all three are the same position, as AMap and Baidu serve it.

Each step is the formula on the image of that region and the identity elsewhere, so there and back again is the same
position, to 1e-8 m for GCJ-02 and BD-09 (on the meridian of 105 degrees east, where GCJ-02's formula has a cusp, to
1e-6 m). Only within about a kilometre outside a land border can a foreign point share its GCJ-02 position with a point
inside; the way back then leads inside.

NaN and infinity in either coordinate give NaN in both. Positions beyond 180 or 90 degrees are outside the region and
come back unchanged. All coordinates are degrees, longitude first.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo import _datum_kernels as kernels
from yizhan.geo._columns import pair_of_columns
from yizhan.geo.region import region


class UnknownDatum(ValueError):
    """A datum that we do not know; names the value and the choices."""

    def __init__(self, value: object) -> None:
        self.value = value
        choices = ", ".join(Datum)
        super().__init__(f"unknown datum {value!r}: choose one of {choices}")


class Datum(StrEnum):
    """The datum of a position, as written in files and answers."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"

    @classmethod
    def parse(cls, text: object) -> "Datum":
        """The datum that a human or a machine wrote: `wgs84`, `GCJ_02`, `bd09ll`, `EPSG:4326`, `CGCS2000`, …

        CGCS2000 agrees with WGS-84 to centimetres and counts as WGS-84.

        Raises:
            UnknownDatum: it is none of these.
        """
        name = "".join(letter for letter in str(text).casefold() if letter.isascii() and letter.isalnum())
        try:
            return _SPELLINGS[name]
        except KeyError:
            raise UnknownDatum(text) from None


_SPELLINGS = {
    "wgs84": Datum.WGS84,
    "wgs1984": Datum.WGS84,
    "epsg4326": Datum.WGS84,
    "crs84": Datum.WGS84,
    "gps": Datum.WGS84,
    "cgcs2000": Datum.WGS84,
    "epsg4490": Datum.WGS84,
    "gcj02": Datum.GCJ02,
    "gcj02ll": Datum.GCJ02,
    "bd09": Datum.BD09,
    "bd09ll": Datum.BD09,
}


@overload
def convert(lon: float, lat: float, *, source: Datum, target: Datum) -> tuple[float, float]: ...
@overload
def convert(
    lon: NDArray[Any], lat: NDArray[Any], *, source: Datum, target: Datum
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def convert(lon: ArrayLike, lat: ArrayLike, *, source: Datum, target: Datum) -> tuple[Any, Any]:
    """Positions of one datum in another, in degrees.

    Scalars give floats; arrays (broadcast against each other) give new float64 arrays of their shape.

    Raises:
        ValueError: the shapes do not go together, or a value is no number.
        UnknownDatum: `source` or `target` is no datum.
    """
    try:
        steps = _ROUTES[Datum(source), Datum(target)]
    except ValueError:
        raise UnknownDatum(target if source in set(Datum) else source) from None
    x, y, shape = pair_of_columns(lon, lat)
    if not steps:
        finite = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(finite, x, np.nan), np.where(finite, y, np.nan)
    for step in steps:
        to_x, to_y = np.empty_like(x), np.empty_like(y)
        step(x, y, to_x, to_y, region())
        x, y = to_x, to_y
    if shape == ():
        return float(x[0]), float(y[0])
    return x.reshape(shape), y.reshape(shape)


_ROUTES: dict[tuple[Datum, Datum], tuple[Callable[..., None], ...]] = {
    (Datum.WGS84, Datum.WGS84): (),
    (Datum.WGS84, Datum.GCJ02): (kernels.wgs_to_gcj,),
    (Datum.WGS84, Datum.BD09): (kernels.wgs_to_gcj, kernels.gcj_to_bd),
    (Datum.GCJ02, Datum.WGS84): (kernels.gcj_to_wgs,),
    (Datum.GCJ02, Datum.GCJ02): (),
    (Datum.GCJ02, Datum.BD09): (kernels.gcj_to_bd,),
    (Datum.BD09, Datum.WGS84): (kernels.bd_to_gcj, kernels.gcj_to_wgs),
    (Datum.BD09, Datum.GCJ02): (kernels.bd_to_gcj,),
    (Datum.BD09, Datum.BD09): (),
}


@overload
def wgs84_to_gcj02(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def wgs84_to_gcj02(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def wgs84_to_gcj02(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from WGS-84 to GCJ-02."""
    return convert(lon, lat, source=Datum.WGS84, target=Datum.GCJ02)


@overload
def gcj02_to_wgs84(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def gcj02_to_wgs84(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def gcj02_to_wgs84(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from GCJ-02 to WGS-84."""
    return convert(lon, lat, source=Datum.GCJ02, target=Datum.WGS84)


@overload
def gcj02_to_bd09(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def gcj02_to_bd09(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def gcj02_to_bd09(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from GCJ-02 to BD-09."""
    return convert(lon, lat, source=Datum.GCJ02, target=Datum.BD09)


@overload
def bd09_to_gcj02(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def bd09_to_gcj02(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def bd09_to_gcj02(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from BD-09 to GCJ-02."""
    return convert(lon, lat, source=Datum.BD09, target=Datum.GCJ02)


@overload
def wgs84_to_bd09(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def wgs84_to_bd09(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def wgs84_to_bd09(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from WGS-84 to BD-09."""
    return convert(lon, lat, source=Datum.WGS84, target=Datum.BD09)


@overload
def bd09_to_wgs84(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def bd09_to_wgs84(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def bd09_to_wgs84(lon: Any, lat: Any) -> tuple[Any, Any]:
    """`convert` from BD-09 to WGS-84."""
    return convert(lon, lat, source=Datum.BD09, target=Datum.WGS84)
