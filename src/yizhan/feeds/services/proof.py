"""What partners and staff say of listings: live, taken down, refused. What exports show is in `reconciling`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.feeds import actions
from yizhan.feeds.models import (
    Carrier,
    Evidence,
    EvidenceKind,
    FindingKind,
    Listing,
    ListingState,
    Partner,
    PauseReason,
    Push,
)
from yizhan.feeds.rights import MANAGE_PARTNERS, RECONCILE
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy
from yizhan.unions.services.inbox import send

MOST_AT_ONCE = 1_000
LATE_AFTER = timedelta(hours=24)  # a withdrawal that nobody has taken by then is on the red list
PUSHES_KEPT = timedelta(days=400)
SAYABLE = ("live", "gone", "refused")


@dataclass(frozen=True, slots=True)
class Saying:
    """What a partner says of one place: `live`, `gone` or `refused`, and its own number or a note."""

    place: UUID
    state: str
    their_id: str = ""
    note: str = ""


@transaction.atomic
def hear(partner: Partner, sayings: Sequence[Saying], *, at: datetime | None = None) -> int:
    """Note what a partner says of its listings; returns how many. Saying the same again is harmless.

    Raises:
        RuleBroken: a place was never sent to it, or a state is none; nothing was noted.
    """
    now = at or timezone.now()
    if len(sayings) > MOST_AT_ONCE:
        raise RuleBroken.at("places", len(sayings), _("at most %(most)s at once") % {"most": MOST_AT_ONCE}, "too_many")
    listings = {
        listing.place.public_id: listing
        for listing in Listing.every.select_for_update(of=("self",))
        .select_related("place", "partner")
        .filter(partner=partner, place__public_id__in=[saying.place for saying in sayings])
        .order_by("pk")
    }
    problems = []
    for number, saying in enumerate(sayings):
        if saying.place not in listings:
            message = _("This place was never sent to you.")
            problems.append(Problem(f"places.{number}.place", str(saying.place), message, "unknown_place"))
        if saying.state not in SAYABLE:
            message = _("Choose one of: %(states)s.") % {"states": ", ".join(SAYABLE)}
            problems.append(Problem(f"places.{number}.state", saying.state[:20], message, "unknown_state"))
    if problems:
        raise RuleBroken(problems)
    for saying in sayings:
        _note(listings[saying.place], saying, now)
    return len(sayings)


def _note(listing: Listing, saying: Saying, now: datetime) -> None:
    if saying.their_id:
        listing.their_id = saying.their_id[:120]
    kind, answer = EvidenceKind.LIVE, saying.note[:200]
    match saying.state:
        case "live":
            listing.seen_at = now
            if listing.is_wanted:
                if not listing.is_waiting:  # otherwise an earlier state is live, and the newer one is on its way
                    listing.state = ListingState.LIVE
                listing.finding, listing.found = FindingKind.NONE, {}
            else:
                mark_still_shown(listing, now)
        case "gone":
            kind = EvidenceKind.DOWN
            mark_down(listing)
        case "refused":
            kind = EvidenceKind.REFUSED
            listing.died_at, listing.is_waiting, listing.last_answer = now, False, answer
    if listing.died_at is not None and saying.state != "refused":
        listing.died_at = None
    listing.changed_at = now
    listing.save()
    Evidence.every.create(listing=listing, at=now, kind=kind, sequence=listing.taken_sequence, answer=answer)


def mark_down(listing: Listing) -> None:
    """It is not on the map. Where it should be, it is to be sent once more."""
    listing.finding, listing.found = FindingKind.NONE, {}
    listing.red_since = listing.red_until = None
    listing.red_told = 0
    if listing.is_wanted:
        listing.state, listing.finding = ListingState.STALE, FindingKind.MISSING
        if listing.partner.carrier != Carrier.NONE:
            listing.is_waiting, listing.turn = True, listing.turn + 1
    else:
        listing.state, listing.is_waiting, listing.taken_wanted = ListingState.WITHDRAWN, False, False


def mark_still_shown(listing: Listing, now: datetime) -> None:
    """A place that is to be taken down is on the map: red, with a deadline."""
    listing.state, listing.finding = ListingState.STALE, FindingKind.STILL_SHOWN
    if listing.red_since is None:
        listing.red_since, listing.red_until = now, now + timedelta(days=listing.partner.red_days)
        listing.red_told = 0


@transaction.atomic
def note_taken_down(*, staff: Staff | Operator, listing: Listing, note: str = "") -> Listing:
    """Note that somebody looked, and a place is on the partner's map no more.

    Raises:
        NotAllowed: staff may not compare maps at the place's union.
        RuleBroken: the place is to be shown.
    """
    locked: Listing = (
        Listing.every.select_for_update(of=("self",)).select_related("place__union", "partner").get(pk=listing.pk)
    )
    policy.require(staff, RECONCILE, locked.place.union)
    if locked.is_wanted:
        raise RuleBroken.at("state", locked.state, _("This place is to be shown there."), "wanted")
    if locked.state == ListingState.WITHDRAWN and not locked.finding:
        return locked
    now = timezone.now()
    mark_down(locked)
    locked.died_at, locked.changed_at = None, now
    locked.save()
    Evidence.every.create(
        listing=locked,
        at=now,
        kind=EvidenceKind.DOWN,
        sequence=locked.sequence,
        answer=" ".join(note.split())[:200],
        by=staff if isinstance(staff, Staff) else None,
    )
    record(staff, actions.TAKEN_DOWN, union=locked.place.union, target=locked)
    return locked


@transaction.atomic
def watch_red_list(*, now: datetime | None = None) -> int:
    """Put what is late to be taken down on the red list, and remind of it: when it comes there and past its deadline.

    Returns how many reminders were made.
    """
    now = now or timezone.now()
    late = (
        Listing.every.select_for_update(of=("self",))
        .select_related("partner")
        .filter(is_wanted=False, red_since=None, changed_at__lte=now - LATE_AFTER)
        .exclude(state=ListingState.WITHDRAWN)
        .exclude(partner__pause_reason=PauseReason.STAFF)
    )
    for listing in late:
        listing.red_since, listing.red_until = now, now + timedelta(days=listing.partner.red_days)
        listing.red_told = 0
        listing.save(update_fields=["red_since", "red_until", "red_told"])
    red = (
        Listing.every.select_for_update(of=("self",))
        .select_related("partner__union", "place__union")
        .filter(red_since__isnull=False)
    )
    told = 0
    for listing in red:
        wanted = 2 if listing.red_until is not None and listing.red_until <= now else 1
        if listing.red_told >= wanted:
            continue
        _remind(listing, is_over=wanted == 2)
        listing.red_told = wanted
        listing.save(update_fields=["red_told"])
        told += 1
    return told


def _remind(listing: Listing, *, is_over: bool) -> None:
    title = (
        gettext_lazy("{place} is closed, and {partner} still shows it past the deadline")
        if is_over
        else gettext_lazy("{place} is closed, but {partner} may still show it")
    )
    send(
        title=format_lazy(title, place=listing.place.name, partner=listing.partner.name),
        body=gettext_lazy(
            "Riders are led to a closed door. Ask the partner to take it down, then note that it is gone."
        ),
        link=reverse("feeds:red_list"),
        union=listing.place.union,
        right=RECONCILE,
    )
    if is_over and listing.partner.union_id != listing.place.union_id:
        send(
            title=format_lazy(title, place=listing.place.name, partner=listing.partner.name),
            link=reverse("feeds:red_list"),
            union=listing.partner.union,
            right=MANAGE_PARTNERS,
        )


def forget_old_pushes(*, now: datetime | None = None, kept: timedelta = PUSHES_KEPT) -> int:
    """Remove deliveries and evidence past their retention; returns how many. How a listing stands now, stays."""
    before = (now or timezone.now()) - kept
    removed: int = Evidence.every.filter(at__lt=before).delete()[0]
    removed += Push.every.filter(at__lt=before).delete()[0]
    return removed
