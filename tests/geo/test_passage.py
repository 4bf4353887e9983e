"""The passage kernel against a slow twin that is obviously right, and the rules one by one."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yizhan.geo import (
    EARTH_RADIUS_M,
    FOREVER_S,
    OpenIntervals,
    PassageKernel,
    PassageParameters,
    Reminders,
    Stations,
    haversine_m,
)
from yizhan.geo.passage import Reason, explain

RADIANS = math.pi / 180.0
NAN = math.nan


class Ping(NamedTuple):
    vehicle: int
    time_ms: int
    lon: float
    lat: float
    accuracy_m: float = NAN
    asked: int = 0


class Station(NamedTuple):
    id: int
    lon: float
    lat: float
    radius_m: float = 200.0
    hours: Sequence[tuple[int, int]] = ((-FOREVER_S, FOREVER_S),)
    rule: int = 0
    offered: int = 0


class Reminder(NamedTuple):
    vehicle: int
    station: int
    time_ms: int
    distance_m: float


@dataclass
class SlowKernel:
    """The rules of `PassageKernel`, each ping against every station, every reminder kept for ever."""

    stations: Sequence[Station]
    rules: Sequence[PassageParameters] = (PassageParameters(),)
    last: dict[int, Ping] = field(default_factory=dict)
    past: dict[int, list[Reminder]] = field(default_factory=lambda: defaultdict(list))

    def feed(self, pings: Sequence[Ping], latest_ms: float = math.inf) -> list[Reminder]:
        return [reminder for ping in pings if (reminder := self.judge(ping, latest_ms)) is not None]

    def judge(self, ping: Ping, latest_ms: float) -> Reminder | None:
        if not (abs(ping.lon) <= 180 and abs(ping.lat) <= 90) or (ping.lon == 0 and ping.lat == 0):
            return None
        if ping.accuracy_m < 0 or abs(ping.time_ms) >= 2**52 or ping.time_ms > latest_ms:
            return None
        earlier = None
        if any(rule.max_segment_gap_s > 0 for rule in self.rules):
            earlier = self.last.get(ping.vehicle)
            if earlier is not None and ping.time_ms == earlier.time_ms:
                return None
            if earlier is None or ping.time_ms > earlier.time_ms:
                self.last[ping.vehicle] = ping
            elif ping.time_ms < earlier.time_ms:
                earlier = None
        past = self.past[ping.vehicle]
        longest_ms = max(max(rule.cool_down_s, rule.gap_s) for rule in self.rules) * 1000
        if past and ping.time_ms <= max(reminder.time_ms for reminder in past) - longest_ms:
            return None
        passages = []
        for station in self.stations:
            rule = self.rules[station.rule]
            moment, distance = passage(station, rule, earlier, ping)
            second = moment // 1000
            need_s = max(1, math.ceil(rule.still_open_s))
            if distance is None or not all(is_open(station, second + later) for later in range(need_s)):
                continue
            held_back = is_held_back(station, rule, moment, past)
            if held_back or lacks_a_service(station, ping) or is_quiet(rule, moment):
                continue
            passages.append((distance, station.id, moment))
        if not passages:
            return None
        square, station_id, moment = min(passages)
        past.append(Reminder(ping.vehicle, station_id, moment, math.sqrt(square)))
        return past[-1]


def passage(station: Station, rule: PassageParameters, earlier: Ping | None, ping: Ping) -> tuple[int, float | None]:
    """Moment and squared distance in metres of the closest approach; no distance where the circle was not met."""
    if ping.accuracy_m > station.radius_m:
        return 0, None
    x1, y1 = plane(station, ping)
    moment, square = ping.time_ms, x1 * x1 + y1 * y1
    if earlier is not None and not earlier.accuracy_m > station.radius_m:
        lasted = ping.time_ms - earlier.time_ms
        x0, y0 = plane(station, earlier)
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        limit = rule.max_speed_mps * lasted / 1000.0
        if lasted <= rule.max_segment_gap_s * 1000 and 0 < length <= limit * limit:
            calm = rule.silent_above_mps * lasted / 1000.0
            if length > calm * calm:
                return 0, None
            share = max(-(x0 * dx + y0 * dy) / length, 0.0)
            if share < 1:
                x, y = x0 + share * dx, y0 + share * dy
                moment, square = earlier.time_ms + math.floor(share * lasted + 0.5), x * x + y * y
    return moment, square if square <= station.radius_m * station.radius_m else None


def is_open(station: Station, second: int) -> bool:
    return any(start <= second < end for start, end in station.hours)


def is_held_back(station: Station, rule: PassageParameters, moment: int, past: Sequence[Reminder]) -> bool:
    apart = [(abs(moment - reminder.time_ms) / 1000, reminder.station) for reminder in past]
    return any(s < rule.gap_s or (s < rule.cool_down_s and of == station.id) for s, of in apart)


def lacks_a_service(station: Station, ping: Ping) -> bool:
    return any(ping.asked >> bit & 1 and not station.offered >> bit & 1 for bit in range(64))


def is_quiet(rule: PassageParameters, moment: int) -> bool:
    """Go through the quiet hours from their beginning: before midnight, and what is left of them after it."""
    into, begin, end = moment % 86_400_000, rule.quiet_from_s * 1000, rule.quiet_until_s * 1000
    pieces = [(begin, end)] if begin <= end else [(begin, 86_400_000), (0, end)]
    return any(start <= into < stop for start, stop in pieces)


def plane(station: Station, ping: Ping) -> tuple[float, float]:
    """Metres east and north of a station, longitude scaled by the cosine of the middle latitude."""
    cosine, sine = float(np.cos(np.radians(station.lat))), float(np.sin(np.radians(station.lat)))
    north = (ping.lat - station.lat) * RADIANS
    middle = north * 0.5
    scale = cosine - sine * middle - cosine * middle * middle * 0.5
    return (ping.lon - station.lon) * RADIANS * scale * EARTH_RADIUS_M, north * EARTH_RADIUS_M


def columns(stations: Sequence[Station], rules: Sequence[PassageParameters] = (PassageParameters(),)) -> Stations:
    return Stations(
        ids=np.array([each.id for each in stations], np.int64),
        lon=np.array([each.lon for each in stations], np.float64),
        lat=np.array([each.lat for each in stations], np.float64),
        radius_m=np.array([each.radius_m for each in stations], np.float64),
        hours=OpenIntervals.of([each.hours for each in stations]),
        parameters=rules,
        parameters_of=np.array([each.rule for each in stations], np.int64),
        offered=np.array([each.offered for each in stations], np.int64),
    )


def feed(kernel: PassageKernel, pings: Sequence[Ping], **options: int) -> list[Reminder]:
    columns = list(zip(*pings, strict=True)) or [(), (), (), (), (), ()]
    asked = np.array(columns[5], np.int64) if any(columns[5]) else None
    vehicle, time_ms = np.array(columns[0], np.int64), np.array(columns[1], np.int64)
    out = kernel.feed(vehicle, time_ms, *columns[2:5], asked=asked, **options)
    return listed(out)


def listed(out: Reminders) -> list[Reminder]:
    values = (out.vehicle.tolist(), out.station.tolist(), out.time_ms.tolist(), out.distance_m.tolist())
    return [Reminder(*row) for row in zip(*values, strict=True)]


# --- random input ---------------------------------------------------------------------------------------------------

NOW_MS = 1_750_000_000_000

# Positions on a lattice, so that exact ties, touching circles and paths along cell edges are common.
lattice_lon = st.integers(-12, 12).map(lambda k: 113.66 + k * 0.0005) | st.floats(113.65, 113.67)
lattice_lat = st.integers(-12, 12).map(lambda k: 34.75 + k * 0.00045) | st.floats(34.74, 34.76)
odd_number = st.sampled_from([NAN, math.inf, -math.inf, 0.0, -0.0, 180.0, -180.0, 181.0, 90.0, -90.5, 1e300, 126.98])
step_ms = st.sampled_from([0, 1, 999, 1000, 10_000, 59_999, 60_000, 60_001, 300_000, 600_000, 3_600_000, -1, -10_000])
odd_time = st.sampled_from(
    [-(2**63), 2**63 - 1, 2**52, -(2**52), 2**52 - 1, 0, NOW_MS + 20_000_000, NOW_MS - 20_000_000]
)
accuracies = st.sampled_from([NAN, NAN, NAN, 0.0, 5.0, 100.0, 199.99, 200.0, 200.01, 300.0, math.inf, -1.0])
hours = st.lists(
    st.tuples(st.integers(-4000, 4000), st.integers(1, 3000)).map(
        lambda pair: (NOW_MS // 1000 + pair[0], NOW_MS // 1000 + pair[0] + pair[1])
    ),
    max_size=4,
) | st.just([(-FOREVER_S, FOREVER_S)])
parameters = st.builds(
    PassageParameters,
    cool_down_s=st.sampled_from([0.0, 60.0, 600.0, 14_400.0]),
    gap_s=st.sampled_from([0.0, 1.0, 60.0, 600.0]),
    max_segment_gap_s=st.sampled_from([0.0, 60.0, 120.0]),
    max_speed_mps=st.sampled_from([5.0, 50.0]),
    still_open_s=st.sampled_from([0.0, 0.0, 0.5, 1.0, 900.0]),
    silent_above_mps=st.sampled_from([math.inf, math.inf, 0.0, 3.0, 20.0]),
    # NOW_MS is 15:06:40 UTC.
    quiet_from_s=st.sampled_from([0.0, 0.0, 54_000.0, 54_400.0, 54_460.5, 80_000.0]),
    quiet_until_s=st.sampled_from([0.0, 0.0, 54_400.0, 54_401.0, 55_000.0, 1_000.0]),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Station], list[PassageParameters]]:
    rules = draw(st.lists(parameters, min_size=1, max_size=3))
    station = st.builds(
        Station,
        id=st.just(0),
        lon=lattice_lon,
        lat=lattice_lat,
        radius_m=st.sampled_from([1.0, 50.0, 200.0, 300.0, 2_000.0]),
        hours=hours,
        rule=st.integers(0, len(rules) - 1),
        offered=st.sampled_from([0, 1, 2, 3, -1]),
    )
    stations = draw(st.lists(station, max_size=8))
    ids = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=len(stations), max_size=len(stations), unique=True))
    return [each._replace(id=number) for each, number in zip(stations, ids, strict=True)], rules


@st.composite
def streams(draw: st.DrawFn) -> list[Ping]:
    vehicles = st.sampled_from([0, 1, 1, -1, 2**63 - 1])
    pings, clock = [], NOW_MS
    for _ in range(draw(st.integers(0, 25))):
        clock += draw(step_ms)
        moment = draw(odd_time) if draw(st.integers(0, 15)) == 0 else clock
        lon = draw(odd_number) if draw(st.integers(0, 15)) == 0 else draw(lattice_lon)
        lat = draw(odd_number) if draw(st.integers(0, 15)) == 0 else draw(lattice_lat)
        asked = draw(st.sampled_from([0, 0, 0, 1, 2, 3, -1]))
        pings.append(Ping(draw(vehicles), moment, lon, lat, draw(accuracies), asked))
    return pings


@settings(max_examples=300, deadline=None)
@given(worlds(), streams())
def test_the_kernel_and_its_slow_twin_give_the_same_reminders_bit_for_bit(
    world: tuple[list[Station], list[PassageParameters]], pings: list[Ping]
) -> None:
    stations, rules = world
    assert feed(PassageKernel(columns(stations, rules)), pings) == SlowKernel(stations, rules).feed(pings)


@settings(max_examples=100, deadline=None)
@given(worlds(), streams(), st.lists(st.integers(0, 25), max_size=5))
def test_reminders_are_the_same_however_the_stream_is_cut(
    world: tuple[list[Station], list[PassageParameters]], pings: list[Ping], cuts: list[int]
) -> None:
    whole = feed(PassageKernel(columns(*world)), pings)
    kernel = PassageKernel(columns(*world))
    edges = [0, *sorted(min(cut, len(pings)) for cut in cuts), len(pings)]
    pieces = [feed(kernel, pings[a:b]) for a, b in pairwise(edges)]
    assert [reminder for piece in pieces for reminder in piece] == whole


@settings(max_examples=100, deadline=None)
@given(worlds(), streams(), st.integers(0, 25))
def test_a_restart_that_reads_the_log_reminds_of_nothing_twice(
    world: tuple[list[Station], list[PassageParameters]], pings: list[Ping], at: int
) -> None:
    """Without paths the log is all there is to know, so the run goes on as if never interrupted."""
    stations, rules = world
    rules = [replace(rule, max_segment_gap_s=0) for rule in rules]
    whole = feed(PassageKernel(columns(stations, rules)), pings)
    before = PassageKernel(columns(stations, rules))
    log = feed(before, pings[:at])
    for told in (before.remembered(), Reminders.of(*zip(*log, strict=True)) if log else before.remembered()):
        after = PassageKernel(columns(stations, rules))
        after.remember(told)
        after.remember(told)
        assert log + feed(after, pings[at:]) == whole


@pytest.mark.parametrize("seed", range(6))
def test_long_drives_through_a_city_agree_with_the_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = [PassageParameters(), PassageParameters(cool_down_s=900, gap_s=30, max_segment_gap_s=60, max_speed_mps=20)]
    stations = [
        Station(
            int(k) + 1,
            float(rng.uniform(113.60, 113.75)),
            float(rng.uniform(34.70, 34.82)),
            float(rng.choice([30.0, 150.0, 300.0, 900.0])),
            [(NOW_MS // 1000 + int(rng.integers(-3600, 3600)), NOW_MS // 1000 + 14_400)],
            int(rng.integers(2)),
        )
        for k in range(60)
    ]
    pings = []
    for vehicle in range(5):
        lon, lat, clock = rng.uniform(113.62, 113.73), rng.uniform(34.72, 34.80), NOW_MS
        for _ in range(300):
            clock += int(rng.choice([1_000, 10_000, 30_000, 90_000, 130_000]))
            lon += rng.normal(0, 0.004)
            lat += rng.normal(0, 0.003)
            pings.append(Ping(vehicle, clock, float(lon), float(lat), float(rng.choice([NAN, 10.0, 250.0]))))
    pings.sort(key=lambda ping: (ping.time_ms, ping.vehicle))
    slow = SlowKernel(stations, rules).feed(pings)
    assert len(slow) > 10
    assert feed(PassageKernel(columns(stations, rules)), pings) == slow


@pytest.mark.parametrize("seed", range(3))
def test_fast_drives_through_wide_circles_agree_with_the_slow_twin(seed: int) -> None:
    """Paths of kilometres, over many more touched cells than the kernel lists for a ping."""
    rng = np.random.default_rng(seed)
    rules = [PassageParameters(gap_s=60, cool_down_s=600), PassageParameters(gap_s=0, silent_above_mps=30)]
    stations = [
        Station(k + 1, *rng.uniform((113.5, 34.6), (113.9, 34.9)), float(rng.choice([300.0, 5_000.0])), rule=k % 2)
        for k in range(40)
    ]
    pings = []
    for vehicle in range(4):
        lon, lat, clock = 113.6, 34.65, NOW_MS
        for _ in range(120):
            clock += int(rng.choice([20_000, 60_000, 119_000]))
            lon = float(np.clip(lon + rng.normal(0, 0.02), 113.45, 113.95))
            lat = float(np.clip(lat + rng.normal(0, 0.015), 34.55, 34.95))
            pings.append(Ping(vehicle, clock, lon, lat))
    slow = SlowKernel(stations, rules).feed(pings)
    assert len(slow) > 20
    assert feed(PassageKernel(columns(stations, rules)), pings) == slow


def test_more_stations_at_one_spot_than_the_kernel_has_room_to_list_are_all_judged() -> None:
    stations = [HERE._replace(id=k, lat=HERE.lat + (k % 7) * METRE_NORTH, rule=k % 2) for k in range(60)]
    rules = [PassageParameters(), PassageParameters(gap_s=0, cool_down_s=30)]
    pings = [at(k // 300, k % 50, vehicle=k % 300) for k in range(1_200)]
    slow = SlowKernel(stations, rules).feed(pings)
    assert len(slow) > 300
    assert feed(PassageKernel(columns(stations, rules)), pings) == slow


@settings(max_examples=60, deadline=None)
@given(worlds(), streams(), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_reminders_are_the_same_whatever_the_number_of_threads(
    world: tuple[list[Station], list[PassageParameters]], pings: list[Ping], threads: list[int]
) -> None:
    whole = feed(PassageKernel(columns(*world)), pings)
    kernel = PassageKernel(columns(*world))
    edges = np.linspace(0, len(pings), len(threads) + 1).astype(int).tolist()
    pieces = [feed(kernel, pings[a:b], threads=n) for (a, b), n in zip(pairwise(edges), threads, strict=True)]
    assert [reminder for piece in pieces for reminder in piece] == whole


def test_stations_all_over_the_world_are_found_at_any_scale_of_the_grid() -> None:
    rng = np.random.default_rng(9)
    stations = [
        Station(k, float(rng.uniform(-179.9, 179.9)), float(rng.uniform(-74, 74)), float(rng.uniform(1, 5000)))
        for k in range(300)
    ]
    pings = [
        Ping(k, NOW_MS, s.lon + rng.uniform(-0.05, 0.05), s.lat + rng.uniform(-0.05, 0.05))
        for k, s in enumerate(stations * 3)
    ]
    slow = SlowKernel(stations).feed(pings)
    assert len(slow) > 100
    assert feed(PassageKernel(columns(stations)), pings) == slow


@settings(max_examples=60, deadline=None)
@given(worlds(), streams())
def test_the_explanation_says_reminded_exactly_where_a_reminder_went_out(
    world: tuple[list[Station], list[PassageParameters]], pings: list[Ping]
) -> None:
    stations, rules = world
    asked = pings[0].asked if pings else 0
    pings = [ping._replace(vehicle=1, asked=asked) for ping in pings]
    log = [(r.station, r.time_ms) for r in SlowKernel(stations, rules).feed(pings)]
    seen = list(zip(*pings, strict=True))[1:5]
    verdicts = explain(columns(stations, rules), *seen, asked=asked) if pings else []
    assert [(v.station, v.time_ms) for v in verdicts if v.reason is Reason.REMINDED] == log


# --- the rules, one by one ------------------------------------------------------------------------------------------

USUAL = PassageParameters()
HERE = Station(7, 113.66, 34.75, 200.0)
METRE_EAST = 1 / (EARTH_RADIUS_M * RADIANS * math.cos(34.75 * RADIANS))
METRE_NORTH = 1 / (EARTH_RADIUS_M * RADIANS)


def at(seconds: float, east_m: float = 0.0, north_m: float = 0.0, vehicle: int = 1, accuracy_m: float = NAN) -> Ping:
    """A ping so many metres from `HERE`, so many seconds from now."""
    return Ping(
        vehicle, NOW_MS + round(seconds * 1000), 113.66 + east_m * METRE_EAST, 34.75 + north_m * METRE_NORTH, accuracy_m
    )


def stations_passed(
    pings: Sequence[Ping], *stations: Station, rules: PassageParameters = USUAL, **options: int
) -> list[int]:
    kernel = PassageKernel(columns(stations or [HERE], [rules]))
    slow = SlowKernel(stations or [HERE], [rules])
    fast = feed(kernel, pings, **options)
    assert fast == slow.feed(pings, **options)
    return [reminder.station for reminder in fast]


def test_a_path_that_crosses_the_circle_between_two_pings_is_a_passage() -> None:
    kernel = PassageKernel(columns([HERE]))
    [reminder] = feed(kernel, [at(0, -1_000, 120), at(100, 1_000, 120)])
    assert reminder.distance_m == pytest.approx(120, abs=0.01)
    assert reminder.time_ms == NOW_MS + 50_000


def test_two_pings_too_far_apart_in_time_are_not_joined() -> None:
    assert stations_passed([at(0, -1_000), at(120, 1_000)]) == [7]
    assert stations_passed([at(0, -1_000), at(120.001, 1_000)]) == []


def test_a_path_faster_than_plausible_was_not_driven() -> None:
    assert stations_passed([at(0, -1_000), at(41, 1_000)]) == [7]
    assert stations_passed([at(0, -1_000), at(39, 1_000)]) == []


def test_a_first_ping_already_inside_is_a_passage() -> None:
    assert stations_passed([at(0, 150)]) == [7]


def test_the_edge_of_the_circle_belongs_to_it() -> None:
    assert stations_passed([at(0, 0, 199.99)]) == [7]
    assert stations_passed([at(0, 0, 200.01)]) == []


def test_jitter_at_the_edge_reminds_once() -> None:
    assert stations_passed([at(10 * k, 0, 200 + (-1) ** k * 15) for k in range(60)]) == [7]


def test_a_station_is_named_again_only_after_its_cool_down() -> None:
    assert stations_passed([at(0), at(4 * 3600 - 1), at(4 * 3600)]) == [7, 7]
    assert stations_passed([at(0), at(4 * 3600 - 0.001)]) == [7]


def test_another_station_is_named_only_after_the_gap() -> None:
    other = Station(8, 113.66 + 1_000 * METRE_EAST, 34.75)
    assert stations_passed([at(0), at(599, 1_000)], HERE, other) == [7]
    assert stations_passed([at(0), at(600, 1_000)], HERE, other) == [7, 8]


def test_when_the_nearest_cools_down_the_next_counts() -> None:
    other = Station(8, 113.66 + 100 * METRE_EAST, 34.75)
    assert stations_passed([at(0), at(700), at(1_400)], HERE, other) == [7, 8]


def test_of_two_at_the_same_distance_the_lower_id_counts() -> None:
    assert stations_passed([at(0, 10)], HERE._replace(id=9), HERE._replace(id=8)) == [8]


def test_a_closed_station_is_passed_over_for_the_next_open_one() -> None:
    second = NOW_MS // 1000
    closed = HERE._replace(hours=[(second - 100, second), (second + 1, second + 100)])
    assert stations_passed([at(0)], closed) == []
    assert stations_passed([at(-0.001, vehicle=1), at(1, vehicle=2), at(0.999, vehicle=3)], closed) == [7, 7]
    assert stations_passed([at(0)], closed, Station(8, 113.661, 34.75)) == [8]


def test_hours_are_judged_at_the_moment_of_passage() -> None:
    second = NOW_MS // 1000
    path = [at(0, -1_000), at(100, 1_000)]
    assert stations_passed(path, HERE._replace(hours=[(second + 50, second + 51)])) == [7]
    assert stations_passed(path, HERE._replace(hours=[(second + 51, second + 101)])) == []


def test_a_station_must_stay_open_for_as_long_as_the_union_asks() -> None:
    second = NOW_MS // 1000
    ten_minutes = PassageParameters(still_open_s=600)
    assert stations_passed([at(0)], HERE._replace(hours=[(second, second + 600)]), rules=ten_minutes) == [7]
    assert stations_passed([at(0)], HERE._replace(hours=[(second, second + 599)]), rules=ten_minutes) == []
    closing = HERE._replace(hours=[(second, second + 60), (second + 61, second + 9_999)])
    assert stations_passed([at(0)], closing, Station(8, 113.661, 34.75), rules=ten_minutes) == [8]
    assert stations_passed([at(0)], closing) == [7]


def test_a_driver_faster_than_the_union_allows_is_not_interrupted() -> None:
    calm = PassageParameters(silent_above_mps=20)
    assert stations_passed([at(0, -1_000), at(99, 1_000)], rules=calm) == []
    assert stations_passed([at(0, -1_000), at(101, 1_000)], rules=calm) == [7]
    assert stations_passed([at(0, -1_000), at(40, 100), at(60, 110)], rules=calm) == [7]


def test_in_quiet_hours_nobody_is_reminded_also_past_midnight() -> None:
    night = PassageParameters(quiet_from_s=54_400, quiet_until_s=3_600, cool_down_s=0, gap_s=0, max_segment_gap_s=0)
    assert NOW_MS // 1000 % 86_400 == 54_400
    assert stations_passed([at(-1), at(0), at(5 * 3600), at(86_400 - 54_400 + 3_600 - 1)], rules=night) == [7]
    assert stations_passed([at(86_400 - 54_400 + 3_600)], rules=night) == [7]
    day = replace(night, quiet_until_s=54_460)
    assert stations_passed([at(0), at(59.999), at(60)], rules=day) == [7]


def test_a_driver_who_asked_for_a_service_hears_of_the_nearest_station_that_offers_it() -> None:
    charging, water = 1, 2
    other = Station(8, 113.661, 34.75, offered=charging | water)
    assert stations_passed([at(0)._replace(asked=charging)], HERE._replace(offered=water), other) == [8]
    assert stations_passed([at(0)._replace(asked=charging | water)], HERE._replace(offered=water), other) == [8]
    assert stations_passed([at(0)._replace(asked=water)], HERE._replace(offered=water), other) == [7]
    assert stations_passed([at(0)._replace(asked=4)], HERE._replace(offered=water), other) == []


def test_without_a_path_no_speed_is_known_and_nothing_is_silenced() -> None:
    calm = PassageParameters(silent_above_mps=0)
    assert stations_passed([at(0, 50)], rules=calm) == [7]
    assert stations_passed([at(0, -9_000), at(121, 0)], rules=calm) == [7]
    assert stations_passed([at(0, 50)], rules=replace(calm, max_segment_gap_s=0)) == [7]


def test_silence_at_one_unions_station_leaves_the_others_to_speak() -> None:
    rules = [PassageParameters(silent_above_mps=10), PassageParameters()]
    stations = [HERE, Station(8, 113.66, 34.75 + 150 * METRE_NORTH, rule=1)]
    pings = [at(0, -1_000), at(100, 1_000)]
    assert feed(PassageKernel(columns(stations, rules)), pings) == SlowKernel(stations, rules).feed(pings)
    assert [r.station for r in feed(PassageKernel(columns(stations, rules)), pings)] == [8]


def test_a_path_that_comes_from_beyond_the_map_of_stations_counts() -> None:
    small = HERE._replace(radius_m=30.0)
    assert stations_passed([at(0, -5_900), at(120, -50)], small) == []
    assert stations_passed([at(0, -5_900), at(120, 90)], small) == [7]


def test_a_ping_less_accurate_than_the_radius_is_no_evidence() -> None:
    assert stations_passed([at(0, accuracy_m=200)]) == [7]
    assert stations_passed([at(0, accuracy_m=200.5)]) == []
    assert stations_passed([at(0, -1_000, accuracy_m=500), at(100, 1_000)]) == []
    assert stations_passed([at(0, -1_000), at(100, 1_000, accuracy_m=500)]) == []
    assert stations_passed([at(0, -1_000, accuracy_m=500), at(60, 0)]) == [7]


def test_a_wide_circle_takes_the_evidence_that_a_narrow_one_refuses() -> None:
    wide = Station(8, 113.66, 34.75, 500.0)
    assert stations_passed([at(0, accuracy_m=300)], HERE, wide) == [8]


def test_late_pings_are_judged_in_their_own_time_and_make_no_storm() -> None:
    late = [at(-3_000 + 10 * k, 50) for k in range(100)]
    assert stations_passed([at(0, 5_000), *late]) == [7]
    assert stations_passed([at(0), *late]) == [7]


def test_a_late_ping_is_not_joined_and_does_not_move_the_vehicle() -> None:
    assert stations_passed([at(0, -1_000), at(-50, 3_000), at(100, 1_000)]) == [7]
    assert stations_passed([at(0, 5_000), at(-100, -1_000), at(-50, 1_000)]) == []


def test_a_ping_older_than_the_newest_reminder_by_a_cool_down_is_ignored() -> None:
    assert stations_passed([at(0), at(-4 * 3600 + 1)]) == [7]
    assert stations_passed([at(0), at(-4 * 3600)]) == [7]
    assert stations_passed([at(0), at(-5 * 3600)]) == [7]


def test_a_repeated_ping_changes_nothing_even_without_any_gap() -> None:
    eager = PassageParameters(cool_down_s=0, gap_s=0)
    assert stations_passed([at(0), at(0), at(0, 10)], rules=eager) == [7]


def test_pings_from_the_future_are_no_evidence() -> None:
    assert stations_passed([at(61), at(60)], latest_ms=NOW_MS + 60_000) == [7]
    assert stations_passed([at(61)], latest_ms=NOW_MS + 60_000) == []


def test_vehicle_zero_is_a_vehicle_like_any_other() -> None:
    assert stations_passed([at(0, vehicle=0), at(1, vehicle=0), at(0, vehicle=1)]) == [7, 7]


@pytest.mark.parametrize(
    "nonsense",
    [
        Ping(1, NOW_MS, NAN, 34.75),
        Ping(1, NOW_MS, 113.66, NAN),
        Ping(1, NOW_MS, math.inf, 34.75),
        Ping(1, NOW_MS, 113.66, -math.inf),
        Ping(1, NOW_MS, 1e308, -1e308),
        Ping(1, NOW_MS, 0.0, 0.0),
        Ping(1, NOW_MS, -0.0, 0.0),
        Ping(1, NOW_MS, 180.1, 34.75),
        Ping(1, NOW_MS, 113.66, 91.0),
        Ping(1, -(2**63), 113.66, 34.75),
        Ping(1, 2**63 - 1, 113.66, 34.75),
        Ping(1, NOW_MS, 113.66, 34.75, -1.0),
    ],
)
def test_nonsense_is_ignored_and_leaves_no_trace(nonsense: Ping) -> None:
    at_null = Station(8, 0.0, 0.0)
    assert stations_passed([nonsense], HERE, at_null) == []
    kernel = PassageKernel(columns([HERE, at_null]))
    feed(kernel, [nonsense])
    assert kernel.vehicles == 0


def test_a_kernel_without_stations_is_silent() -> None:
    kernel = PassageKernel(columns([]))
    assert feed(kernel, [at(0), at(10, 5)]) == []
    assert feed(kernel, []) == []


def test_each_station_brings_the_rules_of_its_own_union() -> None:
    rules = [PassageParameters(gap_s=600), PassageParameters(gap_s=60)]
    a, b, c = (Station(k, 113.66 + 1_000 * k * METRE_EAST, 34.75, rule=rule) for k, rule in ((1, 0), (2, 1), (3, 0)))
    pings = [at(0, 1_000), at(100, 2_000), at(590, 3_000), at(700, 3_000)]
    kernel = PassageKernel(columns([a, b, c], rules))
    fast = feed(kernel, pings)
    assert fast == SlowKernel([a, b, c], rules).feed(pings)
    assert [reminder.station for reminder in fast] == [1, 2, 3]
    assert fast[-1].time_ms == NOW_MS + 700_000


def test_replacing_stations_keeps_what_vehicles_were_reminded_of() -> None:
    kernel = PassageKernel(columns([HERE]))
    assert len(feed(kernel, [at(0)])) == 1
    moved = HERE._replace(lon=113.66 + 3_000 * METRE_EAST)
    new = Station(1, 113.66 + 3_000 * METRE_EAST, 34.75, 300.0)
    kernel.replace_stations(columns([new, moved]))
    assert [r.station for r in feed(kernel, [at(3_600, 3_000), at(4_300, 3_000)])] == [1]


def test_many_vehicles_grow_the_memory_and_can_be_forgotten() -> None:
    kernel = PassageKernel(columns([HERE]))
    pings = [at(k * 0.001, vehicle=k * 1024) for k in range(5_000)]
    assert len(feed(kernel, pings)) == 5_000
    assert kernel.vehicles == 5_000
    assert len(kernel.remembered()) == 5_000
    kernel.forget_before(NOW_MS + 4_000)
    assert kernel.vehicles == 1_000
    assert feed(kernel, [at(60, vehicle=4_999 * 1024), at(60, vehicle=0)])[0].vehicle == 0


def test_memory_of_one_vehicle_does_not_grow_with_the_years() -> None:
    kernel = PassageKernel(columns([HERE]))
    pings = [at(4 * 3600 * k) for k in range(5_000)]
    assert len(feed(kernel, pings)) == 5_000
    assert len(kernel.remembered()) < 10


def test_without_paths_vehicles_that_pass_nothing_take_no_memory() -> None:
    kernel = PassageKernel(columns([HERE], [PassageParameters(max_segment_gap_s=0)]))
    feed(kernel, [at(0, 5_000, vehicle=k) for k in range(100)])
    assert kernel.vehicles == 0


def test_distances_agree_with_the_great_circle_to_a_millimetre() -> None:
    rng = np.random.default_rng(4)
    pings = [at(0, *rng.uniform(-140, 140, 2), vehicle=k) for k in range(500)]
    found = feed(PassageKernel(columns([HERE])), pings)
    exact = haversine_m([p.lon for p in pings], [p.lat for p in pings], HERE.lon, HERE.lat)
    assert np.allclose([r.distance_m for r in found], exact, rtol=0, atol=1e-3)


def test_every_near_miss_has_its_reason() -> None:
    second = NOW_MS // 1000
    shut = Station(9, 113.66 + 5_000 * METRE_EAST, 34.75, hours=[(second - 10, second)])
    beside = Station(8, 113.66 + 50 * METRE_EAST, 34.75)
    pings = [
        at(0),
        at(10, 0, 350),
        at(20, 20),
        at(20, 20),
        at(700, 0, 0, accuracy_m=250),
        at(900),
        at(1_600),
        at(3_000, 5_000),
        at(-5 * 3600),
        at(0, math.nan),
    ]
    verdicts = explain(columns([HERE, beside, shut]), *list(zip(*pings, strict=True))[1:5])
    assert [(v.ping, v.station, v.reason) for v in verdicts] == [
        (0, 7, Reason.REMINDED),
        (0, 8, Reason.NEARER),
        (1, 7, Reason.COOL_DOWN),
        (1, 8, Reason.GAP),
        (2, 7, Reason.COOL_DOWN),
        (2, 8, Reason.GAP),
        (3, 7, Reason.REPEATED),
        (3, 8, Reason.REPEATED),
        (4, 7, Reason.INACCURATE),
        (4, 8, Reason.INACCURATE),
        (5, 7, Reason.COOL_DOWN),
        (5, 8, Reason.REMINDED),
        (6, 7, Reason.COOL_DOWN),
        (6, 8, Reason.COOL_DOWN),
        (7, 9, Reason.CLOSED),
        (8, 7, Reason.LATE),
        (8, 8, Reason.LATE),
    ]


def test_silence_for_speed_and_for_closing_soon_are_explained() -> None:
    second = NOW_MS // 1000
    rule = PassageParameters(still_open_s=600, silent_above_mps=15)
    shutting = Station(8, 113.66, 34.75 + 100 * METRE_NORTH, hours=[(second, second + 300)])
    pings = [at(0, -1_000), at(50, 0), at(80, 20)]
    verdicts = explain(columns([HERE, shutting], [rule]), *list(zip(*pings, strict=True))[1:5])
    assert [(v.ping, v.station, v.reason) for v in verdicts] == [
        (1, 7, Reason.TOO_FAST),
        (1, 8, Reason.TOO_FAST),
        (2, 7, Reason.REMINDED),
        (2, 8, Reason.CLOSING_SOON),
    ]


def test_quiet_hours_and_services_that_are_lacking_are_explained() -> None:
    night = PassageParameters(quiet_from_s=54_000, quiet_until_s=54_401)
    ping = ([NOW_MS], [HERE.lon], [HERE.lat])
    assert explain(columns([HERE], [night]), *ping)[0].reason is Reason.QUIET
    assert explain(columns([HERE._replace(offered=2)]), *ping, asked=3)[0].reason is Reason.NOT_OFFERED
    assert explain(columns([HERE._replace(offered=3)]), *ping, asked=3)[0].reason is Reason.REMINDED


def test_a_miss_by_a_few_metres_is_explained_too() -> None:
    [verdict] = explain(columns([HERE]), [NOW_MS], [HERE.lon], [HERE.lat + 260 * METRE_NORTH])
    assert verdict.reason is Reason.OUTSIDE
    assert verdict.distance_m == pytest.approx(260, abs=0.01)
    assert explain(columns([HERE]), [NOW_MS], [HERE.lon], [HERE.lat + 260 * METRE_NORTH], near_m=50) == []


def test_the_explanation_knows_what_was_remembered() -> None:
    before = Reminders.of([5], [7], [NOW_MS - 1_000_000])
    [verdict] = explain(columns([HERE]), [NOW_MS], [HERE.lon], [HERE.lat], remembered=before)
    assert verdict.reason is Reason.COOL_DOWN


def test_vehicle_hashes_above_the_sign_bit_come_back_bit_for_bit() -> None:
    kernel = PassageKernel(columns([HERE]))
    big = np.array([2**64 - 2], np.uint64)
    out = kernel.feed(big, [NOW_MS], [113.66], [34.75])
    assert out.vehicle.view(np.uint64)[0] == 2**64 - 2


def test_columns_that_do_not_fit_are_refused_by_name() -> None:
    kernel = PassageKernel(columns([HERE]))
    with pytest.raises(ValueError, match="lat has 2 rows for 1 pings"):
        kernel.feed([1], [NOW_MS], [113.66], [34.75, 34.75])
    with pytest.raises(TypeError, match="time_ms must be integer milliseconds, not float64"):
        kernel.feed([1], [1.5], [113.66], [34.75])
    with pytest.raises(ValueError, match="threads is 0"):
        kernel.feed([1], [NOW_MS], [113.66], [34.75], threads=0)
    with pytest.raises(TypeError, match="vehicle ids must be integers"):
        kernel.feed(["a"], [1], [113.66], [34.75])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lon": 181.0}, "lon of station 7 is 181"),
        ({"lat": NAN}, "lat of station 7 is nan"),
        ({"radius_m": 0.0}, "radius_m of station 7 is 0"),
        ({"radius_m": 5_001.0}, "radius_m of station 7 is 5001"),
        ({"rule": 1}, "parameters_of of station 7 is 1"),
    ],
)
def test_a_station_out_of_range_is_refused_by_field_value_and_rule(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        columns([HERE._replace(**change)])  # type: ignore[arg-type]


def test_a_station_id_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        columns([HERE, HERE])


@pytest.mark.parametrize(
    "change",
    [
        {"cool_down_s": -1.0},
        {"gap_s": NAN},
        {"max_speed_mps": math.inf},
        {"still_open_s": -1.0},
        {"quiet_from_s": 86_400.0},
        {"quiet_until_s": NAN},
        {"silent_above_mps": NAN},
    ],
)
def test_rules_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))} is"):
        PassageParameters(**change)


def test_rules_that_believe_endless_paths_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be longer than 50000 m"):
        PassageParameters(max_segment_gap_s=3_600, max_speed_mps=50)
