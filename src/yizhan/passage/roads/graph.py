"""The road graph, and quickest routes over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from yizhan.passage.frame import FlatFrame

Points: TypeAlias = NDArray[np.float64]  # (n, 2): metres east and north


@dataclass(frozen=True, slots=True)
class Edge:
    """One direction of one road: node numbers, the line between them (metres in the graph's frame), speed in m/s."""

    source: int
    target: int
    line: Points
    speed: float


@dataclass(frozen=True, slots=True)
class Route:
    """A way along the roads: its corners (metres in the graph's frame) and the seconds at which each is reached."""

    line: Points
    seconds: NDArray[np.float64]

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return float(self.seconds[-1])

    @property
    def length(self) -> float:
        """Metres from start to end."""
        return float(np.hypot(*np.diff(self.line, axis=0).T).sum())


class RoadGraph:
    """A directed road graph in which every node can be reached from every other.

    What cannot be reached (dead one-way streets, islands) is left out when the graph is made.

    Args:
        frame: where the graph lies.
        nodes: (n, 2) metres in that frame.
        edges: directed; a two-way street is two edges.

    Raises:
        ValueError: no edge is left that could carry a route.
    """

    def __init__(self, frame: FlatFrame, nodes: Points, edges: Sequence[Edge]) -> None:
        self.frame = frame
        kept = _largest_component(len(nodes), edges)
        number = np.full(len(nodes), -1)
        number[kept] = np.arange(len(kept))
        self.nodes = np.asarray(nodes, np.float64)[kept]
        self.edges: list[Edge] = []
        self._quickest: dict[tuple[int, int], Edge] = {}
        for edge in edges:
            source, target = int(number[edge.source]), int(number[edge.target])
            if source < 0 or target < 0:
                continue
            moved = Edge(source, target, edge.line, edge.speed)
            self.edges.append(moved)
            known = self._quickest.get((source, target))
            if known is None or _seconds(moved) < _seconds(known):
                self._quickest[source, target] = moved
        if not self._quickest:
            raise ValueError("the road graph has no two nodes that can be reached from each other")
        pairs = np.array(list(self._quickest), np.int32)
        seconds = np.array([_seconds(edge) for edge in self._quickest.values()])
        self._travel = csr_matrix((seconds, (pairs[:, 0], pairs[:, 1])), shape=(len(kept), len(kept)))
        self._nearest = cKDTree(self.nodes)

    def at(self, frame: FlatFrame) -> RoadGraph:
        """The same roads somewhere else: a rigid shift of all metres to another centre."""
        copy = object.__new__(RoadGraph)
        copy.__dict__.update(self.__dict__)
        copy.frame = frame
        return copy

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the nodes, in metres in the frame."""
        west, south = self.nodes.min(axis=0)
        east, north = self.nodes.max(axis=0)
        return float(west), float(south), float(east), float(north)

    def nearest_node(self, east: ArrayLike, north: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The number of the nearest node to each position, and how many metres away it is."""
        distance, node = self._nearest.query(
            np.column_stack([np.atleast_1d(np.asarray(east)), np.atleast_1d(np.asarray(north))])
        )
        return np.asarray(node, np.int64), np.asarray(distance, np.float64)

    def metres_to_road(self, east: ArrayLike, north: ArrayLike) -> NDArray[np.float64]:
        """How many metres away from each position the nearest road is."""
        lines = [shapely.LineString(edge.line) for edge in self.edges]
        points: Any = shapely.points(np.atleast_1d(np.asarray(east)), np.atleast_1d(np.asarray(north)))
        asked, nearest = shapely.STRtree(lines).query_nearest(points, all_matches=False)
        distance = np.empty(len(points))
        distance[asked] = shapely.distance(points[asked], np.array(lines, dtype=object)[nearest])
        return distance

    def routes(self, starts: Sequence[int], ends: Sequence[int]) -> list[Route | None]:
        """The quickest route for each pair of nodes; None where start and end are the same node."""
        asked = np.unique(np.asarray(starts, np.int64))
        if not len(asked):
            return []
        _, before = dijkstra(self._travel, indices=asked, return_predecessors=True)
        row = {int(start): before[i] for i, start in enumerate(asked)}
        return [self._along(_path(row[start], start, end)) for start, end in zip(starts, ends, strict=True)]

    def _along(self, path: list[int]) -> Route | None:
        if len(path) < 2:
            return None
        edges = [self._quickest[step] for step in pairwise(path)]
        line = [edges[0].line[:1]]
        seconds: list[NDArray[np.float64]] = []
        for edge in edges:
            line.append(edge.line[1:])
            seconds.append(np.hypot(*np.diff(edge.line, axis=0).T) / edge.speed)
        return Route(np.concatenate(line), np.concatenate([[0.0], np.cumsum(np.concatenate(seconds))]))


def _path(before: NDArray[np.int32], start: int, end: int) -> list[int]:
    path = [end]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return path[::-1]


def _seconds(edge: Edge) -> float:
    return float(np.hypot(*np.diff(edge.line, axis=0).T).sum()) / edge.speed


def _largest_component(count: int, edges: Iterable[Edge]) -> NDArray[np.int64]:
    pairs = np.array([(edge.source, edge.target) for edge in edges], np.int64).reshape(-1, 2)
    links = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, label = connected_components(links, directed=True, connection="strong")
    return np.flatnonzero(label == np.bincount(label).argmax())
