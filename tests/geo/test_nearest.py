"""The index of places against a slow twin that measures every place."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yizhan.geo import EARTH_RADIUS_M, NearestIndex, haversine_m

Position = tuple[float, float]


def haversine(here: Position, place: Position) -> float:
    radians = math.pi / 180
    a = math.sin((place[1] - here[1]) * (radians * 0.5))
    b = math.sin((place[0] - here[0]) * (radians * 0.5))
    return a * a + math.cos(here[1] * radians) * float(np.cos(np.radians(place[1]))) * b * b


def metres(square: float) -> float:
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(square, 1.0)))


def slow_nearest(
    places: Sequence[Position], here: Position, count: int, allowed: Sequence[bool], radius_m: float | None
) -> list[tuple[int, float]]:
    limit = math.inf if radius_m is None else math.sin(min(radius_m / (2 * EARTH_RADIUS_M), math.pi / 2)) ** 2
    if limit == 1.0:
        limit = math.inf
    found = sorted((haversine(here, place), k) for k, place in enumerate(places) if allowed[k])
    return [(k, metres(square)) for square, k in found if square <= limit][:count]


# A lattice and repeats, so that ties are common; China, and now and then anywhere on the globe.
lon = st.integers(0, 20).map(lambda k: 110 + k * 0.01) | st.floats(98, 122) | st.floats(-180, 180)
lat = st.integers(0, 20).map(lambda k: 30 + k * 0.01) | st.floats(22, 45) | st.floats(-90, 90)
positions = st.tuples(lon, lat)
radii = st.none() | st.sampled_from([0.0, 500.0, 1_113.0, 50_000.0, 3e6, 3e7, math.inf])


@settings(max_examples=300, deadline=None)
@given(st.lists(positions, max_size=40), positions, st.integers(0, 12), radii, st.data())
def test_the_nearest_are_those_that_the_slow_twin_finds(
    places: list[Position], here: Position, count: int, radius_m: float | None, data: st.DataObject
) -> None:
    index = NearestIndex([p[0] for p in places], [p[1] for p in places])
    mask = data.draw(st.none() | st.lists(st.booleans(), min_size=len(places), max_size=len(places)))
    allowed = None if mask is None else np.array(mask, np.bool_)
    expected = slow_nearest(places, here, count, mask or [True] * len(places), radius_m)
    got = index.nearest(*here, count=count, allowed=allowed, radius_m=radius_m)
    assert list(zip(got[0].tolist(), got[1].tolist(), strict=True)) == expected
    if radius_m is not None:
        everything = slow_nearest(places, here, len(places), mask or [True] * len(places), radius_m)
        got = index.within_radius(*here, radius_m, allowed=allowed)
        assert list(zip(got[0].tolist(), got[1].tolist(), strict=True)) == everything


@settings(max_examples=100, deadline=None)
@given(st.lists(positions, max_size=40), positions, positions)
def test_a_box_holds_what_lies_in_it_and_on_its_edges(places: list[Position], a: Position, b: Position) -> None:
    index = NearestIndex([p[0] for p in places], [p[1] for p in places])
    (west, east), (south, north) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    expected = [k for k, p in enumerate(places) if west <= p[0] <= east and south <= p[1] <= north]
    assert index.within_box(west, south, east, north).tolist() == expected


@pytest.fixture(scope="module")
def country() -> tuple[NearestIndex, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    cities = np.stack([rng.uniform(98, 122, 100), rng.uniform(22, 45, 100)], axis=1)
    home = cities[rng.integers(0, 100, 50_000)]
    lon, lat = home[:, 0] + rng.normal(0, 0.2, 50_000), home[:, 1] + rng.normal(0, 0.15, 50_000)
    return NearestIndex(lon, lat), lon, lat


@pytest.mark.parametrize("share_open", [1.0, 0.5, 0.001, 0.0])
def test_a_country_of_places_is_searched_exactly_from_near_and_far(
    country: tuple[NearestIndex, np.ndarray, np.ndarray], share_open: float
) -> None:
    index, lon, lat = country
    rng = np.random.default_rng(2)
    allowed = rng.random(len(lon)) < share_open
    near = zip(lon[:40] + rng.normal(0, 0.02, 40), lat[:40], strict=True)
    far = zip(rng.uniform(70, 140, 40), rng.uniform(10, 60, 40), strict=True)
    remote = zip(rng.uniform(-180, 180, 20), rng.uniform(-90, 90, 20), strict=True)
    for x, y in [*near, *far, *remote]:
        got, distance = index.nearest(x, y, allowed=allowed)
        true = np.where(allowed, haversine_m(x, y, lon, lat), np.inf)
        expected = np.sort(true)[:10]
        assert np.allclose(distance, expected[np.isfinite(expected)], rtol=1e-9)
        assert allowed[got].all()


def test_places_at_one_spot_come_in_the_order_of_their_index() -> None:
    index = NearestIndex([113.0] * 30, [34.0] * 30)
    assert index.nearest(113.001, 34.0, count=5)[0].tolist() == [0, 1, 2, 3, 4]
    allowed = np.arange(30) % 2 == 1
    assert index.nearest(113.001, 34.0, count=3, allowed=allowed)[0].tolist() == [1, 3, 5]


def test_an_empty_index_answers_with_nothing() -> None:
    index = NearestIndex([], [])
    assert len(index) == 0
    assert len(index.nearest(113.0, 34.0)[0]) == 0
    assert len(index.within_radius(113.0, 34.0, 1e6)[0]) == 0
    assert len(index.within_box(-180, -90, 180, 90)) == 0


def test_the_index_keeps_its_own_copy_of_nothing_it_could_be_changed_by() -> None:
    lon, lat = np.array([113.0, 114.0]), np.array([34.0, 34.0])
    index = NearestIndex(lon, lat)
    lon[0] = 0.0
    assert index.nearest(113.0, 34.0, count=1)[0].tolist() == [0]
    assert len(index.within_radius(113.0, 34.0, 10)[0]) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda index: index.nearest(math.nan, 34.0), "position"),
        (lambda index: index.nearest(113.0, 90.5), "position"),
        (lambda index: index.nearest(113.0, 34.0, count=-1), "count is -1"),
        (lambda index: index.nearest(113.0, 34.0, radius_m=-1), "radius_m is -1"),
        (lambda index: index.nearest(113.0, 34.0, radius_m=math.nan), "radius_m is nan"),
        (lambda index: index.nearest(113.0, 34.0, allowed=np.ones(3, np.bool_)), "allowed has 3 rows for 2 places"),
        (lambda index: index.within_box(2, 1, 1, 2), "west must not be beyond east"),
        (lambda index: index.within_box(math.nan, 1, 1, 2), "every edge must be a finite number"),
        (lambda index: NearestIndex([1.0], [1.0, 2.0]), "lon has 1 rows, lat has 2"),
        (lambda index: NearestIndex([181.0], [1.0]), "lon of place 0 is 181"),
        (lambda index: NearestIndex([1.0], [math.nan]), "lat of place 0 is nan"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_field_value_and_rule(call: object, message: str) -> None:
    index = NearestIndex([113.0, 114.0], [34.0, 34.0])
    with pytest.raises(ValueError, match=message):
        call(index)  # type: ignore[operator]
