# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled look-up of points in the GCJ-02 region."""

from numba import njit

OUTSIDE, EDGE, INSIDE = 0, 1, 2


@njit(nogil=True, cache=True, forceinline=True)
def cell_class(x, y, west, south, cell, classes):
    """Class of the cell at (x, y) degrees; outside for NaN and beyond the grid."""
    column = (x - west) / cell
    row = (y - south) / cell
    if column >= 0.0 and row >= 0.0 and column < classes.shape[1] and row < classes.shape[0]:
        return classes[int(row), int(column)]
    return OUTSIDE


@njit(nogil=True, cache=True)
def on_the_inner_side(x, y, south, cell, segments, row_starts):
    """Even-odd test of one point against the outline, along a ray to the west, in the point's grid row."""
    row = int((y - south) / cell)
    inside = False
    for k in range(row_starts[row], row_starts[row + 1]):
        y1, y2 = segments[k, 1], segments[k, 3]
        if (y1 > y) != (y2 > y):
            x1, x2 = segments[k, 0], segments[k, 2]
            if x1 + (y - y1) * (x2 - x1) / (y2 - y1) < x:
                inside = not inside
    return inside


@njit(nogil=True, cache=True)
def contains_one(x, y, region):
    """Whether one point lies in the region."""
    kind = cell_class(x, y, region.west, region.south, region.cell, region.classes)
    if kind == EDGE:
        return on_the_inner_side(x, y, region.south, region.cell, region.segments, region.row_starts)
    return kind == INSIDE


@njit(nogil=True, cache=True)
def contains(lon, lat, inside, region):
    """`inside[i]` = whether point i lies in the region."""
    west, south, cell, classes = region.west, region.south, region.cell, region.classes
    for i in range(lon.size):
        kind = cell_class(lon[i], lat[i], west, south, cell, classes)
        inside[i] = kind == INSIDE or (kind == EDGE and contains_one(lon[i], lat[i], region))
