"""Counts of vehicles by square and hour: whether they are kept, and keeping them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from yizhan.passage.actions import COUNTS_ENDED, COUNTS_KEPT
from yizhan.passage.models import PingSource
from yizhan.passage.rights import MANAGE_SOURCES
from yizhan.unions.audit import record
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

from .announcements import SOURCES, announce


@dataclass(frozen=True, slots=True)
class Counted:
    """How many vehicles of a source were in a square in an hour; column and row are hundredths of a degree."""

    source: int
    hour: datetime
    column: int
    row: int
    vehicles: int


@transaction.atomic
def keep_counts(*, staff: Staff, source: PingSource, kept: bool) -> None:
    """Let the vehicles of a source be counted by square and hour, or end it. Counts that are there stay.

    Raises:
        NotAllowed: staff may not manage sources there.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    found = PingSource.every.select_for_update().get(pk=source.pk)
    if found.counts_kept == kept:
        return
    found.counts_kept = kept
    found.save(update_fields=["counts_kept"])
    record(staff, COUNTS_KEPT if kept else COUNTS_ENDED, union=source.union, target=found)
    announce(SOURCES)


@transaction.atomic
def record_counts(counted: Sequence[Counted]) -> None:
    """Write the counts of hours that have ended.

    Several workers count vehicles that are all different: what they write for one square is added up.
    """
    if not counted:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO passage_hourcount (source_id, hour, "column", "row", vehicles) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (hour, source_id, "column", "row")
            DO UPDATE SET vehicles = passage_hourcount.vehicles + EXCLUDED.vehicles
            """,
            sorted((each.source, each.hour, each.column, each.row, each.vehicles) for each in counted),
        )
