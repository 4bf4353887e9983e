"""Judges a day's pings with the kernel itself, and tells of each encounter with a place what decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.open_intervals import FOREVER_S
from yizhan.geo.passage import PassageParameters, Reason, Reminders, Stations, Verdict, explain
from yizhan.passage.models import LIMITS, PingSource, Reminder
from yizhan.passage.pseudonyms import pseudonym_key, vehicle_number
from yizhan.passage.queries.rules import RulesTree
from yizhan.passage.runtime.wishes import Wishes, services_with_bits
from yizhan.passage.runtime.world import PlaceSeen, World, build_world
from yizhan.places.models import Place
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.models import Staff

from .tracks import Track, midnight_ms, utc_of

NEAR_MISS_M = 200.0
REACH_DEGREES = 0.03  # more than the widest circle and a near miss together
APART_MS = 180_000  # of a place that was out of reach for longer than this, the next approach is another encounter
SAME_PASSAGE = timedelta(minutes=2)
SILENT = "SILENT"  # the driver wants to hear nothing
MOST_SHOWN_STATIONS = 3_000


@dataclass(frozen=True, slots=True)
class Told:
    """A reminder that held back another: of which place, and when (milliseconds since 1970)."""

    place: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Encounter:
    """A vehicle came near a place, from one moment to another (milliseconds since 1970, UTC).

    Attributes:
        vehicle: its place in `Playback.names`.
        at_ms, distance_m: closest approach, or the moment of the reminder where there was one.
        outcome: name of a `Reason`, or `SILENT`.
        held_back_by: the reminder that a cool-down or gap counts from.
        closes_at_ms: when the place closes, where it was open and does.
        limit: what the union's rule says, in the unit of people: km/h, minutes, metres; None where there is none.
        in_log: whether the log of the chosen source holds this reminder; None where no source was chosen.
    """

    vehicle: int
    place: PlaceSeen
    from_ms: int
    until_ms: int
    at_ms: int
    distance_m: float
    outcome: str
    held_back_by: Told | None = None
    closes_at_ms: int | None = None
    limit: float | None = None
    in_log: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Playback:
    """What came of a day.

    Attributes:
        encounters: with places at or below the acting union, in order of time.
        stations: those places that stand near the ways.
        elsewhere: reminders of other unions' places; they hold back ours, too.
        only_in_log: reminders that the log of the chosen source has of these vehicles and this day, and the playback
            has not: rules, hours or places were others then.
    """

    track: Track
    encounters: list[Encounter]
    stations: list[PlaceSeen]
    radius_m: dict[int, float]
    elsewhere: int
    only_in_log: int
    source: PingSource | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def reminders(self) -> int:
        """How many reminders of the acting union's places."""
        return self.reasons.get(Reason.REMINDED.name, 0)


def play_back(track: Track, *, for_staff: Staff, source: PingSource | None = None) -> Playback:
    """Judge a day by the present places, hours of that day and present rules; read the database, write nothing.

    Args:
        source: whose vehicles these are: then what the log remembers of them and their drivers' wishes count, too.
    """
    world = _world_around(track)
    log = _Log.of(track, source, world.longest_memory_s)
    wishes = _wishes_of(log.numbers)
    found: list[Encounter] = []
    elsewhere = 0
    for vehicle in range(len(track.names)):
        rows = np.flatnonzero(track.pings.vehicle == vehicle)
        silent, asked = wishes.get(log.numbers[vehicle], (False, 0)) if log.numbers else (False, 0)
        for encounter in _encounters(vehicle, track, rows, world, log, silent=silent, asked=asked):
            if encounter.place.union_path.startswith(for_staff.union.path):
                found.append(encounter)
            else:
                elsewhere += encounter.outcome == Reason.REMINDED.name
    found.sort(key=lambda each: (each.at_ms, each.vehicle, each.place.number))
    reasons: dict[str, int] = defaultdict(int)
    for each in found:
        reasons[each.outcome] += 1
    own = [each for each in world.places.values() if each.union_path.startswith(for_staff.union.path)]
    return Playback(
        track=track,
        encounters=found,
        stations=own[:MOST_SHOWN_STATIONS],
        radius_m=dict(zip(world.stations.ids.tolist(), world.stations.radius_m.tolist(), strict=True)),
        elsewhere=elsewhere,
        only_in_log=log.of_own_places(for_staff) - sum(each.in_log is True for each in found),
        source=source,
        reasons=dict(reasons),
    )


