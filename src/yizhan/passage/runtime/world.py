"""What the stream judges by: published places with their hours, and each union's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.open_intervals import FOREVER_S, OpenIntervals
from yizhan.geo.passage import PassageParameters, Stations
from yizhan.passage.models import PassageSettings
from yizhan.passage.queries.rules import RulesTree
from yizhan.places.snapshot import Snapshot

from .wishes import bits_of

SHANGHAI_S = 8 * 3600  # ahead of UTC, all the year


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """What a reminder says of its place."""

    number: int
    public_id: UUID
    name: str
    union: int
    union_path: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class World:
    """The stations that remind, and which place each of them is.

    Attributes:
        longest_memory_s: for how long a reminder may hold back another, at most, in seconds.
        without_hours: how many of the places that remind have hours that nobody told us.
        switched_off: how many published places do not remind because their union switched reminders off.
        services: those that a driver may ask for, in the order of their bits.
        valid_until: until when the hours are known.
    """

    stations: Stations
    places: dict[int, PlaceSeen]
    longest_memory_s: float
    without_hours: int
    switched_off: int
    services: tuple[str, ...] = ()
    valid_until: datetime | None = None

    @classmethod
    def empty(cls) -> Self:
        """Nothing to pass."""
        nothing = np.empty(0, np.float64)
        return cls(Stations(np.empty(0, np.int64), nothing, nothing, nothing, OpenIntervals.never(0)), {}, 0.0, 0, 0)

    def open_until(self, station: int, time_s: int) -> datetime | None:
        """When a station that is open at a moment closes; None when it never does, or is not of this world."""
        ids, hours = self.stations.ids, self.stations.hours
        row = int(np.searchsorted(ids, station))
        if row == len(ids) or ids[row] != station:
            return None
        own = slice(hours.offsets[row], hours.offsets[row + 1])
        after = own.start + int(np.searchsorted(hours.ends_s[own], time_s, side="right"))
        if after >= own.stop or hours.ends_s[after] >= FOREVER_S:
            return None
        return datetime.fromtimestamp(int(hours.ends_s[after]), UTC)


def parameters(rules: PassageSettings) -> PassageParameters:
    """A union's rules as the kernel wants them."""
    return PassageParameters(
        cool_down_s=rules.cool_down_s,
        gap_s=rules.gap_s,
        max_segment_gap_s=rules.max_segment_gap_s,
        max_speed_mps=rules.max_speed_kmh / 3.6,
        still_open_s=rules.still_open_s,
        silent_above_mps=rules.silent_above_kmh / 3.6 if rules.silent_above_kmh else math.inf,
        quiet_from_s=(rules.quiet_from_min * 60 - SHANGHAI_S) % 86_400,
        quiet_until_s=(rules.quiet_until_min * 60 - SHANGHAI_S) % 86_400,
    )


def build_world(snapshot: Snapshot, rules: RulesTree, services: Sequence[str] = ()) -> World:
    """The world of a snapshot of places under these rules; `services` are those that drivers may ask for, by bit."""
    by_path = {path: rules.at(path) for path in set(snapshot.union_paths)}
    of_place = [by_path[path] for path in snapshot.union_paths]
    kept = np.flatnonzero([each.reminders_on for each in of_place]) if of_place else np.empty(0, np.int64)
    table: list[PassageSettings] = []
    row: dict[int, int] = {}
    rows = np.empty(len(kept), np.int64)
    for i, place in enumerate(kept.tolist()):
        rule = of_place[place]
        if id(rule) not in row:
            row[id(rule)] = len(table)
            table.append(rule)
        rows[i] = row[id(rule)]
    trusting = np.array([of_place[i].unknown_hours_remind for i in kept.tolist()], np.bool_)
    hours = _hours(snapshot.open.take(kept), snapshot.unknown.take(kept), trusting)
    used = [parameters(rule) for rule in table] or [PassageParameters()]
    return World(
        stations=Stations(
            ids=snapshot.ids[kept],
            lon=snapshot.lon[kept],
            lat=snapshot.lat[kept],
            radius_m=np.array([float(of_place[i].radius_m) for i in kept.tolist()], np.float64),
            hours=hours,
            parameters=used,
            parameters_of=rows,
            offered=bits_of(snapshot.offer_codes, snapshot.offers, services)[kept],
        ),
        places={
            int(snapshot.ids[i]): PlaceSeen(
                int(snapshot.ids[i]),
                snapshot.public_ids[i],
                snapshot.names[i],
                snapshot.union_ids[i],
                snapshot.union_paths[i],
                float(snapshot.lon[i]),
                float(snapshot.lat[i]),
            )
            for i in kept.tolist()
        },
        longest_memory_s=max(max(each.cool_down_s, each.gap_s) for each in used),
        without_hours=int((np.diff(snapshot.unknown.take(kept).offsets) > 0).sum()),
        switched_off=len(snapshot) - len(kept),
        services=tuple(services),
        valid_until=snapshot.valid_until,
    )


def _hours(certain: OpenIntervals, unknown: OpenIntervals, trusting: NDArray[np.bool_]) -> OpenIntervals:
    """Certain hours; where the union trusts places without known hours, those of unknown state as well."""
    has_unknown = np.diff(unknown.offsets) > 0
    if not (trusting & has_unknown).any():
        return certain
    both = [_of(certain, i) + (_of(unknown, i) if trusting[i] else []) for i in range(len(certain))]
    return OpenIntervals.of(both)


def _of(intervals: OpenIntervals, place: int) -> list[tuple[int, int]]:
    rows = slice(intervals.offsets[place], intervals.offsets[place + 1])
    starts: Sequence[int] = intervals.starts_s[rows].tolist()
    ends: Sequence[int] = intervals.ends_s[rows].tolist()
    return list(zip(starts, ends, strict=True))
