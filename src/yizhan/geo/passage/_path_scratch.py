"""Room in which the segment rule's steps leave what they know of a block of pings."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.passage._memory_kernels import BLOCK

# Cells are widened by this share of a cell where a path is cut at cell edges: far above rounding, far below a metre.
HAIR = 1e-6
# A path that crosses more touched cells than this is looked up cell by cell at the end; `LONG` stands for them.
CELLS = 16
CANDIDATES = (CELLS + 4) * BLOCK
LONG = -1
ENDLESS = -(2**40)


class Scratch(NamedTuple):
    """What is known of each ping of a block, between the steps."""

    mine: NDArray[np.int64]
    mine_who: NDArray[np.int64]
    mine_when: NDArray[np.int64]
    mine_x: NDArray[np.float64]
    mine_y: NDArray[np.float64]
    mine_accuracy: NDArray[np.float64]
    hashes: NDArray[np.uint64]
    slot: NDArray[np.uint64]
    alive: NDArray[np.bool_]
    time0: NDArray[np.int64]
    lon0: NDArray[np.float64]
    lat0: NDArray[np.float64]
    accuracy0: NDArray[np.float64]
    column: NDArray[np.int32]
    row: NDArray[np.int32]
    columns_more: NDArray[np.int32]
    rows_more: NDArray[np.int32]
    words_at: NDArray[np.uint32]
    hit: NDArray[np.uint32]
    pair_ping: NDArray[np.uint32]
    pair_at: NDArray[np.int64]
    pair_column: NDArray[np.int32]
    pair_entry: NDArray[np.int64]
    met_ping: NDArray[np.uint32]
    met_station: NDArray[np.int64]
    met_square: NDArray[np.float64]
    met_ms: NDArray[np.int64]


def scratch() -> Scratch:
    """Room for one block; the kernel takes the size of the block from it."""
    pings = [
        "i8",
        "i8",
        "i8",
        "f8",
        "f8",
        "f8",
        "u8",
        "u8",
        "?",
        "i8",
        "f8",
        "f8",
        "f8",
        "i4",
        "i4",
        "i4",
        "i4",
        "u4",
        "u4",
    ]
    pairs = ["u4", "i8", "i4", "i8", "u4", "i8", "f8", "i8"]
    return Scratch(*(np.empty(BLOCK, kind) for kind in pings), *(np.empty(CANDIDATES, kind) for kind in pairs))
