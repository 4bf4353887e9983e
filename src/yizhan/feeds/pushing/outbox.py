"""What each partner has yet to get. A worker that calls these holds the partner (`claims.py`).

`follow` (`following.py`) reads the change sequence into listings and moves the partner's mark in the same transaction:
a kill loses nothing and makes nothing twice. `next_load` takes what waits, `settle` writes down what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from yizhan.feeds.models import (
    Evidence,
    EvidenceKind,
    Listing,
    ListingState,
    Partner,
    PauseReason,
    PlaceChange,
    Push,
    PushOutcome,
)
from yizhan.feeds.models.partners import MOST_IN_A_BATCH, OPENS_AFTER
from yizhan.feeds.payloads import OUTSIDE, gone, shown
from yizhan.feeds.queries.changes import last_sequence
from yizhan.feeds.rights import MANAGE_PARTNERS
from yizhan.places.models import Place
from yizhan.unions.services.inbox import send
from yizhan.unions.webhooks import PAUSES_S, Answer, pause_s

from .following import FOLLOWED_AT_ONCE, follow
from .loads import Item, Load, Result
from .told import Memory, Microsecond

__all__ = ["FOLLOWED_AT_ONCE", "follow", "load_of", "next_load", "settle", "with_something_due"]

GIVEN_UP_AFTER = timedelta(days=3)
MOST_REFUSALS = 3
SKEWED_S = 240.0
GONE = 410
# The partner as a whole is the trouble, not what was sent.
_NOT_THE_CONTENT = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 425, 429})


def with_something_due(now: datetime) -> QuerySet[Partner]:
    """Partners to which something may go now, or whose listings are behind the change sequence."""
    waiting = Listing.every.filter(partner=OuterRef("pk"), is_waiting=True)
    return (
        Partner.every.filter(paused_at=None)
        .filter(Q(due_at=None) | Q(due_at__lte=now))
        .filter(Q(followed_to__lt=last_sequence()) | Exists(waiting))
    )


def next_load(partner: Partner, *, memory: Memory | None = None) -> Load | None:
    """What goes to a partner next: for a file all that it is to show, else what waited longest; None: nothing waits."""
    waiting = Listing.every.filter(partner=partner, is_waiting=True).order_by("attempts", "sequence")
    return load_of(partner, waiting if partner.sends_files else waiting[: partner.batch], memory=memory)


def load_of(partner: Partner, listings: QuerySet[Listing], *, memory: Memory | None = None) -> Load | None:
    """These listings as they go to the partner; None: there are none, or all have changed meanwhile."""
    columns = ("pk", "sequence", "turn", "is_wanted", "their_id", "place__change__sequence")
    # What changed again since the listings were made goes with the next load, once the filters have seen it.
    current = [row for row in listings.values_list(*columns, Microsecond("place__change__at")) if row[1] == row[5]]
    if not current:
        return None
    changes = {change.sequence: change for change in (memory or Memory()).recall((row[1], row[6]) for row in current)}
    items = _items(partner, current, changes)
    if not items:
        return None
    return Load(partner, items, _everything(partner) if partner.sends_files else ())


def _items(partner: Partner, listings: Sequence[tuple[Any, ...]], changes: dict[int, PlaceChange]) -> list[Item]:
    public = [
        changes[sequence]
        for _pk, sequence, _turn, is_wanted, *_rest in listings
        if is_wanted and sequence in changes and not changes[sequence].is_gone
    ]
    facts = {change.sequence: values for change, values in zip(public, shown(public, partner), strict=True)}
    down = [change.place_id for sequence, change in changes.items() if sequence not in facts]
    names = dict(Place.objects.with_scopes_disabled().filter(pk__in=down).values_list("pk", "name")) if down else {}
    items = []
    for pk, sequence, turn, _is_wanted, their_id, *_rest in listings:
        if (change := changes.get(sequence)) is None:
            continue
        why = "" if sequence in facts else change.gone or OUTSIDE
        values = facts.get(sequence) or gone(change.public_id, names.get(change.place_id, ""), why)
        items.append(Item(pk, change.public_id, sequence, turn, values, change.at, gone=why, their_id=their_id))
    return items


def _everything(partner: Partner) -> list[dict[str, Any]]:
    """All rows of a file: what is to be shown, then what has to be taken down until it is known to be."""
    listed = PlaceChange.objects.filter(place__listings__partner=partner, place__listings__is_wanted=True, gone="")
    down = Listing.every.filter(partner=partner, is_wanted=False).exclude(state=ListingState.WITHDRAWN, finding="")
    return [
        *shown(list(listed.order_by("union_path", "sequence")), partner),
        *(
            gone(public_id, name, why or OUTSIDE)
            for public_id, name, why in down.order_by("sequence").values_list(
                "place__public_id", "place__name", "place__change__gone"
            )
        ),
    ]


@transaction.atomic
def settle(load: Load, result: Result, *, now: datetime, took_s: float) -> bool:
    """Write down what became of a load; returns whether the next may go at once."""
    partner = Partner.every.select_for_update(of=("self",)).select_related("union").get(pk=load.partner.pk)
    answer = result.answer
    words = _words(answer)[:200]
    arrived = bool(result.taken or result.refused)
    too_much = not arrived and _is_about_the_content(answer)
    push = Push.every.create(
        partner=partner,
        message_id=load.message_id,
        at=now,
        took_ms=min(round(took_s * 1000), 2**31 - 1),
        outcome=PushOutcome.TAKEN
        if result.taken
        else (PushOutcome.REFUSED if too_much or arrived else PushOutcome.FAILED),
        status=answer.status,
        answer=words,
        places=len(load.items),
    )
    if result.taken:
        _taken(result, push, now)
    if result.refused:
        _refused(dict(result.refused), push, now)
    if arrived:
        return _went_well(partner, words, now)
    if too_much:
        return _content_refused(partner, load, push, words, now)
    _failed(partner, load, answer, words, now)
    return False


def _is_about_the_content(answer: Answer) -> bool:
    return answer.status is not None and 400 <= answer.status < 500 and answer.status not in _NOT_THE_CONTENT


def _words(answer: Answer) -> str:
    """With a hint where clocks are to blame: signatures hold for some minutes only."""
    ahead = answer.ahead_s
    if ahead is None or abs(ahead) < SKEWED_S or answer.is_taken:
        return answer.words
    return f"{answer.words}; its clock is {abs(round(ahead))} s {'ahead of' if ahead > 0 else 'behind'} ours"


def _taken(result: Result, push: Push, now: datetime) -> None:
    """By SQL: a load of hundreds is written in a few milliseconds, and what changed meanwhile goes on waiting."""
    went = [
        {
            "id": item.listing,
            "sequence": item.sequence,
            "wanted": item.is_wanted,
            "turn": item.turn,
            "theirs": result.their_ids.get(item.listing, "")[:120].replace("\0", ""),
        }
        for item in result.taken
    ]
    shown_as, gone_as = (
        (ListingState.ACCEPTED, ListingState.WITHDRAWN) if result.is_confirmed else (ListingState.SENT,) * 2
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH went AS (
                SELECT * FROM json_to_recordset(%s::json)
                    AS went (id bigint, sequence bigint, wanted boolean, turn integer, theirs text)
            ), written AS (
                UPDATE feeds_listing l SET
                    taken_sequence = went.sequence, taken_wanted = went.wanted, attempts = 0, failing_since = NULL,
                    last_answer = '', changed_at = %s, died_at = NULL,
                    their_id = CASE WHEN went.theirs = '' THEN l.their_id ELSE went.theirs END,
                    is_waiting = (l.sequence, l.is_wanted, l.turn) IS DISTINCT FROM
                        (went.sequence, went.wanted, went.turn),
                    state = CASE
                        WHEN (l.sequence, l.is_wanted, l.turn) IS DISTINCT FROM (went.sequence, went.wanted, went.turn)
                            THEN l.state
                        WHEN went.wanted THEN %s ELSE %s END
                FROM went WHERE l.id = went.id
            )
            INSERT INTO feeds_evidence (listing_id, at, kind, sequence, push_id, answer)
            SELECT went.id, %s, %s, went.sequence, %s, %s FROM went
                WHERE EXISTS (SELECT 1 FROM feeds_listing l WHERE l.id = went.id)
            """,
            [
                msgspec.json.encode(went).decode(),
                now,
                shown_as,
                gone_as,
                now,
                EvidenceKind.ACCEPTED if result.is_confirmed else EvidenceKind.SENT,
                push.pk,
                push.answer,
            ],
        )
    if result.is_confirmed:
        # What was only late is no longer on the red list; what an export showed stays there until one says otherwise.
        down = [item.listing for item in result.taken if item.gone]
        Listing.every.filter(pk__in=down, finding="").update(red_since=None, red_until=None, red_told=0)


