# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled building of the look-up grid.

Numba's cache watches only the text of a compiled function's own file, not what that function calls: after a change
here, delete the cache (`__pycache__/*.nbi`).
"""

import numpy as np
from numba import njit

from yizhan.geo.passage._processor import INLINE, popcount


@njit(nogil=True, cache=True)
def _touches(column, row, lon, lat, reach_lon, reach_lat, west, south, per_lon, per_lat):
    """Whether the circle (an ellipse in degrees) reaches into the cell."""
    x = (lon - west) * per_lon - column
    y = (lat - south) * per_lat - row
    dx = (max(-x, 0.0) + max(x - 1.0, 0.0)) / (reach_lon * per_lon)
    dy = (max(-y, 0.0) + max(y - 1.0, 0.0)) / (reach_lat * per_lat)
    return dx * dx + dy * dy <= 1.0


@njit(nogil=True, cache=True)
def _span(centre, reach, origin, per):
    return int(np.floor((centre - reach - origin) * per)), int(np.floor((centre + reach - origin) * per))


@njit(nogil=True, cache=True)
def mark_tiles(lon, lat, reach_lon, reach_lat, west, south, per_lon, per_lat, tiles):
    """Number the tiles that a circle's box touches, from 1; returns how many blocks there are, with the empty one.

    The box is wider by a cell to the west and to the south, where the squares begin of which `widen` tells.
    """
    blocks = 1
    for i in range(lon.size):
        left, right = _span(lon[i], reach_lon[i], west, per_lon)
        low, high = _span(lat[i], reach_lat[i], south, per_lat)
        for row in range((low - 1) >> 5, (high >> 5) + 1):
            for column in range((left - 1) >> 5, (right >> 5) + 1):
                if tiles[row, column] == 0:
                    tiles[row, column] = blocks
                    blocks += 1
    return blocks


@njit(nogil=True, cache=True)
def mark_cells(lon, lat, reach_lon, reach_lat, west, south, per_lon, per_lat, tiles, words):
    """Set the bit of each cell that a circle touches."""
    for i in range(lon.size):
        left, right = _span(lon[i], reach_lon[i], west, per_lon)
        low, high = _span(lat[i], reach_lat[i], south, per_lat)
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                if _touches(column, row, lon[i], lat[i], reach_lon[i], reach_lat[i], west, south, per_lon, per_lat):
                    at = tiles[row >> 5, column >> 5] * 32 + (row & 31)
                    words[at] |= np.uint32(1) << np.uint32(column & 31)


@njit(**INLINE)
def _pairs(words, block, beside, row):
    """For each bit of a word, whether it or the next one is set; after the last comes the first of the tile beside."""
    own = words[block * 32 + row]
    return own | (own >> np.uint32(1)) | (words[beside * 32 + row] << np.uint32(31))


@njit(nogil=True, cache=True)
def widen(tiles, words, wide):
    """Set the bit of each cell that is the south-west one of a square of 2 × 2 cells of which any is set."""
    for row in range(tiles.shape[0] - 1):
        for column in range(tiles.shape[1] - 1):
            block = tiles[row, column]
            if block == 0:
                continue
            beside, above = tiles[row, column + 1], tiles[row + 1, column]
            for at in range(31):
                wide[block * 32 + at] = _pairs(words, block, beside, at) | _pairs(words, block, beside, at + 1)
            beyond = _pairs(words, above, tiles[row + 1, column + 1], 0)
            wide[block * 32 + 31] = _pairs(words, block, beside, 31) | beyond


@njit(nogil=True, cache=True)
def count_cells(words, rank):
    """`rank[w]` = set bits before word w; returns how many there are in all."""
    total = np.int64(0)
    for at in range(words.size):
        rank[at] = total
        total += np.int64(popcount(words[at]))
    return total


@njit(**INLINE)
def cell_number(words, rank, at, column):
    """Number of the cell whose bit is set in word `at`."""
    before = words[at] & ((np.uint32(1) << np.uint32(column & 31)) - np.uint32(1))
    return np.int64(rank[at]) + np.int64(popcount(np.uint32(before)))


@njit(nogil=True, cache=True)
def count_stations(lon, lat, reach_lon, reach_lat, west, south, per_lon, per_lat, tiles, words, rank, starts):
    """`starts[c + 1]` = stations whose circle touches cell c."""
    for i in range(lon.size):
        left, right = _span(lon[i], reach_lon[i], west, per_lon)
        low, high = _span(lat[i], reach_lat[i], south, per_lat)
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                if _touches(column, row, lon[i], lat[i], reach_lon[i], reach_lat[i], west, south, per_lon, per_lat):
                    at = tiles[row >> 5, column >> 5] * 32 + (row & 31)
                    starts[cell_number(words, rank, at, column) + 1] += 1


@njit(nogil=True, cache=True)
def list_stations(lon, lat, reach_lon, reach_lat, west, south, per_lon, per_lat, tiles, words, rank, starts, listed):
    """Fill each cell's list, stations in ascending order."""
    filled = starts[:-1].copy()
    for i in range(lon.size):
        left, right = _span(lon[i], reach_lon[i], west, per_lon)
        low, high = _span(lat[i], reach_lat[i], south, per_lat)
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                if _touches(column, row, lon[i], lat[i], reach_lon[i], reach_lat[i], west, south, per_lon, per_lat):
                    at = tiles[row >> 5, column >> 5] * 32 + (row & 31)
                    cell = cell_number(words, rank, at, column)
                    listed[filled[cell]] = i
                    filled[cell] += 1


@njit(nogil=True, cache=True)
def compact(starts, listed, directory, lists):
    """Write each cell's entry: its one station, or where its list begins."""
    used = 0
    for cell in range(directory.size):
        first, count = starts[cell], starts[cell + 1] - starts[cell]
        if count == 1:
            directory[cell] = listed[first]
        else:
            directory[cell] = ~used
            lists[used] = count
            lists[used + 1 : used + 1 + count] = listed[first : first + count]
            used += 1 + count
