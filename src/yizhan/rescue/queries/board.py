"""What the duty desk looks at: open calls, who is on duty, how quick help was, and where it would come late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from yizhan.rescue.dispatch import PROBLEMS
from yizhan.rescue.models import ACTIVE_STATES, OVER_STATES, CallState, Duty, RescueCall, Rescuer
from yizhan.rescue.providers import speeds, straight_line
from yizhan.rescue.rights import VIEW_RESCUE
from yizhan.rescue.territory import territories
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from .calls import SILENT_AFTER, visible_calls

MOST_ON_BOARD: Final = 200
LEAST_COUNTED: Final = 5  # below, a figure would tell of single people
_CELLS: Final = 24  # of the coverage map, along the longer side


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A rescuer on duty, as the board lists them."""

    rescuer: Rescuer
    duty: Duty
    held: int
    is_silent: bool

    @property
    def has_a_hand_free(self) -> bool:
        """Whether they may be sent."""
        return self.held < self.rescuer.most_at_once


def open_calls(staff: Staff) -> list[RescueCall]:
    """Calls that are not over, what is due first standing first."""
    return list(visible_calls(staff).exclude(state__in=OVER_STATES).order_by("due_at", "pk")[:MOST_ON_BOARD])


def rescuers_for(staff: Staff) -> QuerySet[Rescuer]:
    """Rescuers that a post may look up: those of its union and below."""
    return _rescuers(staff, staff.union.path)


def sendable_for(staff: Staff) -> QuerySet[Rescuer]:
    """Rescuers that a post may send and see on its board: those of its whole city, since they serve all of it."""
    where = territories({staff.union.path})[staff.union.path]
    # A post above the cities sees all below it.
    return _rescuers(staff, where if len(where) < len(staff.union.path) else staff.union.path)


def _rescuers(staff: Staff, path: str) -> QuerySet[Rescuer]:
    found: QuerySet[Rescuer] = Rescuer.objects.with_scopes_disabled()
    if not policy.holds(staff, VIEW_RESCUE):
        return found.none()
    return found.filter(union__path__startswith=path).select_related("union", "place", "user")


def on_duty(staff: Staff, now: datetime) -> list[OnDuty]:
    """Who is on duty now, with how many calls in hand; whose phone is silent is said."""
    duties = (
        Duty.objects.with_scopes_disabled()
        .filter(ended_at=None, rescuer__in=sendable_for(staff).values("pk"))
        .select_related("rescuer__union")
        .annotate(held=Count("rescuer__calls", filter=Q(rescuer__calls__state__in=ACTIVE_STATES)))
        .order_by("rescuer__name", "pk")
    )
    return [
        OnDuty(
            duty.rescuer,
            duty,
            duty.held,
            duty.rescuer.kind == "mobile" and (duty.position_at is None or now - duty.position_at > SILENT_AFTER),
        )
        for duty in duties
    ]


@dataclass(frozen=True, slots=True)
class Quickness:
    """How long it took from the call to the arrival, in minutes; None where fewer than five calls would tell."""

    label: str
    count: int
    p50: float | None
    p90: float | None
    unanswered: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Response times of a period, over all, by union and by hour of the day in Shanghai."""

    since: datetime
    total: Quickness
    by_union: list[Quickness]
    by_hour: list[Quickness]


def figures(staff: Staff, *, days: int) -> Figures:
    """How quick help was for the calls of the last days that the post may see.

    Unanswered are calls that are over, or an hour old, without anyone having arrived.
    """
    now = timezone.now()
    since = now - timedelta(days=days)
    rows = list(
        visible_calls(staff)
        .filter(received_at__gte=since)
        .exclude(state=CallState.FALSE_CALL)
        .order_by()
        .values_list("union__name", "received_at", "arrived_at", "state")
    )
    by_union: dict[str, list[Any]] = defaultdict(list)
    by_hour: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_union[row[0]].append(row)
        by_hour[timezone.localtime(row[1]).hour].append(row)
    return Figures(
        since=since,
        total=_quickness("", rows, now),
        by_union=[_quickness(name, by_union[name], now) for name in sorted(by_union)],
        by_hour=[_quickness(f"{hour:02d}:00", by_hour[hour], now) for hour in sorted(by_hour)],
    )


def _quickness(label: str, rows: Sequence[Any], now: datetime) -> Quickness:
    minutes = [(arrived - received).total_seconds() / 60 for _union, received, arrived, _state in rows if arrived]
    unanswered = sum(
        1
        for _union, received, arrived, state in rows
        if arrived is None and (state in OVER_STATES or now - received > timedelta(hours=1))
    )
    told = len(minutes) >= LEAST_COUNTED
    p50, p90 = np.percentile(minutes, [50, 90]) if told else (None, None)
    return Quickness(label, len(rows), p50, p90, unanswered if len(rows) >= LEAST_COUNTED else 0)


def coverage(staff: Staff, now: datetime, *, problem: str = PROBLEMS[0]) -> dict[str, Any]:
    """GeoJSON squares with the minutes until the nearest able rescuer on duty would be there."""
    able = [
        each
        for each in on_duty(staff, now)
        if not each.is_silent and problem in each.rescuer.skills and each.duty.lon is not None
    ]
    if not able:
        return {"type": "FeatureCollection", "features": []}
    lon = np.array([each.duty.lon for each in able], np.float64)
    lat = np.array([each.duty.lat for each in able], np.float64)
    by_vehicle = speeds()
    speed = np.array([by_vehicle[each.rescuer.vehicle] for each in able])
    margin = 0.03
    west, south, east, north = lon.min() - margin, lat.min() - margin, lon.max() + margin, lat.max() + margin
    side = max(east - west, north - south) / _CELLS
    xs, ys = np.arange(west, east, side), np.arange(south, north, side)
    x, y = (column.ravel() for column in np.meshgrid(xs, ys))
    seconds = straight_line().seconds(
        lon[None, :], lat[None, :], x[:, None] + side / 2, y[:, None] + side / 2, speed[None, :]
    )
    minutes = np.rint(seconds.min(axis=1) / 60).astype(int)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"minutes": int(each)},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[a, b], [a + side, b], [a + side, b + side], [a, b + side], [a, b]]],
                },
            }
            for a, b, each in zip(x.tolist(), y.tolist(), minutes, strict=True)
            if each <= 60
        ],
    }


def waiting_for(staff: Staff) -> QuerySet[RescueCall]:
    """The calls that the desk must look at: those for which nobody is found, and those in unsafe places."""
    found = visible_calls(staff).filter(state__in=[CallState.ESCALATED, CallState.UNSAFE])
    return found.select_related(None)


def unions_for(staff: Staff) -> QuerySet[Union]:
    """Unions for which the post may enter rescuers."""
    return Union.objects.filter(path__startswith=staff.union.path, is_active=True).order_by("path")