def _world_around(track: Track) -> World:
    """The places near the ways, with the hours of that day."""
    x, y = track.pings.longitude, track.pings.latitude
    if not len(x):
        return World.empty()
    near = Place.published.filter(
        lon__gte=float(x.min()) - REACH_DEGREES * 2,
        lon__lte=float(x.max()) + REACH_DEGREES * 2,
        lat__gte=float(y.min()) - REACH_DEGREES,
        lat__lte=float(y.max()) + REACH_DEGREES,
    )
    noon = datetime.fromtimestamp(midnight_ms(track.day) / 1000, UTC) + timedelta(hours=12)
    snapshot = load_snapshot(at=noon, only=list(near.values_list("pk", flat=True)))
    return build_world(snapshot, RulesTree.load(), services_with_bits())


@dataclass(frozen=True, slots=True)
class _Log:
    """What the log has of the vehicles, by their place in the track; nothing where no source was chosen."""

    numbers: list[int]
    before: dict[int, Reminders]
    meanwhile: dict[int, list[tuple[int, datetime]]]
    unions: list[str]

    @classmethod
    def of(cls, track: Track, source: PingSource | None, memory_s: float) -> _Log:
        if source is None or not len(track.pings):
            return cls([], {}, {}, [])
        key = pseudonym_key()
        numbers = [vehicle_number(key, source.pk, name) for name in track.names]
        place_of = {number: vehicle for vehicle, number in enumerate(numbers)}
        first, last = (utc_of(int(edge)) for edge in (track.pings.time_ms.min(), track.pings.time_ms.max()))
        since = first - timedelta(seconds=memory_s + LIMITS["max_segment_gap_s"][1])
        rows = Reminder.log.filter(source=source, vehicle__in=numbers, passed_at__gte=since, passed_at__lte=last)
        before: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
        meanwhile: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
        unions = []
        for number, place, at, path in rows.values_list("vehicle", "place_id", "passed_at", "union__path"):
            (before if at < first else meanwhile)[place_of[number]].append((place, at))
            if at >= first:
                unions.append(path)
        return cls(
            numbers, {vehicle: _reminders(passed) for vehicle, passed in before.items()}, dict(meanwhile), unions
        )

    def holds(self, vehicle: int, place: int, at_ms: int) -> bool | None:
        if not self.numbers:
            return None
        at = utc_of(at_ms)
        return any(of == place and abs(moment - at) <= SAME_PASSAGE for of, moment in self.meanwhile.get(vehicle, []))

    def of_own_places(self, staff: Staff) -> int:
        return sum(path.startswith(staff.union.path) for path in self.unions)


def _reminders(passed: Sequence[tuple[int, datetime]]) -> Reminders:
    moments = [round(at.timestamp() * 1000) for _, at in passed]
    return Reminders.of([0] * len(passed), [place for place, _ in passed], moments)


def _wishes_of(numbers: Sequence[int]) -> dict[int, tuple[bool, int]]:
    """Who of these wants silence, and which services each asks for."""
    if not numbers:
        return {}
    silent, asked = Wishes.load(of=numbers).of(np.array(numbers, np.int64))
    return dict(zip(numbers, zip(silent.tolist(), asked.tolist(), strict=True), strict=True))


def _encounters(
    vehicle: int, track: Track, rows: NDArray[np.int64], world: World, log: _Log, *, silent: bool, asked: int
) -> list[Encounter]:
    pings = track.pings[rows]
    stations = _near(world.stations, pings.longitude, pings.latitude)
    remembered = log.before.get(vehicle)
    verdicts = explain(
        stations, pings.time_ms, pings.longitude, pings.latitude, pings.accuracy_m,
        asked=asked, remembered=remembered, near_m=NEAR_MISS_M,
    )  # fmt: skip
    past = [(each.station, each.time_ms) for each in verdicts if each.reason is Reason.REMINDED]
    if remembered is not None:
        past += zip(remembered.station.tolist(), remembered.time_ms.tolist(), strict=True)
    found = []
    for group in _grouped(verdicts, pings.time_ms):
        decisive = _decisive(group)
        place = world.places[decisive.station]
        rule = _rule_of(stations, decisive.station)
        outcome = decisive.reason.name
        if silent and outcome == Reason.REMINDED.name:
            outcome = SILENT
        found.append(
            Encounter(
                vehicle=vehicle,
                place=place,
                from_ms=int(pings.time_ms[group[0].ping]),
                until_ms=int(pings.time_ms[group[-1].ping]),
                at_ms=decisive.time_ms,
                distance_m=decisive.distance_m,
                outcome=outcome,
                held_back_by=_held_back_by(decisive, rule, past, world),
                closes_at_ms=_closes_at(stations, decisive),
                limit=_limit(decisive.reason, rule, _radius_of(stations, decisive.station)),
                in_log=log.holds(vehicle, decisive.station, decisive.time_ms)
                if outcome == Reason.REMINDED.name
                else None,
            )
        )
    return found


