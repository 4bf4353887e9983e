"""微心愿: onto the wall after review, claimed by exactly one sponsor, handed over, confirmed, thanked for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases import wish_actions as actions
from yizhan.cases.models import (
    By,
    Case,
    CaseEventKind,
    CaseState,
    ClaimEnd,
    Sponsor,
    Wish,
    WishClaim,
    WishState,
)
from yizhan.cases.models.case import OPEN_STATES, WORKED_ON
from yizhan.cases.rights import HANDLE_CASES
from yizhan.cases.wish_rights import PUBLISH_WISHES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import policy

from .log import Actor, clean_words, locked, needed_words, step
from .notices import tell_union, words_for

CLAIM_DAYS: Final = 14  # until a claim that was not kept is free for others again
WISH: Final = "wish"
_PERSONAL: Final = re.compile(r"(?<!\d)(1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")


@transaction.atomic
def publish_wish(case: Case, *, title: str, words: str = "", actor: Actor, at: datetime | None = None) -> Wish:
    """Put a wish on the public wall, in words in which nobody can be recognised: whoever does has reviewed them.

    A case that nobody had answered is accepted by it. A wish that was taken off comes back with the new words.

    Raises:
        NotAllowed: the actor publishes no wishes of that union.
        RuleBroken: the case is no open wish, is on the wall, or the words name a person or a number of theirs.
    """
    current = locked(case)
    policy.require(actor, PUBLISH_WISHES, current.union)
    if current.kind != WISH or current.state not in OPEN_STATES or current.offered_to_id is not None:
        raise RuleBroken.at("case", current.number, _("Only an open wish of your union goes on the wall."), "state")
    heading = " ".join(needed_words(title, _("Say what is wished for."), field="title").split())[:60]
    said = clean_words(words, longest=300)
    for field, text in (("title", heading), ("words", said)):
        refuse_personal(current, field, text)
    now = at or timezone.now()
    wish = Wish.objects.with_scopes_disabled().select_for_update().filter(case=current).first()
    if wish is not None and wish.state != WishState.WITHDRAWN:
        raise RuleBroken.at("case", current.number, _("This wish is on the wall already."), "taken")
    if current.state == CaseState.SUBMITTED:
        step(current, CaseEventKind.ACCEPTED, actor=actor, at=at)
    wish = wish or Wish(case=current)
    wish.title, wish.words, wish.state, wish.published_at = heading, said, WishState.PUBLISHED, now
    wish.published_by = actor if isinstance(actor, Staff) else None
    wish.save()
    record(actor, actions.WISH_PUBLISHED, union=current.union, target=wish)
    return wish


def refuse_personal(case: Case, field: str, text: str) -> None:
    """Raise RuleBroken when the text names the worker, or a telephone or identity number."""
    names = [case.contact_name, case.worker.user.name if case.worker else ""]
    if _PERSONAL.search(text) or any(len(name) > 1 and name in text for name in names):
        rule = _("This names a person or a number of theirs; everyone would read it.")
        raise RuleBroken.at(field, "", rule, "personal")


@transaction.atomic
def withdraw_wish(wish: Wish, *, words: str, actor: Actor) -> Wish:
    """Take a wish off the wall; a claim that stands ends. The case goes on.

    Raises:
        NotAllowed, RuleBroken: no reason, or it was handed over.
    """
    said = needed_words(words, _("Say why."))[:300]
    current = _locked_wish(wish)
    policy.require(actor, PUBLISH_WISHES, current.case.union)
    if current.state == WishState.DELIVERED:
        raise RuleBroken.at("state", current.state, _("It was handed over already."), "state")
    _end_claim(current, ClaimEnd.TAKEN_BACK, said)
    _put(current, WishState.WITHDRAWN)
    record(actor, actions.WISH_WITHDRAWN, union=current.case.union, target=current)
    return current


@transaction.atomic
def claim_wish(wish: Wish, *, sponsor: Sponsor, actor: Actor | None = None, at: datetime | None = None) -> WishClaim:
    """A sponsor takes a wish on. Of two at once, one wins and the other is told. Again by the same sponsor: the same
    claim.

    Args:
        actor: Staff on the sponsor's behalf; None when the sponsor came by its signed link, which the caller checked.

    Raises:
        NotAllowed: the actor may not do so for wishes there.
        RuleBroken: the sponsor no longer takes part, or the wish is not free (`taken`).
    """
    current = _locked_wish(wish)
    if actor is not None:
        policy.require(actor, PUBLISH_WISHES, current.case.union)
    if not sponsor.is_active:
        raise RuleBroken.at("sponsor", sponsor.name, _("This sponsor no longer takes part."), "inactive")
    standing = _standing(current)
    if standing is not None and standing.sponsor_id == sponsor.pk:
        return standing
    if current.state != WishState.PUBLISHED or standing is not None:
        raise RuleBroken.at("wish", current.title, _("Someone was faster: this wish is taken."), "taken")
    if current.case.state not in OPEN_STATES:
        raise RuleBroken.at("wish", current.title, _("This wish is no longer open."), "state")
    now = at or timezone.now()
    until = now + timedelta(days=CLAIM_DAYS)
    try:
        with transaction.atomic():
            claim: WishClaim = WishClaim.objects.with_scopes_disabled().create(
                wish=current,
                sponsor=sponsor,
                by=actor if isinstance(actor, Staff) else None,
                claimed_at=now,
                until=until,
            )
    except IntegrityError:
        raise RuleBroken.at("wish", current.title, _("Someone was faster: this wish is taken."), "taken") from None
    _put(current, WishState.CLAIMED, claim_until=until)
    record(actor, actions.WISH_CLAIMED, union=current.case.union, target=current, details={"sponsor": sponsor.name})
    if actor is None:
        told = words_for(gettext_noop("%(sponsor)s takes this wish on."), sponsor=sponsor.name)
        tell_union(current.case, told)
    return claim


@transaction.atomic
def free_wish(wish: Wish, *, words: str = "", actor: Actor | None = None, sponsor: Sponsor | None = None) -> Wish:
    """End a claim, so that others can take the wish on: by the sponsor (checked by the caller), or by staff; by staff
    also when the worker said that what was handed over is not what they wished for.

    Raises:
        NotAllowed, RuleBroken: nobody has claimed it, or another sponsor did.
    """
    current = _locked_wish(wish)
    if actor is not None:
        policy.require(actor, PUBLISH_WISHES, current.case.union)
    if actor is not None and was_sent_back(current):
        kept = WishClaim.objects.with_scopes_disabled().filter(wish=current, ended_how=ClaimEnd.DELIVERED)
        kept.update(ended_how=ClaimEnd.TAKEN_BACK, words=clean_words(words, longest=300))
        current.thanks, current.thanks_public, current.delivered_at = None, "", None
        _put(current, WishState.PUBLISHED, also=["thanks", "thanks_public", "delivered_at"])
        details = {"how": str(ClaimEnd.TAKEN_BACK)}
        record(actor, actions.WISH_FREED, union=current.case.union, target=current, details=details)
        return current
    standing = _standing(current)
    if current.state != WishState.CLAIMED or standing is None or (sponsor and standing.sponsor_id != sponsor.pk):
        raise RuleBroken.at("wish", current.title, _("There is no claim to end."), "state")
    how = ClaimEnd.TAKEN_BACK if actor is not None else ClaimEnd.GIVEN_UP
    _end_claim(current, how, clean_words(words, longest=300))
    _put(current, WishState.PUBLISHED)
    record(actor, actions.WISH_FREED, union=current.case.union, target=current, details={"how": str(how)})
    if actor is None:
        tell_union(current.case, words_for(gettext_noop("The sponsor gave this wish up; it is on the wall again.")))
    return current


@transaction.atomic
def deliver_wish(
    wish: Wish,
    *,
    words: str = "",
    actor: Actor | None = None,
    sponsor: Sponsor | None = None,
    at: datetime | None = None,
) -> Wish:
    """Say that it was handed over: by the sponsor, or by staff. The worker is asked whether it came true.

    Raises:
        NotAllowed, RuleBroken: nobody has claimed it, or another sponsor did, or the case is not at that point.
    """
    said = clean_words(words, longest=300)
    case = locked(wish.case)
    current = _locked_wish(wish)
    if actor is not None:
        policy.require(actor, HANDLE_CASES, case.union)
    standing = _standing(current)
    if current.state != WishState.CLAIMED or standing is None or (sponsor and standing.sponsor_id != sponsor.pk):
        raise RuleBroken.at("wish", current.title, _("Nobody has claimed this wish."), "state")
    told = _("%(sponsor)s says that your wish was handed over.") % {"sponsor": standing.sponsor.name}
    if case.state != CaseState.PROPOSED:
        step(case, CaseEventKind.PROPOSED, actor=actor, by=By.SYSTEM, words=f"{told} {said}".strip(), at=at)
    _end_claim(current, ClaimEnd.DELIVERED, said, at=at)
    current.delivered_at = at or timezone.now()
    _put(current, WishState.DELIVERED, also=["delivered_at"])
    record(actor, actions.WISH_DELIVERED, union=case.union, target=current)
    if actor is None:
        tell_union(case, words_for(gettext_noop("The sponsor says that it was handed over; the worker is asked.")))
    return current


@transaction.atomic
def thank_for_wish(wish: Wish, *, worker: Worker, words: str) -> Wish:
    """The worker thanks. Staff review the words before the sponsor and everyone read them.

    Raises:
        RuleBroken: it is not their wish, it was not handed over, or nothing is said.
    """
    said = needed_words(words, _("Write a line of thanks."))[:300]
    current = _locked_wish(wish)
    if current.case.worker_id != worker.pk or current.state != WishState.DELIVERED:
        raise RuleBroken.at("wish", current.title, _("There is nothing to thank for yet."), "state")
    current.thanks, current.thanks_public = said, ""
    current.save(update_fields=["thanks", "thanks_public"])
    record(worker.user, actions.THANKS_WRITTEN, union=current.case.union, target=current)
    tell_union(current.case, words_for(gettext_noop("The worker wrote thanks; read them before they are published.")))
    return current


@transaction.atomic
def publish_thanks(wish: Wish, *, words: str, actor: Actor) -> Wish:
    """Put thanks on the wall, as reviewed.

    Raises:
        NotAllowed, RuleBroken: nothing was written, or the words name a person or a number of theirs.
    """
    current = _locked_wish(wish)
    policy.require(actor, PUBLISH_WISHES, current.case.union)
    if not current.thanks:
        raise RuleBroken.at("words", "", _("The worker has not written thanks."), "state")
    said = needed_words(words, _("Write a line of thanks."))[:300]
    refuse_personal(current.case, "words", said)
    current.thanks_public = said
    current.save(update_fields=["thanks_public"])
    record(actor, actions.THANKS_PUBLISHED, union=current.case.union, target=current)
    return current


def lapse_claims(*, at: datetime | None = None) -> int:
    """Free the wishes whose claim was not kept in time; gives how many. Harmless twice."""
    now = at or timezone.now()
    due = Wish.objects.with_scopes_disabled().filter(state=WishState.CLAIMED, claim_until__lte=now)
    freed = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            current = _locked_wish(Wish(pk=pk))
            if current.state != WishState.CLAIMED or current.claim_until is None or current.claim_until > now:
                continue
            _end_claim(current, ClaimEnd.LAPSED, "", at=now)
            is_open = current.case.state in OPEN_STATES
            _put(current, WishState.PUBLISHED if is_open else WishState.WITHDRAWN)
            details = {"how": str(ClaimEnd.LAPSED)}
            record(None, actions.WISH_FREED, union=current.case.union, target=current, details=details)
            told = gettext_noop("The claim of this wish ran out; it is on the wall again.")
            tell_union(current.case, words_for(told))
            freed += 1
    return freed


def was_sent_back(wish: Wish) -> bool:
    """Whether it was handed over, and the worker said that it did not come true."""
    case = wish.case
    return wish.state == WishState.DELIVERED and case.state in WORKED_ON and case.times_reopened > 0


def _locked_wish(wish: Wish) -> Wish:
    # The row of the wish alone: whoever also needs the case's row takes that first.
    found: Wish = (
        Wish.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("case__union", "case__worker__user", "case__handler")
        .get(pk=wish.pk)
    )
    return found


def _standing(wish: Wish) -> WishClaim | None:
    claims = WishClaim.objects.with_scopes_disabled().select_related("sponsor")
    found: WishClaim | None = claims.filter(wish=wish, ended_at=None).first()
    return found


def _end_claim(wish: Wish, how: ClaimEnd, words: str, *, at: datetime | None = None) -> None:
    standing = _standing(wish)
    if standing is not None:
        standing.ended_at = max(at or timezone.now(), standing.claimed_at)
        standing.ended_how, standing.words = how, words
        standing.save(update_fields=["ended_at", "ended_how", "words"])


def _put(wish: Wish, state: WishState, *, claim_until: datetime | None = None, also: list[str] | None = None) -> None:
    wish.state, wish.claim_until = state, claim_until
    wish.save(update_fields=["state", "claim_until", *(also or [])])
