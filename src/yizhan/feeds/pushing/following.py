"""Bringing a partner's listings into step with the change sequence."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.db import connection, transaction

from yizhan.feeds.models import Carrier, Listing, ListingState, Partner
from yizhan.feeds.narrowing import Narrowing
from yizhan.feeds.queries.changes import changes_after
from yizhan.unions.identity import new_public_id

from .told import Memory, Microsecond

FOLLOWED_AT_ONCE = 2_000

_CHANGED = """
WITH change AS (
    SELECT * FROM json_to_recordset(%(changes)s::json) AS change (place bigint, sequence bigint, wanted boolean)
)
UPDATE feeds_listing l SET
    -- Where only the filters changed, not the place, the number is the same: its next turn.
    turn = CASE WHEN l.is_wanted <> change.wanted AND l.sequence = change.sequence THEN l.turn + 1 ELSE l.turn END,
    is_wanted = change.wanted, sequence = change.sequence, changed_at = %(now)s,
    attempts = 0, failing_since = NULL, died_at = NULL,
    -- Also what was never taken is told to be gone: a worker may have been killed between sending and noting it.
    is_waiting = NOT %(reads)s, state = %(state)s,
    taken_wanted = CASE WHEN %(reads)s THEN change.wanted ELSE l.taken_wanted END,
    taken_sequence = CASE WHEN %(reads)s THEN change.sequence ELSE l.taken_sequence END,
    red_since = CASE WHEN change.wanted THEN NULL ELSE l.red_since END,
    red_until = CASE WHEN change.wanted THEN NULL ELSE l.red_until END,
    red_told = CASE WHEN change.wanted THEN 0 ELSE l.red_told END
FROM change
WHERE l.partner_id = %(partner)s AND l.place_id = change.place
    AND NOT (l.is_wanted = change.wanted AND (l.sequence >= change.sequence OR NOT change.wanted))
"""


@transaction.atomic
def follow(partner: Partner, *, now: datetime, memory: Memory | None = None) -> int:
    """Bring a partner's listings into step with the change sequence; returns how many changes were looked at.

    Written by SQL: a thousand changes take a tenth of the time that as many objects would.
    """
    locked = Partner.every.select_for_update(of=("self",)).select_related("union").get(pk=partner.pk)
    numbers = list(changes_after(locked.followed_to, limit=FOLLOWED_AT_ONCE).values_list("sequence", Microsecond("at")))
    if not numbers:
        return 0
    # Those that moved on between the two questions come again, with a larger number.
    changes = (memory or Memory()).recall(numbers)
    wanted = Narrowing.of(locked).lets_through(changes)
    reads_by_itself = locked.carrier == Carrier.NONE
    told = [
        {"place": change.place_id, "sequence": change.sequence, "wanted": want}
        for change, want in zip(changes, wanted, strict=True)
    ]
    # Nothing goes to a partner that reads our feeds: what stands there counts as sent, and waits to be seen.
    state = ListingState.SENT if reads_by_itself else ListingState.PENDING
    known = set(
        Listing.every.filter(partner=locked, place__in=[change.place_id for change in changes]).values_list(
            "place_id", flat=True
        )
    )
    if known:
        values = {
            "changes": msgspec.json.encode([one for one in told if one["place"] in known]).decode(),
            "partner": locked.pk,
            "now": now,
            "reads": reads_by_itself,
            "state": state.value,
        }
        with connection.cursor() as cursor:
            cursor.execute(_CHANGED, values)
    Listing.every.bulk_create(
        Listing(
            public_id=new_public_id(),
            partner=locked,
            place_id=change.place_id,
            is_wanted=True,
            sequence=change.sequence,
            changed_at=now,
            is_waiting=not reads_by_itself,
            state=state,
            taken_wanted=reads_by_itself,
            taken_sequence=change.sequence if reads_by_itself else 0,
        )
        for change, want in zip(changes, wanted, strict=True)
        if want and change.place_id not in known
    )
    Partner.every.filter(pk=locked.pk).update(followed_to=numbers[-1][0])
    return len(numbers)