def _refused(reasons: dict[int, str], push: Push, now: datetime) -> None:
    """A partner that names what it does not want will not want it any more in an hour: dead letters."""
    for listing in Listing.every.select_for_update().filter(pk__in=reasons):
        words = reasons[listing.pk][:200]
        listing.died_at, listing.is_waiting = now, False
        listing.attempts += 1
        listing.last_answer, listing.changed_at = words, now
        listing.save(update_fields=["died_at", "is_waiting", "attempts", "last_answer", "changed_at"])
        _note(listing.pk, EvidenceKind.REFUSED, listing.sequence, push, words, now)


def _went_well(partner: Partner, words: str, now: datetime) -> bool:
    if partner.told_failing_at is not None:
        send(
            title=format_lazy(_("{name} takes our places again"), name=partner.name),
            body=_("What waited is on its way."),
            link=reverse("feeds:partner", args=[partner.public_id]),
            union=partner.union,
            right=MANAGE_PARTNERS,
        )
    partner.failures, partner.failing_since, partner.told_failing_at = 0, None, None
    partner.last_answer = words
    partner.batch = min(MOST_IN_A_BATCH, partner.batch * 4)
    partner.due_at = now + timedelta(hours=partner.file_every_hours) if partner.sends_files else None
    partner.save(update_fields=["failures", "failing_since", "told_failing_at", "last_answer", "batch", "due_at"])
    return not partner.sends_files


