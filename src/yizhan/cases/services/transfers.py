"""转办: one union offers a case to another, up, down or sideways. It moves when the other accepts, and not before."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases.circle import circle_of, in_circle
from yizhan.cases.kinds import kind_of
from yizhan.cases.models import Case, CaseEventKind
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import NotAllowed, policy

from .intake import receiving_union
from .log import Actor, begin, check_seen, clean_words, locked, needed_words, step
from .notices import tell_union, words_for


@transaction.atomic
def offer_transfer(
    case: Case, *, to: Union, actor: Actor, words: str, seen: int | None = None, at: datetime | None = None
) -> Case:
    """Offer the case to another union; it stays ours, with its deadlines, until they accept.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or no reason, or nobody there could take it.
    """
    said = needed_words(words, _("Say why it belongs to them."))
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    if to.pk == current.union_id:
        raise RuleBroken.at("to", to.name, _("The case is theirs already."), "own")
    if not to.is_active or receiving_union(to, kind_of(current.kind, to)).pk != to.pk or not _has_people(to, current):
        raise RuleBroken.at("to", to.name, _("Nobody at this union can take it."), "nobody")
    step(current, CaseEventKind.TRANSFER_OFFERED, actor=actor, words=said, data={"union": to.pk}, at=at)
    tell_union(current, words_for(gettext_noop("%(union)s offers you this case."), union=current.union.name), union=to)
    return current


@transaction.atomic
def accept_transfer(
    case: Case, *, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Take over a case that was offered to us. Ownership moves here, by a conditional write; the earlier owner is kept.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or the offer is gone.
    """
    current, taker = _begin_taking(case, actor=actor, seen=seen)
    earlier = current.union
    # Two who accept at once, or one who accepts what was just taken back: only one of them finds the offer here.
    moved = (
        Case.objects.with_scopes_disabled()
        .filter(pk=current.pk, union=earlier, offered_to=taker)
        .update(union=taker, offered_to=None)
    )
    if moved != 1:
        raise _gone()
    data = {"union": taker.pk}
    step(current, CaseEventKind.TRANSFER_ACCEPTED, actor=actor, words=clean_words(words), data=data, at=at)
    tell_union(current, words_for(gettext_noop("%(union)s took over your case."), union=taker.name), union=earlier)
    return current


@transaction.atomic
def refuse_transfer(
    case: Case, *, actor: Actor, words: str, seen: int | None = None, at: datetime | None = None
) -> Case:
    """Say why we do not take it; it stays with its owner.

    Raises:
        NotAllowed, ChangedMeanwhile, RuleBroken: as for all steps; or no reason is given, or the offer is gone.
    """
    said = needed_words(words, _("Say why you do not take it."))
    current, taker = _begin_taking(case, actor=actor, seen=seen)
    step(current, CaseEventKind.TRANSFER_REFUSED, actor=actor, words=said, data={"union": taker.pk}, at=at)
    tell_union(current, words_for(gettext_noop("%(union)s does not take the case over."), union=taker.name))
    return current


@transaction.atomic
def cancel_transfer(
    case: Case, *, actor: Actor, words: str = "", seen: int | None = None, at: datetime | None = None
) -> Case:
    """Take our offer back. Raises as all steps do."""
    current = begin(case, actor=actor, right=HANDLE_CASES, seen=seen)
    if current.offered_to is None:
        raise _gone()
    taker = current.offered_to
    data = {"union": taker.pk}
    step(current, CaseEventKind.TRANSFER_CANCELLED, actor=actor, words=clean_words(words), data=data, at=at)
    tell_union(current, words_for(gettext_noop("The offer of this case was taken back.")), union=taker)
    return current


def _begin_taking(case: Case, *, actor: Actor, seen: int | None) -> tuple[Case, Union]:
    current = locked(case)
    taker = current.offered_to
    if taker is None:
        raise _gone()
    policy.require(actor, HANDLE_CASES, taker)
    if current.is_confidential and not (
        in_circle(actor, current)
        and (not isinstance(actor, Staff) or circle_of(taker, current.kind).filter(pk=actor.pk).exists())
    ):
        raise NotAllowed(HANDLE_CASES, taker)
    check_seen(current, seen)
    return current, taker


def _has_people(union: Union, case: Case) -> bool:
    if case.is_confidential:
        return bool(circle_of(union, case.kind).exists())
    posts = Staff.objects.with_scopes_disabled().filter(union=union, is_active=True, user__is_active=True)
    return bool(posts.filter(role__in=policy.roles(HANDLE_CASES)).exists())


def _gone() -> RuleBroken:
    return RuleBroken.at("offer", "", _("There is no such offer any more."), "gone")
