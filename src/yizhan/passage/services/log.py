"""Writes the reminder log, and reads it as the state of a stream that starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from yizhan.passage.models import Delivery, Reminder


@dataclass(frozen=True, slots=True)
class Passed:
    """A reminder on its way into the log; names places, unions and sources by row number.

    Attributes:
        batch: keyed digest of the batch that caused it; None where none did.
        message: what is to be told to the source's address, as JSON; None where it has none.
    """

    public_id: UUID
    vehicle: int
    place: int
    union: int
    source: int
    passed_at: datetime
    distance_m: float
    is_simulated: bool
    batch: UUID | None = None
    message: str | None = None


@transaction.atomic
def record_reminders(passed: Sequence[Passed]) -> set[UUID]:
    """Add reminders to the log, all or none, with what is to be delivered of them.

    A passage that is in the log under another id stays as it is, and is not delivered again.

    Returns:
        Those of the ids that the log now holds. Writing the same ones again gives the same answer: a commit of which
        nobody knows whether it came to pass can be repeated.

    Raises:
        IntegrityError, DataError: the database refuses one of them; none was written.
    """
    Reminder.log.bulk_create([_row(each) for each in passed], ignore_conflicts=True, batch_size=2_000)
    rows = Reminder.log.filter(public_id__in=[each.public_id for each in passed])
    recorded: dict[UUID, int] = dict(rows.values_list("public_id", "pk"))
    now = timezone.now()
    Delivery.every.bulk_create(
        [
            Delivery(reminder_id=recorded[each.public_id], source_id=each.source, payload=each.message, due_at=now)
            for each in passed
            if each.message is not None and each.public_id in recorded
        ],
        ignore_conflicts=True,
        batch_size=2_000,
    )
    return set(recorded)


@transaction.atomic
def record_those_that_fit(passed: Sequence[Passed]) -> set[UUID]:
    """As `record_reminders`, but leave out each one that the database refuses, such as one whose place is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # so that a refusal shows at its own row, not at the commit
    recorded: set[UUID] = set()
    for each in passed:
        try:
            with transaction.atomic():
                recorded |= record_reminders([each])
        except IntegrityError:
            continue
    return recorded


def _row(passed: Passed) -> Reminder:
    return Reminder(
        public_id=passed.public_id,
        vehicle=passed.vehicle,
        place_id=passed.place,
        union_id=passed.union,
        source_id=passed.source,
        passed_at=passed.passed_at,
        distance_m=passed.distance_m,
        is_simulated=passed.is_simulated,
        batch=passed.batch,
    )


def remembered(*, since: datetime) -> Iterable[tuple[int, int, datetime, float]]:
    """Vehicle, place, time and distance of each reminder since a moment, oldest first: the state of a stream."""
    window = Reminder.log.filter(passed_at__gte=since).order_by("passed_at")
    return window.values_list("vehicle", "place_id", "passed_at", "distance_m").iterator(chunk_size=10_000)


def recorded(*, since: datetime) -> Iterable[Reminder]:
    """Reminders that were written since a moment, with places and unions, in the order in which they were made."""
    window = Reminder.log.filter(recorded_at__gte=since).order_by("public_id")
    return window.select_related("place", "union").iterator(chunk_size=2_000)
