"""The nearest places to a point, exactly, from an index in memory."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo import _along_kernels
from yizhan.geo import _nearest_kernels as kernels
from yizhan.geo._columns import column
from yizhan.geo.distance import EARTH_RADIUS_M, METRES_PER_DEGREE, haversine_m

_CELL_DEG = 0.02
_MAX_CELLS = 8_000_000
_ALL = np.empty(0, np.bool_)
LONGEST_STEP_M = 100_000.0
HIGHEST_DEG = 85.0


class Grid(NamedTuple):
    """Places sorted by cell, in the flat form that the kernels read.

    `lon`, `lat`, `cosine` (of the latitude) are in that order, and `order` gives each its index. Cell `c` of
    `rows × columns`, row by row from the south, owns `starts[c]:starts[c + 1]`. `coarse` says which groups of 16 × 16
    cells hold any place.
    """

    west: float
    south: float
    cell: float
    columns: int
    rows: int
    starts: NDArray[np.int64]
    order: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    cosine: NDArray[np.float64]
    coarse: NDArray[np.bool_]


class NearestIndex:
    """An immutable index over N places; any number of threads may search it at once, without a lock.

    Distances are great-circle metres (`EARTH_RADIUS_M`). Results are places by their index in the columns given, sorted
    by distance, and by index where two are as far. `allowed` is a mask over the N places (open now, of this union, …).

    Raises:
        ValueError: the columns differ in length, or a position is not finite or beyond 180 or 90 degrees.
    """

    def __init__(self, lon: ArrayLike, lat: ArrayLike) -> None:
        self._lon, self._lat = column(lon, np.float64).copy(), column(lat, np.float64).copy()
        if len(self._lon) != len(self._lat):
            raise ValueError(f"lon has {len(self._lon)} rows, lat has {len(self._lat)}")
        for name, values, limit in (("lon", self._lon, 180.0), ("lat", self._lat, 90.0)):
            fits = np.abs(values) <= limit
            if not fits.all():
                at = int(np.argmin(fits))
                raise ValueError(f"{name} of place {at} is {values[at]}: must be within {limit:.0f} degrees")
        self._cosine = np.cos(np.radians(self._lat))
        self._grid = _grid(self._lon, self._lat, self._cosine)

    def __len__(self) -> int:
        return len(self._lon)

    def nearest(
        self,
        lon: float,
        lat: float,
        *,
        count: int = 10,
        allowed: NDArray[np.bool_] | None = None,
        radius_m: float | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The `count` nearest places to a WGS-84 position in degrees: indices and metres, nearest first.

        Fewer where fewer are allowed, or none further than `radius_m` were wanted.

        Raises:
            ValueError: the position is not on the globe, `count` is negative, `radius_m` is negative or NaN, or the
                mask has another length.
        """
        if count < 0:
            raise ValueError(f"count is {count}: must not be negative")
        x, y = _position(lon, lat)
        limit = math.inf if radius_m is None else _haversine_of(radius_m)
        count = min(count, len(self))
        index, value = np.empty(count, np.int64), np.empty(count)
        if count == 0:
            return index, value
        kept = kernels.nearest(x, y, count, limit, self._mask(allowed), self._grid, index, value)
        index, value = index[:kept], value[:kept]
        kernels.to_metres(value)
        return index, value

    def within_radius(
        self, lon: float, lat: float, radius_m: float, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All places at most `radius_m` metres from a WGS-84 position in degrees: indices and metres, nearest first.

        Raises:
            ValueError: as `nearest`.
        """
        x, y = _position(lon, lat)
        limit = _haversine_of(radius_m)
        reach_lat = min(radius_m / METRES_PER_DEGREE * (1 + 1e-9) + 1e-9, 180.0)
        pole = abs(y) + reach_lat >= 90.0
        reach_lon = 180.0 if pole else math.degrees(math.asin(_share(reach_lat, y))) * (1 + 1e-9) + 1e-9
        south, north = y - reach_lat, y + reach_lat
        boxes = [(x - reach_lon + turn, x + reach_lon + turn) for turn in (-360.0, 0.0, 360.0)]
        if reach_lon >= 180.0:
            boxes = [(-180.0, 180.0)]
        found = [
            self.within_box(west, south, east, north, allowed=allowed)
            for west, east in boxes
            if west <= 180.0 and east >= -180.0
        ]
        index = np.unique(np.concatenate(found))
        value = np.empty(len(index))
        kernels.haversines(x, y, index, self._lon, self._lat, self._cosine, value)
        near = value <= limit
        index, value = index[near], value[near]
        by_distance = np.lexsort((index, value))
        index, value = index[by_distance], value[by_distance]
        kernels.to_metres(value)
        return index, value

    def within_box(
        self, west: float, south: float, east: float, north: float, *, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """Indices of all places in a box of WGS-84 degrees, edges included, ascending.

        Raises:
            ValueError: an edge is not finite, or the box is inside out.
        """
        edges = (float(west), float(south), float(east), float(north))
        if not all(math.isfinite(edge) for edge in edges):
            raise ValueError(f"box {edges}: every edge must be a finite number of degrees")
        if west > east or south > north:
            raise ValueError(f"box {edges}: west must not be beyond east, nor south beyond north")
        index = np.empty(len(self), np.int64)
        west, south, east, north = (min(max(edge, -1e3), 1e3) for edge in edges)
        count = kernels.within_box(west, south, east, north, self._mask(allowed), self._grid, index)
        return np.sort(index[:count])

    def along(
        self, lon: ArrayLike, lat: ArrayLike, corridor_m: float, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """All places at most `corridor_m` metres from a route: indices, metres from it, metres along it, in its order.

        The route is a line through WGS-84 positions in degrees; from one to the next it follows the great circle. Where
        it passes a place more than once, the nearest pass counts, and of passes as near the first. A route of one
        position is that point. The route must not cross the meridian of 180 degrees.

        Raises:
            ValueError: the columns differ in length or are empty, a position is not finite, beyond 180 degrees of
                longitude or `HIGHEST_DEG` of latitude, a step is longer than `LONGEST_STEP_M`, or the corridor is not
                a number from 0 to `LONGEST_STEP_M`.
        """
        xs, ys = column(lon, np.float64), column(lat, np.float64)
        if len(xs) != len(ys) or not len(xs):
            raise ValueError(f"lon has {len(xs)} rows, lat has {len(ys)}: both must have as many, and at least one")
        if not ((np.abs(xs) <= 180.0).all() and (np.abs(ys) <= HIGHEST_DEG).all()):
            raise ValueError(f"every position must be within 180 degrees of longitude, {HIGHEST_DEG:.0f} of latitude")
        if not 0.0 <= corridor_m <= LONGEST_STEP_M:
            raise ValueError(f"corridor_m is {corridor_m}: must be from 0 to {LONGEST_STEP_M:.0f}")
        steps = haversine_m(xs[:-1], ys[:-1], xs[1:], ys[1:])
        if (steps > LONGEST_STEP_M).any():
            at = int(np.argmax(steps > LONGEST_STEP_M))
            raise ValueError(f"step {at} is {steps[at]:.0f} m long: at most {LONGEST_STEP_M:.0f} m are allowed")
        away, ahead = np.full(len(self), np.inf), np.zeros(len(self))
        _along_kernels.along(xs, ys, float(corridor_m), self._mask(allowed), self._grid, away, ahead)
        index = np.flatnonzero(np.isfinite(away))
        index = index[np.lexsort((index, away[index], ahead[index]))]
        return index, away[index], ahead[index]

    def _mask(self, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        if allowed is None:
            return _ALL
        mask: NDArray[np.bool_] = column(allowed, np.bool_)
        if len(mask) != len(self):
            raise ValueError(f"allowed has {len(mask)} rows for {len(self)} places")
        return mask


def _position(lon: float, lat: float) -> tuple[float, float]:
    x, y = float(lon), float(lat)
    if not (abs(x) <= 180.0 and abs(y) <= 90.0):
        raise ValueError(f"position ({x}, {y}): longitude must be within 180, latitude within 90 degrees")
    return x, y


def _haversine_of(radius_m: float) -> float:
    if not radius_m >= 0.0:
        raise ValueError(f"radius_m is {radius_m}: must not be negative")
    angle = radius_m / (2.0 * EARTH_RADIUS_M)
    return math.inf if angle >= math.pi / 2 else math.sin(angle) ** 2


def _share(reach_lat: float, lat: float) -> float:
    return min(math.sin(math.radians(reach_lat)) / math.cos(math.radians(lat)), 1.0)


def _grid(lon: NDArray[np.float64], lat: NDArray[np.float64], cosine: NDArray[np.float64]) -> Grid:
    west, south = (float(lon.min()), float(lat.min())) if len(lon) else (0.0, 0.0)
    width, height = (float(np.ptp(lon)), float(np.ptp(lat))) if len(lon) else (0.0, 0.0)
    cell = _CELL_DEG
    while (width / cell + 1) * (height / cell + 1) > _MAX_CELLS:
        cell *= 2.0
    block = 1 << kernels.COARSE_BITS
    columns = -(-(int(width / cell) + 1) // block) * block
    rows = -(-(int(height / cell) + 1) // block) * block
    cell_of = ((lat - south) / cell).astype(np.int64) * columns + ((lon - west) / cell).astype(np.int64)
    starts, order = np.zeros(rows * columns + 1, np.int64), np.empty(len(lon), np.int64)
    kernels.count_per_cell(cell_of, starts)
    np.cumsum(starts, out=starts)
    kernels.sort_by_cell(cell_of, starts, order)
    filled = np.diff(starts).reshape(rows // block, block, columns // block, block) > 0
    coarse = np.ascontiguousarray(filled.any(axis=(1, 3)))
    return Grid(west, south, cell, columns, rows, starts, order, lon[order], lat[order], cosine[order], coarse)
