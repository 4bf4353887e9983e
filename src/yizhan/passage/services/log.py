"""Writes the reminder log, and reads it as the state of a stream that starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from yizhan.passage.models import Delivery, Notice, Phone, Reminder

USEFUL_FOR = timedelta(minutes=10)


def stale_before(now: datetime) -> datetime:
    """A reminder of before this moment is no use to a phone any more: the vehicle is far from the place."""
    return now - USEFUL_FOR


@dataclass(frozen=True, slots=True)
class Passed:
    """A reminder on its way into the log; names places, unions and sources by row number.

    Attributes:
        batch: keyed digest of the batch that caused it; None where none did.
        message: what is to be told to the source's address, as JSON; None where it has none.
        has_phones: whether phones may be paired with the vehicle.
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
    has_phones: bool = False


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
    _note_for_phones([each for each in passed if each.has_phones and each.public_id in recorded], recorded, now)
    return set(recorded)


def _note_for_phones(passed: Sequence[Passed], recorded: dict[UUID, int], now: datetime) -> None:
    """Let those wait for the vehicles' phones that are young enough to be of use."""
    young = [each for each in passed if each.passed_at > stale_before(now)]
    if not young:
        return
    phones: dict[tuple[int | None, int | None], list[int]] = {}
    for number, source, vehicle in Phone.every.filter(vehicle__in={each.vehicle for each in young}).values_list(
        "pk", "source_id", "vehicle"
    ):
        phones.setdefault((source, vehicle), []).append(number)
    Notice.every.bulk_create(
        [
            Notice(reminder_id=recorded[each.public_id], phone_id=phone, due_at=now)
            for each in young
            for phone in phones.get((each.source, each.vehicle), [])
        ],
        ignore_conflicts=True,
    )


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


def recorded_after(last: UUID, *, union_path: str = "", most: int, since: datetime) -> list[Reminder]:
    """The latest reminders that were made after another one, oldest first; at most `most`, none written before `since`.

    Args:
        union_path: only of places at or below this place in the tree.
    """
    later = Reminder.log.filter(public_id__gt=last, recorded_at__gte=since, union__path__startswith=union_path)
    return list(reversed(later.select_related("place", "union").order_by("-public_id")[:most]))
