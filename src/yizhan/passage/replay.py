"""Replays a day of real trips as simulated vehicles, and tells what they were reminded of."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np

from yizhan.geo import Datum
from yizhan.geo.open_intervals import OpenIntervals
from yizhan.geo.passage import PassageKernel, Stations
from yizhan.places.snapshot import Snapshot, load_snapshot

from .pings import Pings
from .queries.rules import RulesTree
from .roads import RoadGraph, read_roads
from .runtime.world import World, build_world
from .simulation import (
    Gps,
    LaidTrips,
    Placement,
    Server,
    lay_on_roads,
    lay_over,
    pings_of,
    read_trips,
    roads_geojson,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOST_POSTED = 10_000  # rows in one batch
DAY_MS = 24 * 3600 * 1000

Progress = Callable[[int], None]


class NothingToPass(Exception):
    """There is no published place that reminds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay, ready to run.

    Attributes:
        names: what each vehicle number is called.
        day: the day in Shanghai on which the trips are driven.
    """

    roads: RoadGraph
    laid: LaidTrips
    placement: Placement
    world: World
    pings: Pings
    names: list[str]
    day: date


@dataclass(slots=True)
class Outcome:
    """What came of a replay.

    Attributes:
        passed: how many vehicles passed each station, open or not; by name. None where a server was asked.
        reminded: how many reminders each station made; by name.
        seconds: of judging, or of posting; without waiting.
    """

    pings: int = 0
    vehicles: int = 0
    rejected: int = 0
    reminded: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] | None = None
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def reminders(self) -> int:
        """All reminders."""
        return self.reminded.total()

    @property
    def pings_per_second(self) -> float:
        """Pings judged a second."""
        return self.pings / self.seconds if self.seconds else 0.0


def plan_replay(
    trips_file: Path,
    roads_file: Path,
    *,
    datum: Datum,
    onto_stations: bool,
    day: date | None,
    last_24_hours: bool = False,
    every_s: float = 5.0,
    seed: int = 1,
    limit: int | None = None,
    unknown_hours_remind: bool = False,
    nodes_file: Path | None = None,
) -> Plan:
    """Read trips and roads, lay them out, and simulate all pings of the day.

    Args:
        onto_stations: lay copies of the roads, shifted, over the published places.
        last_24_hours: drive each trip at the last occurrence of its time of day before now, instead of on `day`.
        unknown_hours_remind: whether places of unknown hours remind, whatever their unions say.

    Raises:
        RoadFileError: a file cannot be read.
        NothingToPass: no published place reminds.
    """
    now = datetime.now(SHANGHAI)
    day = day or now.date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    roads = read_roads(roads_file, nodes_file, datum=datum)
    laid = lay_on_roads(read_trips(trips_file, datum=datum, limit=limit), roads)
    world = _world(load_snapshot(at=midnight + timedelta(hours=12)), unknown_hours_remind=unknown_hours_remind)
    stations = world.stations
    placement = lay_over(roads, stations.lon, stations.lat, copies=onto_stations)
    midnight_ms = round(midnight.timestamp() * 1000)
    pings, names = pings_of(
        laid.journeys, placement.frames, midnight_ms=midnight_ms, gps=Gps(every_s=every_s), seed=seed
    )
    if last_24_hours:
        pings = _before(pings, round(now.timestamp() * 1000))
    return Plan(roads, laid, placement, world, pings, names, day)


def _world(snapshot: Snapshot, *, unknown_hours_remind: bool) -> World:
    rules = RulesTree.load()
    if unknown_hours_remind:
        rules = rules.changed(unknown_hours_remind=True)
    world = build_world(snapshot, rules)
    if not len(world.stations):
        raise NothingToPass
    return world


def _before(pings: Pings, now_ms: int) -> Pings:
    """The same pings, each moved by whole days to the last 24 hours, a minute short of it so as to arrive in time."""
    days = np.ceil((pings.time_ms - now_ms) / DAY_MS).astype(np.int64)
    moved = replace(pings, time_ms=pings.time_ms - np.maximum(days, 0) * DAY_MS)
    return moved[np.flatnonzero(moved.time_ms > now_ms - DAY_MS + 60_000)].by_time()


def replay_here(plan: Plan, *, speed_up: float | None, progress: Progress = lambda done: None) -> Outcome:
    """Judge the pings in this process against the published places; nothing is stored.

    Args:
        speed_up: seconds of the replayed day in one second; None for as fast as it goes.
        progress: told how many pings each step has done.
    """
    outcome = Outcome(vehicles=len(np.unique(plan.pings.vehicle)))
    kernel = PassageKernel(plan.world.stations)
    everything = PassageKernel(_always_open(plan.world.stations))
    outcome.passed = Counter()
    for batch in _paced(plan.pings, speed_up, most=200_000):
        columns = (batch.vehicle, batch.time_ms, batch.longitude, batch.latitude, batch.accuracy_m)
        began = time.perf_counter()
        reminders = kernel.feed(*columns)
        outcome.seconds += time.perf_counter() - began
        outcome.pings += len(batch)
        outcome.reminded.update(plan.world.places[station].name for station in reminders.station.tolist())
        outcome.passed.update(plan.world.places[station].name for station in everything.feed(*columns).station.tolist())
        progress(len(batch))
    return outcome


def replay_to(plan: Plan, server: Server, *, speed_up: float | None, progress: Progress = lambda done: None) -> Outcome:
    """Post the pings to a running server, which judges them against its own places.

    Raises:
        PermissionError: the server refuses the key.
        Refused: the source is not a simulated one, or a batch is refused.
        httpx.TransportError: the server cannot be reached, also after some tries.
    """
    outcome = Outcome(vehicles=len(np.unique(plan.pings.vehicle)))
    # Simulated pings under a real fleet's key would be taken for real ones: only a simulated source may tell roads.
    nothing = b'{"type":"FeatureCollection","features":[]}'
    server.tell_roads(roads_geojson(plan.roads, plan.placement.frames) or nothing)
    for batch in _paced(plan.pings, speed_up, most=MOST_POSTED):
        began = time.perf_counter()
        posted = _persistently(lambda batch=batch: server.post(batch, plan.names))  # type: ignore[misc]
        outcome.seconds += time.perf_counter() - began
        outcome.pings += posted.accepted
        outcome.rejected += posted.rejected
        outcome.reasons.update(posted.reasons)
        outcome.reminded.update(each["name"] for each in posted.reminders)
        progress(len(batch))
    return outcome


def _persistently(post: Callable[[], Any], *, tries: int = 30) -> Any:
    for left in range(tries - 1, -1, -1):
        try:
            return post()
        except httpx.TransportError:
            if not left:
                raise
            time.sleep(1)
    raise AssertionError


def _paced(pings: Pings, speed_up: float | None, *, most: int, tick_s: float = 0.2) -> Iterator[Pings]:
    """The pings in batches of at most `most`, handed out as their time comes."""
    if not len(pings):
        return
    if speed_up is None:
        for start in range(0, len(pings), most):
            yield pings[start : start + most]
        return
    first_ms, started, done = int(pings.time_ms[0]), time.monotonic(), 0
    while done < len(pings):
        reached_ms = first_ms + (time.monotonic() - started) * 1000 * speed_up
        due = int(np.searchsorted(pings.time_ms, reached_ms, side="right"))
        for start in range(done, due, most):
            yield pings[start : min(start + most, due)]
        if due == done:
            time.sleep(tick_s)
        done = max(done, due)


def _always_open(stations: Stations) -> Stations:
    """The same stations, of which every vehicle's first passage of the day counts, whenever it is."""
    return replace(
        stations,
        hours=OpenIntervals.always(len(stations)),
        parameters=tuple(replace(each, cool_down_s=2 * 86_400.0, gap_s=0.0) for each in stations.parameters),
    )
