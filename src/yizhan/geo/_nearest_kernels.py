# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled search in the grid of places.

Places are sorted by cell, so a run of cells in one grid row is a run of places. The search looks at square rings of
cells around the point, nearest first, and ends when all that lies outside is further than the worst place kept. Two
levels: a coarse cell is 16 × 16 cells. Rings of cells serve within `FINE_RINGS`; beyond, coarse rings are looked at,
and coarse cells that are empty or too far are passed over at one glance.
"""

import math
from typing import Any

from numba import njit

EARTH_RADIUS_M = 6_371_008.8
RADIANS = math.pi / 180.0
COARSE_BITS = 4
FINE_RINGS = 6

# Bounds are taken a hair too low, so that rounding never passes over a place.
HAIR = 1.0 - 1e-9
SLACK_DEG = 1e-11
FAR_DEG = 2.0

_INLINE: Any = {
    "nogil": True,
    "cache": True,
    "forceinline": True,
    "error_model": "numpy",
}


@njit(**_INLINE)
def half_chord(x, y, cos_y, lon, lat, cos_lat):
    """Haversine of the angle between two positions: grows with the distance, and costs two sines."""
    a = math.sin((lat - y) * (RADIANS * 0.5))
    b = math.sin((lon - x) * (RADIANS * 0.5))
    return a * a + cos_y * cos_lat * b * b


@njit(**_INLINE)
def metres(haversine):
    """Distance in metres of a haversine."""
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(haversine, 1.0)))


@njit(**_INLINE)
def _offer(place, haversine, index, value, kept, count):
    """Put a place into the ascending list of the best; ties by index. Returns how many are kept."""
    if kept == count:
        if haversine > value[kept - 1] or (haversine == value[kept - 1] and place > index[kept - 1]):
            return kept
        at = kept - 1
    else:
        at = kept
        kept += 1
    while at > 0 and (value[at - 1] > haversine or (value[at - 1] == haversine and index[at - 1] > place)):
        value[at], index[at] = value[at - 1], index[at - 1]
        at -= 1
    value[at], index[at] = haversine, place
    return kept


@njit(**_INLINE)
def _scan_row(
    row, left, right, x, y, cos_y, limit, allowed,
    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
):  # fmt: skip
    """Offer the places of the cells `left..right` of a row."""
    left, right = max(left, 0), min(right, columns - 1)
    if row < 0 or row >= rows or left > right:
        return kept
    for k in range(starts[row * columns + left], starts[row * columns + right + 1]):
        place = order[k]
        if allowed.size and not allowed[place]:
            continue
        haversine = half_chord(x, y, cos_y, lon[k], lat[k], cosine[k])
        if haversine <= limit:
            kept = _offer(place, haversine, index, value, kept, count)
    return kept


@njit(**_INLINE)
def _to_parallel(degrees):
    """A haversine that nothing so many degrees of latitude away undercuts: sin t >= t - t³ / 6."""
    t = max(degrees - SLACK_DEG, 0.0) * (RADIANS * 0.5)
    t *= 1.0 - t * t / 6.0
    return t * t


@njit(**_INLINE)
def _to_meridian(y, degrees):
    """A haversine that nothing so many degrees of longitude away undercuts, seen from latitude `y`.

    The sine of the distance to a meridian is cos(lat) sin(difference) up to a difference of 90 degrees; beyond, its
    nearest point is the pole.
    """
    degrees = max(degrees - SLACK_DEG, 0.0)
    sine = math.cos(y * RADIANS) * (math.sin(degrees * RADIANS) if degrees < 90.0 else 1.0)
    return 0.5 * (1.0 - math.sqrt(max(1.0 - sine * sine, 0.0)))


@njit(**_INLINE)
def _to_box(x, y, west, south, east, north):
    """A haversine that nothing in the box undercuts; 0 inside."""
    beside = max(west - x, x - east, 0.0)
    around = max(360.0 - max(abs(east - x), abs(x - west)), 0.0)  # the other way round the globe
    return HAIR * max(
        _to_parallel(max(south - y, y - north, 0.0)),
        _to_meridian(y, min(beside, around)),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _to_far_box(x, y, west, south, east, north):
    """The same for a box east or west of the point, tight also from the other side of the globe.

    The nearest point lies on the nearer of the two meridians that bound the box. Along a meridian the cosine of the
    distance is a sinusoid of the latitude: its greatest value is at its crest or at an end.
    """
    most = -1.0
    sine, cosine = math.sin(y * RADIANS), math.cos(y * RADIANS)
    for edge in (west, east):
        other = cosine * math.cos((edge - x) * RADIANS)
        crest = math.atan2(sine, other) / RADIANS
        if south <= crest <= north:
            most = max(most, math.sqrt(sine * sine + other * other))
        for end in (south, north):
            most = max(most, sine * math.sin(end * RADIANS) + other * math.cos(end * RADIANS))
    return 0.5 * (1.0 - most) - 1e-14


@njit(**_INLINE)
def _to_outside(x, y, west, south, east, north, grid_west, grid_east):
    """A haversine that no place outside the box around (x, y) undercuts."""
    farthest = max(abs(x - grid_west), abs(grid_east - x))
    beside = min(east - x, x - west, max(360.0 - farthest, 0.0))
    return HAIR * min(_to_parallel(min(north - y, y - south)), _to_meridian(y, beside))


@njit(**_INLINE)
def _scan_coarse(
    row, column, x, y, cos_y, limit, allowed, grid_west, grid_south, cell,
    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
):  # fmt: skip
    """Offer the places of one coarse cell, row by row, unless all of them must be too far."""
    width = 1 << COARSE_BITS
    left, right = column * width, (column + 1) * width - 1
    west, east = grid_west + left * cell, grid_west + (right + 1) * cell
    south = grid_south + row * width * cell
    worst = value[kept - 1] if kept == count else limit
    if _to_box(x, y, west, south, east, south + width * cell) > worst:
        return kept
    far = max(west - x, x - east) > FAR_DEG
    if far and worst < 1.0 and _to_far_box(x, y, west, south, east, south + width * cell) > worst:
        return kept
    for fine in range(row * width, (row + 1) * width):
        start = fine * columns
        if starts[start + left] == starts[start + right + 1]:
            continue
        low = grid_south + fine * cell
        worst = value[kept - 1] if kept == count else limit
        if _to_box(x, y, west, low, east, low + cell) > worst:
            continue
        kept = _scan_row(
            fine, left, right, x, y, cos_y, limit, allowed,
            rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
        )  # fmt: skip
    return kept


@njit(**_INLINE)
def _filled(coarse, row, column):
    """Whether there is such a coarse cell, and places in it."""
    return 0 <= row < coarse.shape[0] and 0 <= column < coarse.shape[1] and coarse[row, column]


@njit(nogil=True, cache=True, error_model="numpy")
def _fine_rings(x, y, limit, allowed, grid, index, value, count):
    """Search rings of cells around the point: how many were kept, and whether they are the answer."""
    cos_y = math.cos(y * RADIANS)
    cell, rows, columns, grid_west, grid_south = (
        grid.cell,
        grid.rows,
        grid.columns,
        grid.west,
        grid.south,
    )
    starts, order, lon, lat, cosine = (
        grid.starts,
        grid.order,
        grid.lon,
        grid.lat,
        grid.cosine,
    )
    grid_east = grid_west + columns * cell
    column = math.floor((x - grid_west) / cell)
    row = math.floor((y - grid_south) / cell)
    kept = 0
    if not (-FINE_RINGS <= column < columns + FINE_RINGS and -FINE_RINGS <= row < rows + FINE_RINGS):
        return kept, False
    for ring in range(FINE_RINGS + 1):
        left, right, low, high = column - ring, column + ring, row - ring, row + ring
        kept = _scan_row(
            low, left, right, x, y, cos_y, limit, allowed,
            rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
        )  # fmt: skip
        if ring:
            kept = _scan_row(
                high, left, right, x, y, cos_y, limit, allowed,
                rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
            )  # fmt: skip
            for between in range(low + 1, high):
                kept = _scan_row(
                    between, left, left, x, y, cos_y, limit, allowed,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
                kept = _scan_row(
                    between, right, right, x, y, cos_y, limit, allowed,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
        edge = _to_outside(
            x, y, grid_west + left * cell, grid_south + low * cell,
            grid_west + (right + 1) * cell, grid_south + (high + 1) * cell,
            grid_west, grid_east,
        )  # fmt: skip
        if edge > limit or (kept == count and edge > value[kept - 1]):
            return kept, True
    return kept, False


@njit(nogil=True, cache=True, error_model="numpy")
def _coarse_rings(x, y, limit, allowed, grid, index, value, count):
    """Search rings of coarse cells, until the rest must be too far; returns how many were kept."""
    cos_y = math.cos(y * RADIANS)
    kept = 0
    cell, rows, columns, grid_west, grid_south = (
        grid.cell,
        grid.rows,
        grid.columns,
        grid.west,
        grid.south,
    )
    starts, order, lon, lat, cosine = (
        grid.starts,
        grid.order,
        grid.lon,
        grid.lat,
        grid.cosine,
    )
    grid_east = grid_west + columns * cell
    wide = cell * (1 << COARSE_BITS)
    coarse = grid.coarse
    coarse_rows, coarse_columns = coarse.shape
    column = math.floor((x - grid_west) / wide)
    row = math.floor((y - grid_south) / wide)
    first = max(
        0, -column, column - coarse_columns + 1, -row, row - coarse_rows + 1
    )  # the first ring that meets the grid
    last = max(
        abs(column),
        abs(coarse_columns - 1 - column),
        abs(row),
        abs(coarse_rows - 1 - row),
    )
    for ring in range(first, last + 1):
        left, right, low, high = column - ring, column + ring, row - ring, row + ring
        for each in range(max(left, 0), min(right, coarse_columns - 1) + 1):
            if _filled(coarse, low, each):
                kept = _scan_coarse(
                    low, each, x, y, cos_y, limit, allowed, grid_west, grid_south, cell,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
            if ring and _filled(coarse, high, each):
                kept = _scan_coarse(
                    high, each, x, y, cos_y, limit, allowed, grid_west, grid_south, cell,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
        for each in range(max(low + 1, 0), min(high - 1, coarse_rows - 1) + 1):
            if _filled(coarse, each, left):
                kept = _scan_coarse(
                    each, left, x, y, cos_y, limit, allowed, grid_west, grid_south, cell,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
            if _filled(coarse, each, right):
                kept = _scan_coarse(
                    each, right, x, y, cos_y, limit, allowed, grid_west, grid_south, cell,
                    rows, columns, starts, order, lon, lat, cosine, index, value, kept, count,
                )  # fmt: skip
        edge = _to_outside(
            x, y, grid_west + left * wide, grid_south + low * wide,
            grid_west + (right + 1) * wide, grid_south + (high + 1) * wide,
            grid_west, grid_east,
        )  # fmt: skip
        if edge > limit or (kept == count and edge > value[kept - 1]):
            break
    return kept


@njit(nogil=True, cache=True, error_model="numpy")
def nearest(x, y, count, limit, allowed, grid, index, value):
    """The `count` nearest allowed places within the haversine `limit`, ascending; returns how many there are.

    `allowed` is a mask over places, or empty for all.
    """
    kept, done = _fine_rings(x, y, limit, allowed, grid, index, value, count)
    if done:
        return kept
    if kept == count:
        limit = min(limit, value[kept - 1])  # what was found is a bound for what there is
    return _coarse_rings(x, y, limit, allowed, grid, index, value, count)


@njit(nogil=True, cache=True, error_model="numpy")
def within_box(west, south, east, north, allowed, grid, index):
    """Write the allowed places in the closed box to `index`, in grid order; returns how many there are."""
    count = 0
    low = max(math.floor((south - grid.south) / grid.cell), 0)
    high = min(math.floor((north - grid.south) / grid.cell), grid.rows - 1)
    left = max(math.floor((west - grid.west) / grid.cell), 0)
    right = min(math.floor((east - grid.west) / grid.cell), grid.columns - 1)
    if left > right:
        return 0
    for row in range(low, high + 1):
        start = row * grid.columns
        for k in range(grid.starts[start + left], grid.starts[start + right + 1]):
            place = grid.order[k]
            if west <= grid.lon[k] <= east and south <= grid.lat[k] <= north and (allowed.size == 0 or allowed[place]):
                index[count] = place
                count += 1
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def haversines(x, y, index, lon, lat, cosine, value):
    """`value[k]` = haversine from (x, y) to place `index[k]`."""
    cos_y = math.cos(y * RADIANS)
    for k in range(index.size):
        place = index[k]
        value[k] = half_chord(x, y, cos_y, lon[place], lat[place], cosine[place])


@njit(nogil=True, cache=True, error_model="numpy")
def to_metres(value):
    """Haversines to metres, in place."""
    for k in range(value.size):
        value[k] = metres(value[k])


@njit(nogil=True, cache=True)
def count_per_cell(cell_of, starts):
    """`starts[c + 1]` = places in cell c."""
    for k in range(cell_of.size):
        starts[cell_of[k] + 1] += 1


@njit(nogil=True, cache=True)
def sort_by_cell(cell_of, starts, order):
    """Places by cell, ascending within each."""
    filled = starts[:-1].copy()
    for k in range(cell_of.size):
        order[filled[cell_of[k]]] = k
        filled[cell_of[k]] += 1
