"""The look-up grid of the passage kernel: which stations' circles touch the cell around a position.

The world of the stations is cut into cells of about 150 m, 32 × 32 cells to a tile. A table gives each tile a block of
32 row words of 32 bits; a bit says that at least one circle touches the cell. Empty tiles share block 0, all zero, so a
position far from any station costs one look at the table and one at a word. Set bits are numbered by counting them
(`rank` of the word plus the bits before it), and the number leads to the cell's entry in `directory`: the station
itself where there is one, else the complement of an offset into `lists`, where the number of stations stands before
them.

One empty tile surrounds all circles; positions beyond are looked up there, so no position needs a test for range.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.distance import EARTH_RADIUS_M, METRES_PER_DEGREE
from yizhan.geo.passage import _cells_kernels as kernels
from yizhan.geo.passage.stations import Stations

CELL_LON_DEG, CELL_LAT_DEG = 0.0015, 0.00135
TILE = 32
MAX_TILES = 2_500_000


class Cells(NamedTuple):
    """The grid in the flat form that the kernels read. Cell (0, 0) starts at `west`, `south`."""

    west: float
    south: float
    per_lon: float
    per_lat: float
    columns: int
    rows: int
    tiles: NDArray[np.int32]
    words: NDArray[np.uint32]
    wide: NDArray[np.uint32]
    rank: NDArray[np.int32]
    directory: NDArray[np.int32]
    lists: NDArray[np.int32]


def build(stations: Stations, longest_path_m: float) -> Cells:
    """The grid of these stations, for paths of at most `longest_path_m` metres between two pings.

    Circles are drawn a little wider than they are: a path is straight in longitude and latitude here, and straight in
    the plane around a station in the exact test; over the length L the two part by less than L² tan(lat) / 16 R.
    """
    lat = np.radians(stations.lat)
    slack_m = 1.0 + longest_path_m**2 * np.abs(np.tan(lat)) / (8.0 * EARTH_RADIUS_M)
    reach_m = stations.radius_m * 1.001 + slack_m
    reach_lat = reach_m / METRES_PER_DEGREE
    reach_lon = reach_lat / np.cos(np.radians(np.minimum(np.abs(stations.lat) + reach_lat, 89.0)))
    if len(stations):
        west, east = float((stations.lon - reach_lon).min()), float((stations.lon + reach_lon).max())
        south, north = float((stations.lat - reach_lat).min()), float((stations.lat + reach_lat).max())
    else:
        west, east, south, north = 0.0, 0.0, 0.0, 0.0
    scale = 1.0
    while True:
        cell_lon, cell_lat = CELL_LON_DEG * scale, CELL_LAT_DEG * scale
        tile_columns = math.ceil((east - west) / cell_lon / TILE) + 3
        tile_rows = math.ceil((north - south) / cell_lat / TILE) + 3
        if tile_columns * tile_rows <= MAX_TILES:
            break
        scale *= 2.0
    west -= TILE * cell_lon
    south -= TILE * cell_lat
    grid = (west, south, 1.0 / cell_lon, 1.0 / cell_lat)
    tiles = np.zeros((tile_rows, tile_columns), np.int32)
    discs = (stations.lon, stations.lat, reach_lon, reach_lat)
    blocks = kernels.mark_tiles(*discs, *grid, tiles)
    words = np.zeros(blocks * TILE, np.uint32)
    kernels.mark_cells(*discs, *grid, tiles, words)
    wide = np.zeros_like(words)
    kernels.widen(tiles, words, wide)
    rank = np.zeros(words.size, np.int32)
    cells = kernels.count_cells(words, rank)
    starts = np.zeros(cells + 1, np.int32)
    kernels.count_stations(*discs, *grid, tiles, words, rank, starts)
    np.cumsum(starts, out=starts)
    listed = np.zeros(int(starts[-1]), np.int32)
    kernels.list_stations(*discs, *grid, tiles, words, rank, starts, listed)
    directory = np.empty(cells, np.int32)
    lists = np.empty(int(np.sum(np.diff(starts)[np.diff(starts) > 1] + 1)), np.int32)
    kernels.compact(starts, listed, directory, lists)
    size = (tile_columns * TILE, tile_rows * TILE)
    return Cells(*grid, *size, tiles.reshape(-1), words, wide, rank, directory, lists)
