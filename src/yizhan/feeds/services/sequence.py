"""Giving changes their numbers."""

from __future__ import annotations

from django.db import connection, transaction

from yizhan.feeds.models import PlaceTouch

# Announced by the triggers when public facts were changed, and by the sequencer when changes have numbers.
TOUCHED_CHANNEL = "feeds_touched"
SEQUENCED_CHANNEL = "feeds_sequenced"

_SEQUENCER_LOCK = 0x59_5A_46_44  # "YZFD"
_MOST_AT_ONCE = 5_000

_SEQUENCE = """
WITH taken AS (
    DELETE FROM feeds_placetouch WHERE id IN (SELECT id FROM feeds_placetouch ORDER BY id LIMIT %s)
    RETURNING id, place_id
), touched AS (
    SELECT place_id, max(id) AS last FROM taken GROUP BY place_id
), numbered AS (
    SELECT nextval(pg_get_serial_sequence('feeds_placechange', 'sequence')) AS sequence, place_id
    FROM (SELECT place_id FROM touched ORDER BY last) AS in_order
), written AS (
    INSERT INTO feeds_placechange (sequence, place_id, at)
    SELECT sequence, place_id, clock_timestamp() FROM numbered
    ON CONFLICT (place_id) DO UPDATE SET sequence = excluded.sequence, at = excluded.at
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM written)
"""


def sequence_changes(*, wait: bool = True) -> int:
    """Give every committed change that has none a number; returns how many places got one.

    Only one process does it at a time. That is why no number can become visible after a larger one: numbers are drawn
    and committed under the same lock. Costs one look at an empty table when there is nothing to do. Call it outside of
    transactions: within one, nobody else gives numbers until that ends.

    Args:
        wait: Wait for another process that is at it; otherwise leave the work to it and return 0.
    """
    sequenced = 0
    while PlaceTouch.objects.exists():
        taken, written = _sequence_some(wait=wait)
        sequenced += written
        if taken < _MOST_AT_ONCE:
            break
    return sequenced


@transaction.atomic
def _sequence_some(*, wait: bool) -> tuple[int, int]:
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEQUENCER_LOCK])
        else:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEQUENCER_LOCK])
            if not cursor.fetchone()[0]:
                return 0, 0
        cursor.execute(_SEQUENCE, [_MOST_AT_ONCE])
        taken, written = cursor.fetchone()
        if written:
            cursor.execute(f"NOTIFY {SEQUENCED_CHANNEL}")  # delivered on commit
    return taken, written


@transaction.atomic
def begin_anew(*, beyond: int = 0) -> int:
    """Number all public places anew, beyond every number given so far and beyond `beyond`; returns how many.

    For after a restored backup: readers may hold numbers that the restored database does not know yet, and would miss
    what is given them a second time. Their next question brings them everything.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEQUENCER_LOCK])
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('feeds_placechange', 'sequence'), greatest(%s, "
            "nextval(pg_get_serial_sequence('feeds_placechange', 'sequence'))))",
            [beyond + 1],
        )
        cursor.execute(
            "INSERT INTO feeds_placetouch (place_id) SELECT id FROM places_place WHERE published_at IS NOT NULL"
        )
        touched: int = cursor.rowcount
    return touched
