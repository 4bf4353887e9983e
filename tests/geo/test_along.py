"""Places along a route, against a search that walks along each step."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yizhan.geo import EARTH_RADIUS_M, NearestIndex, haversine_m

Position = tuple[float, float]
POSITIONS = st.tuples(st.floats(113.4, 113.9), st.floats(34.5, 34.9))


def _vector(lon: float, lat: float) -> tuple[float, float, float]:
    x, y = math.radians(lon), math.radians(lat)
    return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)


def _metres(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """The length of the arc over a chord."""
    return 2 * EARTH_RADIUS_M * math.asin(min(math.dist(a, b) / 2, 1.0))


def _between(a: tuple[float, ...], b: tuple[float, ...], share: float) -> tuple[float, ...]:
    """The point at a share of a short chord, lifted to the sphere."""
    v = [p + (q - p) * share for p, q in zip(a, b, strict=True)]
    length = math.hypot(*v)
    return tuple(part / length for part in v)


def _from_step(place: Position, a: Position, b: Position) -> tuple[float, float]:
    """Metres to a step, and the share of it at the nearest point: the distance along a short step has one minimum."""

    start, end, point = _vector(*a), _vector(*b), _vector(*place)

    def away(share: float) -> float:
        return _metres(point, _between(start, end, share))

    low, high = 0.0, 1.0
    for _turn in range(60):
        third = (high - low) / 3
        if away(low + third) <= away(high - third):
            high -= third
        else:
            low += third
    best = min((0.0, 1.0, (low + high) / 2), key=away)
    return away(best), best


def slowly(places: list[Position], route: list[Position], corridor_m: float) -> dict[int, tuple[float, float]]:
    """Metres from the route and along it, by place."""
    found = {}
    for number, place in enumerate(places):
        so_far, best = 0.0, (math.inf, 0.0)
        for a, b in pairwise(route):
            length = haversine_m(*a, *b)
            away, share = _from_step(place, a, b)
            best = min(best, (away, so_far + share * length), key=lambda pair: pair[0])
            so_far += length
        if best[0] <= corridor_m:
            found[number] = best
    return found


@settings(deadline=None)
@given(
    st.lists(POSITIONS, max_size=6),
    st.lists(POSITIONS, min_size=2, max_size=5),
    st.floats(0, 20_000),
)
def test_the_places_along_a_route_are_those_that_walking_it_finds(
    places: list[Position], route: list[Position], corridor_m: float
) -> None:
    lon, lat = zip(*places, strict=True) if places else ((), ())
    index, away, ahead = NearestIndex(lon, lat).along(*zip(*route, strict=True), corridor_m)
    slow = slowly(places, route, corridor_m)
    edge = {number for number, (metres, _at) in slowly(places, route, corridor_m + 0.01).items()
            if abs(metres - corridor_m) < 0.01}  # fmt: skip
    assert set(index.tolist()) - edge == set(slow) - edge
    for number, metres in zip(index.tolist(), away.tolist(), strict=True):
        if number in slow:
            assert metres == pytest.approx(slow[number][0], abs=0.01)
    assert (np.diff(ahead) >= 0).all()


def test_places_come_in_the_order_of_the_ride_with_metres_along_it() -> None:
    index = NearestIndex([113.66, 113.62, 113.64, 113.64], [34.75, 34.75, 34.751, 34.80])
    found, away, ahead = index.along([113.60, 113.68], [34.75, 34.75], 300)
    assert found.tolist() == [1, 2, 0]
    assert away.tolist() == pytest.approx([0, 111, 0], abs=1)
    assert ahead.tolist() == pytest.approx(
        [haversine_m(113.60, 34.75, x, 34.75) for x in (113.62, 113.64, 113.66)], abs=1
    )
    backwards, _away, _ahead = index.along([113.68, 113.60], [34.75, 34.75], 300)
    assert backwards.tolist() == [0, 2, 1]


def test_of_two_passes_the_nearer_counts() -> None:
    index = NearestIndex([113.62], [34.75])
    _found, away, ahead = index.along([113.62, 113.66, 113.62], [34.752, 34.752, 34.7501], 1000)
    assert away.tolist() == pytest.approx([11.1], abs=0.2)
    assert ahead[0] > 7000


def test_a_great_circle_bulges_towards_the_pole_and_its_places_are_found() -> None:
    a, b = (113.0, 50.0), (114.0, 50.0)
    height = math.degrees(math.asin(_between(_vector(*a), _vector(*b), 0.5)[2]))
    assert height > 50.001
    found, away, _ahead = NearestIndex([113.5], [height]).along([a[0], b[0]], [a[1], b[1]], 1)
    assert found.tolist() == [0]
    assert away[0] < 0.01


def test_a_route_of_one_position_is_a_point() -> None:
    found, away, ahead = NearestIndex([113.62, 113.9], [34.75, 34.75]).along([113.62], [34.751], 200)
    assert (found.tolist(), ahead.tolist()) == ([0], [0.0])
    assert away[0] == pytest.approx(111.2, abs=0.1)


def test_only_allowed_places_are_found() -> None:
    index = NearestIndex([113.62, 113.63], [34.75, 34.75])
    assert index.along([113.6, 113.7], [34.75, 34.75], 10, allowed=np.array([False, True]))[0].tolist() == [1]


@pytest.mark.parametrize(
    ("lon", "lat", "corridor"),
    [
        ([113.6, 113.7], [34.7], 100),
        ([], [], 100),
        ([113.6, math.nan], [34.7, 34.7], 100),
        ([113.6, 113.7], [34.7, 86.0], 100),
        ([113.6, 115.6], [34.7, 34.7], 100),
        ([113.6, 113.7], [34.7, 34.7], -1),
        ([113.6, 113.7], [34.7, 34.7], math.nan),
        ([113.6, 113.7], [34.7, 34.7], 1e9),
    ],
)
def test_a_route_that_cannot_be_searched_is_refused(lon: list[float], lat: list[float], corridor: float) -> None:
    with pytest.raises(ValueError, match=r"lon|position|step|corridor"):
        NearestIndex([113.6], [34.7]).along(lon, lat, corridor)