def _near(stations: Stations, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Stations:
    """Those that a way can have to do with. All rules stay: what the kernel remembers goes by all of them."""
    assert stations.parameters_of is not None  # noqa: S101 (Stations fills it in)
    assert stations.offered is not None  # noqa: S101 (Stations fills it in)
    if not len(lon):
        kept = np.empty(0, np.int64)
    else:
        kept = np.flatnonzero(
            (stations.lon >= lon.min() - 2 * REACH_DEGREES)
            & (stations.lon <= lon.max() + 2 * REACH_DEGREES)
            & (stations.lat >= lat.min() - REACH_DEGREES)
            & (stations.lat <= lat.max() + REACH_DEGREES)
        )
    return replace(
        stations,
        ids=stations.ids[kept],
        lon=stations.lon[kept],
        lat=stations.lat[kept],
        radius_m=stations.radius_m[kept],
        hours=stations.hours.take(kept),
        parameters_of=stations.parameters_of[kept],
        offered=stations.offered[kept],
    )


def _grouped(verdicts: Sequence[Verdict], time_ms: NDArray[np.int64]) -> list[list[Verdict]]:
    """The verdicts of one approach each, by place and without a long absence between them."""
    open_groups: dict[int, list[Verdict]] = {}
    groups = []
    for each in verdicts:
        group = open_groups.get(each.station)
        if group is None or time_ms[each.ping] - time_ms[group[-1].ping] > APART_MS:
            group = open_groups[each.station] = []
            groups.append(group)
        group.append(each)
    return groups


def _decisive(group: Sequence[Verdict]) -> Verdict:
    """The reminder; else what stood against one where the vehicle came closest."""
    for each in group:
        if each.reason is Reason.REMINDED:
            return each
    inside = [each for each in group if each.reason is not Reason.OUTSIDE]
    return min(inside or group, key=lambda each: each.distance_m)


def _held_back_by(
    verdict: Verdict, rule: PassageParameters, past: Sequence[tuple[int, int]], world: World
) -> Told | None:
    if verdict.reason is Reason.COOL_DOWN:
        fitting = [(at, of) for of, at in past if of == verdict.station]
        span_s = rule.cool_down_s
    elif verdict.reason is Reason.GAP:
        fitting, span_s = [(at, of) for of, at in past], rule.gap_s
    else:
        return None
    close = [each for each in fitting if abs(each[0] - verdict.time_ms) < span_s * 1000]
    if not close:
        return None
    at, of = min(close, key=lambda each: abs(each[0] - verdict.time_ms))
    place = world.places.get(of)
    return Told(place.name if place else "", at)


def _closes_at(stations: Stations, verdict: Verdict) -> int | None:
    row = int(np.flatnonzero(stations.ids == verdict.station)[0])
    until_s = int(stations.hours.take([row]).open_until(verdict.time_ms // 1000)[0])
    return None if until_s in (FOREVER_S, -FOREVER_S) else until_s * 1000


def _limit(reason: Reason, rule: PassageParameters, radius_m: float) -> float | None:
    limits = {
        Reason.TOO_FAST: rule.silent_above_mps * 3.6,
        Reason.COOL_DOWN: rule.cool_down_s / 60,
        Reason.GAP: rule.gap_s / 60,
        Reason.CLOSING_SOON: rule.still_open_s / 60,
        Reason.OUTSIDE: radius_m,
        Reason.INACCURATE: radius_m,
    }
    found = limits.get(reason)
    return found if found is not None and isfinite(found) else None


def _radius_of(stations: Stations, station: int) -> float:
    return float(stations.radius_m[np.flatnonzero(stations.ids == station)[0]])


def _rule_of(stations: Stations, station: int) -> PassageParameters:
    assert stations.parameters_of is not None  # noqa: S101 (Stations fills it in)
    return stations.parameters[int(stations.parameters_of[np.flatnonzero(stations.ids == station)[0]])]
