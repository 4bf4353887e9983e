"""The order of a round's stops: found by PyVRP, not by us."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from yizhan.geo import haversine_m

_ITERATIONS = 300
_SEED = 20260501

Point = tuple[float, float]


def best_order(points: Sequence[Point], *, start: Point | None = None) -> list[int]:
    """In which order to visit `points`, as their numbers; the way ends at the last of them.

    Args:
        points: Longitude and latitude, WGS-84 degrees.
        start: Where the way begins; None: at the first point of whichever order is shortest.

    Returns:
        Each number once. The same points give the same order on every machine.
    """
    if len(points) < (2 if start else 3):
        return list(range(len(points)))
    # Loaded only here: it brings plotting libraries along that nothing else needs.
    from pyvrp import Model
    from pyvrp.stop import MaxIterations

    metres = _distances([start or points[0], *points])
    model = Model()
    places = [model.add_location(x=number, y=0) for number in range(len(points) + 1)]
    depot = model.add_depot(places[0])
    for place in places[1:]:
        model.add_client(place)
    model.add_vehicle_type(num_available=1, start_depot=depot, end_depot=depot)
    for one, origin in enumerate(places):
        for two, goal in enumerate(places):
            if one == two:
                continue
            # The way home costs nothing; without a start, neither does the way to the first stop.
            is_free = two == 0 or (one == 0 and start is None)
            model.add_edge(origin, goal, distance=0 if is_free else int(metres[one, two]))
    result = model.solve(MaxIterations(_ITERATIONS), seed=_SEED, display=False)
    order = [step.idx for route in result.best.routes() for step in route if step.is_client()]
    return order if sorted(order) == list(range(len(points))) else list(range(len(points)))


def length_m(points: Sequence[Point], *, start: Point | None = None) -> float:
    """How long the way through `points` in their order is, in metres on the sphere."""
    way = [start, *points] if start else list(points)
    return float(sum(haversine_m(*one, *two) for one, two in pairwise(way)))


def _distances(points: Sequence[Point]) -> np.ndarray:
    columns = np.array(points, np.float64)
    lon, lat = columns[:, 0], columns[:, 1]
    return np.rint(haversine_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :]))
