"""Chains what has been booked: every transaction gets the hash of its text and of the one before it.

Sealing comes after commit, by one job at a time, and marks exactly the rows it holds: a transaction that commits late,
with a lower number than others that are sealed already, is simply in a later seal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from yizhan.benefits.models import Entry, LedgerTransaction, Seal

BEGINNING: Final = "0" * 64
_LOCK: Final = 7_101_001
_MOST: Final = 5_000


def chained(previous: str, booked: LedgerTransaction, entries: Iterable[tuple[int, int]]) -> str:
    """The hash of one transaction: SHA-256 over the hash before it and all that it says.

    Args:
        entries: Account and fen of each line.
    """
    text = json.dumps(
        [
            previous,
            booked.pk,
            booked.kind,
            booked.programme_id,
            booked.union_id,
            booked.redemption_id,
            booked.reverses_id,
            booked.memo,
            _moment(booked.happened_at),
            _moment(booked.posted_at),
            sorted(entries),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def seal_once(*, most: int = _MOST) -> Seal | None:
    """Seal up to `most` transactions that are in no seal yet; None when there are none, or another job is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
    waiting = list(LedgerTransaction.objects.with_scopes_disabled().filter(seal__isnull=True).order_by("pk")[:most])
    if not waiting:
        return None
    lines: dict[int, list[tuple[int, int]]] = {booked.pk: [] for booked in waiting}
    for transaction_id, account_id, fen in (
        Entry.objects.with_scopes_disabled()
        .filter(transaction__in=list(lines))
        .values_list("transaction_id", "account_id", "fen")
    ):
        lines[transaction_id].append((account_id, fen))
    last = Seal.objects.order_by("-number").first()
    previous = current = last.hash if last else BEGINNING
    hashes = []
    for booked in waiting:
        current = chained(current, booked, lines[booked.pk])
        hashes.append(current)
    seal = Seal.objects.create(
        number=last.number + 1 if last else 1,
        previous=previous,
        hash=current,
        count=len(waiting),
        sealed_at=timezone.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE benefits_ledgertransaction AS booked SET seal_id = %s, position = told.position, hash = told.hash "
            "FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS told(id, position, hash) WHERE booked.id = told.id",
            [seal.pk, [booked.pk for booked in waiting], list(range(len(waiting))), hashes],
        )
    return seal


def seal_all() -> int:
    """Seal until nothing waits; says how many transactions were sealed. Each seal is a transaction of its own."""
    sealed = 0
    while seal := seal_once():
        sealed += seal.count
    return sealed


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
