"""Where GCJ-02 applies: mainland China, Hong Kong and Macau, by outline.

The outline is made by `yizhan.geo.make_region`, whose page tells what was chosen at the coast, at the land borders and
around Kinmen and Matsu. It is looked up through a grid of cells of 0.05 degrees: most are wholly inside or outside;
only on the cells along the edge is a point tested against the outline itself.
"""

from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo import _region_kernels as kernels
from yizhan.geo._columns import pair_of_columns


class Region(NamedTuple):
    """The outline and its look-up grid, in the flat form that the kernels read.

    `classes` and `calm_classes` hold 0 outside, 1 edge, 2 inside for each cell, rows from south to north. A cell of
    `calm_classes` is inside (or outside) only when its eight neighbours are too, so its answer also holds for the
    point that a datum shift moved in from next door. `segments` are the edges `(x1, y1, x2, y2)` of the outline in
    degrees, listed once for every grid row that they touch; row `r` owns `row_starts[r]:row_starts[r + 1]`.
    """

    west: float
    south: float
    cell: float
    classes: NDArray[np.uint8]
    calm_classes: NDArray[np.uint8]
    segments: NDArray[np.float64]
    row_starts: NDArray[np.int64]


@cache
def region() -> Region:
    """The region as packaged; read once a process."""
    with as_file(files("yizhan.geo").joinpath("data/gcj02_region.npz")) as path, np.load(path) as data:
        starts = data["starts"]
        lon = np.cumsum(data["lon_steps"].astype(np.int64)) / 1e6
        lat = np.cumsum(data["lat_steps"].astype(np.int64)) / 1e6
        classes = data["classes"]
        west, south, cell = (float(value) for value in data["extent"])
    segments = np.stack([lon[:-1], lat[:-1], lon[1:], lat[1:]], axis=1)
    segments = np.delete(segments, starts[1:-1] - 1, axis=0)  # no edge from one ring to the next
    segments, row_starts = _by_row(segments, south, cell, len(classes))
    return Region(west, south, cell, classes, _calm(classes), segments, row_starts)


def in_gcj02_region(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Whether GCJ-02 applies at WGS-84 positions in degrees; same shape as the input. NaN is outside."""
    x, y, shape = pair_of_columns(lon, lat)
    inside = np.empty(x.size, np.bool_)
    kernels.contains(x, y, inside, region())
    return inside.reshape(shape)


def _by_row(
    segments: NDArray[np.float64], south: float, cell: float, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The segments grouped by grid row; one that touches several rows is listed in each."""
    hair = 1e-9
    low = np.floor((np.minimum(segments[:, 1], segments[:, 3]) - south) / cell - hair).astype(np.int64)
    high = np.floor((np.maximum(segments[:, 1], segments[:, 3]) - south) / cell + hair).astype(np.int64)
    counts = high - low + 1
    owner = np.repeat(np.arange(len(segments)), counts)
    row = low[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(row, kind="stable")
    row_starts = np.searchsorted(row[order], np.arange(rows + 1)).astype(np.int64)
    return np.ascontiguousarray(segments[owner[order]]), row_starts


def _calm(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each cell's class where all eight neighbours share it, else 1 (edge)."""
    padded = np.pad(classes, 1)  # beyond the grid is outside
    rows, columns = classes.shape
    calm = classes.copy()
    for south_north in range(3):
        for west_east in range(3):
            neighbour = padded[south_north : south_north + rows, west_east : west_east + columns]
            calm[neighbour != classes] = 1
    return calm
