"""Writes the reminder log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from yizhan.passage.models import Reminder


@dataclass(frozen=True, slots=True)
class Passed:
    """A reminder that went out, on its way into the log; names places, unions and sources by row number."""

    public_id: UUID
    vehicle: int
    place: int
    union: int
    source: int
    passed_at: datetime
    distance_m: float
    is_simulated: bool


@transaction.atomic
def record_reminders(passed: Sequence[Passed]) -> int:
    """Add reminders to the log; those that are in it already stay as they are.

    Returns:
        How many of them the log now holds.
    """
    Reminder.log.bulk_create(
        [
            Reminder(
                public_id=each.public_id,
                vehicle=each.vehicle,
                place_id=each.place,
                union_id=each.union,
                source_id=each.source,
                passed_at=each.passed_at,
                distance_m=each.distance_m,
                is_simulated=each.is_simulated,
            )
            for each in passed
        ],
        ignore_conflicts=True,
        batch_size=2_000,
    )
    return len(passed)


def remembered(*, since: datetime) -> Iterable[tuple[int, int, datetime, float]]:
    """Vehicle, place, time and distance of each reminder since a moment, oldest first: the state of a stream."""
    window = Reminder.log.filter(passed_at__gte=since).order_by("passed_at")
    return window.values_list("vehicle", "place_id", "passed_at", "distance_m").iterator(chunk_size=10_000)
