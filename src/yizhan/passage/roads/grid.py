"""A made-up street grid, for where no road file is at hand."""

from __future__ import annotations

import numpy as np

from yizhan.passage.frame import FlatFrame

from .graph import Edge, RoadGraph

STREET, AVENUE = 30 / 3.6, 50 / 3.6  # metres per second


def street_grid(
    longitude: float, latitude: float, *, half_side: float = 8_000, block: float = 400, seed: int = 1
) -> RoadGraph:
    """A generated, slightly irregular grid of two-way streets around a centre (degrees, WGS-84).

    Not a map of anything: every fourth street is a fast avenue, one street piece in twelve is missing.

    Args:
        half_side: metres from the centre to the edge of the grid.
        block: metres between two streets.
    """
    random = np.random.default_rng(seed)
    side = 2 * int(half_side // block) + 1
    ticks = (np.arange(side) - side // 2) * block
    nodes = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    nodes = nodes + random.normal(0, block * 0.08, nodes.shape)
    edges: list[Edge] = []
    for row in range(side):
        for column in range(side):
            here = row * side + column
            for there, street in ((here + 1, row), (here + side, column)):
                within = column + 1 < side if there == here + 1 else row + 1 < side
                if not within or random.random() < 1 / 12:
                    continue
                speed = AVENUE if street % 4 == 0 else STREET
                edges.append(Edge(here, there, nodes[[here, there]], speed))
                edges.append(Edge(there, here, nodes[[there, here]], speed))
    return RoadGraph(FlatFrame(longitude, latitude), nodes, edges)
