"""Simulated vehicles: deterministic, plausible, and on their roads."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.passage.frame import FlatFrame
from yizhan.passage.pings import Pings
from yizhan.passage.roads import RoadFileError, RoadGraph, street_grid
from yizhan.passage.simulation import Gps, Riders, Trip, lay_on_roads, lay_over, pings_of, read_trips
from yizhan.passage.simulation.trips import _inside

TRIPS = (
    "vehicle,start_time,lng,lat,end_time,end_lng,end_lat,distance_m\n"
    "7,08:00:00,113.645,34.745,08:10:00,113.655,34.755,2000\n"
    "7,23:55:00,113.655,34.755,00:05:00,113.645,34.745,2000\n"
)


@pytest.fixture(scope="module")
def roads() -> RoadGraph:
    return street_grid(113.65, 34.75, half_side=1500, block=300)


def trip(start: tuple[float, float], end: tuple[float, float], **changed: float) -> Trip:
    seconds = {"start_s": 8 * 3600.0, "end_s": 8.5 * 3600, "distance_m": 9000.0} | changed
    return Trip("1", start, end, **seconds)


def test_trips_are_read_with_times_past_midnight(tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_text(TRIPS, encoding="utf-8")

    first, second = read_trips(path)

    assert (first.vehicle, first.start, first.end_s - first.start_s) == ("7", (113.645, 34.745), 600)
    assert second.end_s == 24 * 3600 + 300
    assert len(read_trips(path, limit=1)) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("08:10:00", "soon", "line 2: end_time must be a time such as 06:41:20, not 'soon'"),
        ("113.655,34.755,2000\n7", "east,34.755,2000\n7", "line 2: end_lng must be a number, not 'east'"),
        ("distance_m", "distance", "lacks the column 'distance_m'"),
        ("113.645,34.745,08", "nan,34.745,08", "line 2: lng must be a number, not 'nan'"),
    ],
)
def test_a_broken_trip_file_says_where_and_why(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "trips.csv"
    path.write_text(TRIPS.replace(old, new), encoding="utf-8")

    with pytest.raises(RoadFileError, match=said):
        read_trips(path)


def test_trips_inside_are_driven_whole_those_that_cross_are_cut_and_those_far_away_are_left_out(
    roads: RoadGraph,
) -> None:
    laid = lay_on_roads(
        [
            trip((113.645, 34.745), (113.655, 34.755)),
            trip((113.645, 34.745), (113.900, 34.745)),
            trip((113.400, 34.750), (113.900, 34.750)),
            trip((114.400, 34.750), (114.900, 34.750)),
        ],
        roads,
    )

    assert (laid.read, laid.whole, laid.cut, laid.outside) == (4, 1, 2, 1)


def test_a_vehicle_never_drives_two_journeys_at_once(roads: RoadGraph) -> None:
    same_time = [trip((113.645, 34.745), (113.655, 34.755)) for _ in range(3)]

    journeys = lay_on_roads(same_time, roads).journeys

    assert all(later.start_s > earlier.end_s for earlier, later in pairwise(journeys))


coordinate = st.floats(-3, 3, allow_nan=False)


@given(st.tuples(coordinate, coordinate), st.tuples(coordinate, coordinate))
def test_clipping_a_line_to_a_rectangle_agrees_with_walking_along_it(
    start: tuple[float, float], end: tuple[float, float]
) -> None:
    a, b = np.array([start]), np.array([end])
    enters, leaves = _inside(a, b, (-1, -1, 1, 1))
    share = np.linspace(0, 1, 401)
    walked = a + (b - a) * share[:, None]
    inside = (np.abs(walked) < 1 - 1e-9).all(axis=1)

    assert np.all((share[inside] >= enters[0] - 1e-9) & (share[inside] <= leaves[0] + 1e-9))
    strictly_between = (share > enters[0] + 1e-6) & (share < leaves[0] - 1e-6)
    assert np.all((np.abs(walked[strictly_between]) <= 1 + 1e-6).all(axis=1))


def test_pings_are_the_same_for_the_same_seed_and_in_order_of_time(roads: RoadGraph) -> None:
    journeys = lay_on_roads([trip((113.645, 34.745), (113.655, 34.755))], roads).journeys
    frames = [roads.frame, FlatFrame(114.05, 22.54)]

    def made(seed: int) -> Pings:
        return pings_of(journeys, frames, midnight_ms=0, gps=Gps(), seed=seed)[0]

    one, same, other = made(1), made(1), made(2)
    assert np.array_equal(one.longitude, same.longitude)
    assert not np.array_equal(one.longitude, other.longitude)
    assert np.all(np.diff(one.time_ms) >= 0)
    assert set(one.vehicle.tolist()) == {0, 1}  # another vehicle in each copy


def test_vehicles_stay_near_their_roads_and_below_a_plausible_speed(roads: RoadGraph) -> None:
    journeys = lay_on_roads([trip((113.645, 34.745), (113.655, 34.755))], roads).journeys
    exact = Gps(error_m=0.01, bad_share=0)
    pings, names = pings_of(journeys, [roads.frame], midnight_ms=0, gps=exact, seed=1)

    east, north = roads.frame.metres(pings.longitude, pings.latitude)
    assert names == ["1"]
    assert roads.metres_to_road(east, north).max() < 1
    moved = np.hypot(np.diff(east), np.diff(north))[:-1] / 5
    assert moved.max() < 25


def test_a_bad_fix_says_that_it_is_bad() -> None:
    still = np.zeros(2000)
    east, _, accuracy = Gps(error_m=5, bad_share=0.1).seen(still, still, np.random.default_rng(1))

    assert set(accuracy.tolist()) == {10.0, 300.0}
    assert np.abs(east[accuracy == 10]).max() < 30


def test_copies_of_the_roads_cover_every_station(roads: RoadGraph) -> None:
    longitude, latitude = np.array([113.65, 113.66, 115.0]), np.array([34.75, 34.75, 35.0])

    laid = lay_over(roads, longitude, latitude, copies=True)
    where_they_are = lay_over(roads, longitude, latitude, copies=False)

    assert len(laid.frames) == 2
    assert laid.metres_to_road.max() < 300
    assert where_they_are.frames == [roads.frame]
    assert where_they_are.reachable(300).tolist() == [True, True, False]


def test_riders_ping_in_turn_and_keep_moving(roads: RoadGraph) -> None:
    riders = Riders(roads, count=40, gps=Gps(every_s=5, error_m=0.01, bad_share=0))
    seen = [riders.pings(1_000_000.0 + second) for second in range(200)]

    assert len(riders.names) == 40
    everyone = np.concatenate([pings.vehicle for pings in seen])
    assert np.bincount(everyone).min() >= 39  # each about every five seconds
    one = [(p.longitude[p.vehicle == 3], p.latitude[p.vehicle == 3]) for p in seen]
    places = {(round(float(x[0]), 6), round(float(y[0]), 6)) for x, y in one if len(x)}
    assert len(places) > 5
