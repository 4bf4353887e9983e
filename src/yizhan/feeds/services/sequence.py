"""Giving changes their numbers."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from yizhan.feeds.facts import encoded_facts, with_public_parts
from yizhan.feeds.models import Gone, PlaceChange, PlaceTouch
from yizhan.places.models import Place, PlaceStatus

# Announced by the triggers when public facts were changed, and by the sequencer when changes have numbers.
TOUCHED_CHANNEL = "feeds_touched"
SEQUENCED_CHANNEL = "feeds_sequenced"

_SEQUENCER_LOCK = 0x59_5A_46_44  # "YZFD"
_MOST_AT_ONCE = 2_000

_TAKE = """
DELETE FROM feeds_placetouch WHERE id IN (SELECT id FROM feeds_placetouch ORDER BY id LIMIT %s) RETURNING id, place_id
"""
_COLUMNS = ("place_id", "public_id", "gone", "kind", "union_path", "lon", "lat", "facts")
_WRITE = """
INSERT INTO feeds_placechange (sequence, at, place_id, public_id, gone, kind, union_path, lon, lat, facts)
SELECT nextval(pg_get_serial_sequence('feeds_placechange', 'sequence')), clock_timestamp(), told.*
FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::float8[], %s::float8[], %s::text[])
    AS told (place_id, public_id, gone, kind, union_path, lon, lat, facts)
ON CONFLICT (place_id) DO UPDATE SET sequence = excluded.sequence, at = excluded.at, gone = excluded.gone,
    kind = excluded.kind, union_path = excluded.union_path, lon = excluded.lon, lat = excluded.lat,
    facts = excluded.facts
"""


def sequence_changes(*, wait: bool = True) -> int:
    """Give every committed change that has none a number; returns how many places got one.

    Only one process does it at a time. That is why no number can become visible after a larger one: numbers are drawn
    and committed under the same lock. A change that changes nothing of what everyone may know gets no number. Costs one
    look at an empty table when there is nothing to do. Call it outside of transactions: within one, nobody else gives
    numbers until that ends.

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
    """Take the oldest touches; returns how many there were, and how many places have changed by them."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEQUENCER_LOCK])
        else:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEQUENCER_LOCK])
            if not cursor.fetchone()[0]:
                return 0, 0
        cursor.execute(_TAKE, [_MOST_AT_ONCE])
        touches = cursor.fetchall()
        last_touch = {place: touch for touch, place in sorted(touches)}
        rows = _changed(sorted(last_touch, key=last_touch.__getitem__))
        if rows:
            cursor.execute(_WRITE, [[row[column] for row in rows] for column in _COLUMNS])
            cursor.execute(f"NOTIFY {SEQUENCED_CHANNEL}")  # delivered on commit
    return len(touches), len(rows)


def _changed(ids: list[int]) -> list[dict[str, Any]]:
    """The rows of those places that tell something else than was told last, in the order of `ids`."""
    places = {
        place.pk: place
        for place in with_public_parts(
            Place.objects.with_scopes_disabled().filter(pk__in=ids, published_at__isnull=False)
        )
    }
    told = {row["place_id"]: row for row in PlaceChange.objects.filter(place__in=ids).values(*_COLUMNS)}
    rows = [_row(places[pk]) for pk in ids if pk in places]
    return [row for row in rows if told.get(row["place_id"]) != row]


def _row(place: Place) -> dict[str, Any]:
    """What is told of a place now."""
    public = place.status == PlaceStatus.PUBLISHED
    gone = Gone.NOT if public else Gone.CLOSED if place.status == PlaceStatus.CLOSED else Gone.WITHDRAWN
    return {
        "place_id": place.pk,
        "public_id": place.public_id,
        "gone": gone.value,
        "kind": place.kind,
        "union_path": place.union.path,
        "lon": place.lon if public else None,
        "lat": place.lat if public else None,
        "facts": encoded_facts(place).decode() if public else "",
    }


@transaction.atomic
def look_anew() -> int:
    """Let the sequencer look at every public place; returns at how many. Those that tell nothing new get no number.

    After an upgrade, which may tell more of a place or tell it otherwise.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO feeds_placetouch (place_id) "
            "SELECT id FROM places_place WHERE published_at IS NOT NULL ORDER BY id"
        )
        return int(cursor.rowcount)


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
    PlaceChange.objects.all().delete()
    return look_anew()