def _content_refused(partner: Partner, load: Load, push: Push, words: str, now: datetime) -> bool:
    """Find out which place it is: ever smaller loads, until one alone is refused some times."""
    partner.last_answer = words
    if len(load.items) > 1:
        partner.batch = max(1, len(load.items) // 8)
        partner.due_at = now + timedelta(seconds=PAUSES_S[0]) if partner.sends_files else None
        partner.save(update_fields=["last_answer", "batch", "due_at"])
        return not partner.sends_files
    partner.save(update_fields=["last_answer"])
    (item,) = load.items
    listing = Listing.every.select_for_update().get(pk=item.listing)
    listing.attempts += 1
    listing.last_answer, listing.changed_at = words, now
    if listing.attempts >= MOST_REFUSALS:
        listing.died_at, listing.is_waiting = now, False
        _note(listing.pk, EvidenceKind.DIED, listing.sequence, push, words, now)
    listing.save(update_fields=["attempts", "last_answer", "changed_at", "died_at", "is_waiting"])
    return True


def _failed(partner: Partner, load: Load, answer: Answer, words: str, now: datetime) -> None:
    """The partner as a whole cannot be reached: back off, then only probe; after days, give up what waits."""
    partner.failures += 1
    partner.failing_since = partner.failing_since or now
    partner.last_answer = words
    pause = pause_s(min(partner.failures, len(PAUSES_S)), asked_s=answer.retry_after_s) or PAUSES_S[-1]
    partner.due_at = now + timedelta(seconds=pause)
    if partner.is_cut_off:
        partner.batch = 1
    if answer.status == GONE:
        partner.paused_at, partner.pause_reason = now, PauseReason.GONE
    if (partner.failures == OPENS_AFTER or partner.is_paused) and partner.told_failing_at is None:
        partner.told_failing_at = now
        _tell_of_failure(partner, words)
    partner.save()
    tried = Listing.every.filter(pk__in=[item.listing for item in load.items])
    tried.update(attempts=F("attempts") + 1, last_answer=words)
    tried.filter(failing_since=None).update(failing_since=now)
    if now - partner.failing_since >= GIVEN_UP_AFTER:
        _give_up(partner, words, now)


def _give_up(partner: Partner, words: str, now: datetime) -> None:
    waiting = list(Listing.every.filter(partner=partner, is_waiting=True).values_list("pk", "sequence"))
    Listing.every.filter(pk__in=[pk for pk, _sequence in waiting]).update(
        is_waiting=False, died_at=now, last_answer=words, changed_at=now
    )
    Evidence.every.bulk_create(
        [
            Evidence(listing_id=pk, at=now, kind=EvidenceKind.DIED, sequence=sequence, answer=words)
            for pk, sequence in waiting
        ],
        batch_size=2_000,
    )
    Partner.every.filter(pk=partner.pk).update(failing_since=now)  # what comes now has its own days
    send(
        title=format_lazy(_("Given up for {name}: {count} places"), name=partner.name, count=len(waiting)),
        body=_("It could not be reached for three days. Send the dead letters again once it can."),
        link=reverse("feeds:dead_letters"),
        union=partner.union,
        right=MANAGE_PARTNERS,
    )


def _tell_of_failure(partner: Partner, words: str) -> None:
    send(
        title=format_lazy(_("{name} does not take our places: {answer}"), name=partner.name, answer=words),
        body=_("Nothing is lost: what changes waits, and we go on trying ever more seldom."),
        link=reverse("feeds:partner", args=[partner.public_id]),
        union=partner.union,
        right=MANAGE_PARTNERS,
    )


def _note(listing: int, kind: EvidenceKind, sequence: int, push: Push, words: str, now: datetime) -> None:
    Evidence.every.create(listing_id=listing, at=now, kind=kind, sequence=sequence, push=push, answer=words)
