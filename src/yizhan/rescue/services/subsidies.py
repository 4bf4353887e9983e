"""The subsidy of a finished call: expected when it is mended, paid when the rider has confirmed, dropped with the call.

What is paid is one redemption of a programme, through the same service, budgets and books as a meal at a counter. All
of it waits at the row of the call, so that a call cannot be paid while it is opened again, nor twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from yizhan.benefits.models import BenefitOffer, Channel, PartyKind, Programme, ProgrammeState, RedemptionState
from yizhan.benefits.refusals import Refused
from yizhan.benefits.services import redeeming
from yizhan.benefits.services.offers import set_offer
from yizhan.benefits.services.programmes import locked as locked_programme
from yizhan.benefits.services.taking_back import void
from yizhan.benefits.split import Part
from yizhan.places.models import Place
from yizhan.rescue import reasons
from yizhan.rescue.actions import SUBSIDY_PAID
from yizhan.rescue.models import RescueCall, Subsidy, SubsidyState, SubsidyTerms
from yizhan.rescue.rights import PAY_SUBSIDIES
from yizhan.unions.audit import record
from yizhan.unions.models import Staff, Union, User, Worker
from yizhan.unions.rights import OPERATOR, Operator, policy

from .evidence import evidence_of
from .log import database_now, locked

logger = structlog.get_logger(__name__)

# Paid within this time, it counts on the day of the rescue; later it counts on the day on which it is paid, so that
# what a spent day refused can be paid on the next.
THE_SAME_DAY: Final = timedelta(hours=24)
MOST_AT_ONCE: Final = 500


class _NotPaid(Exception):
    """Why not; `code` is of `reasons` or of the programme's refusals."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def terms_over(union: Union) -> list[SubsidyTerms]:
    """What may pay for a call of a union: its own programmes and those of unions above, the nearest first."""
    steps = range(Union.steplen, len(union.path) + 1, Union.steplen)
    found = (
        SubsidyTerms.objects.with_scopes_disabled()
        .filter(programme__union__path__in=[union.path[:end] for end in steps])
        .exclude(programme__state__in=[ProgrammeState.DRAFT, ProgrammeState.ENDED])
        .select_related("programme__union")
    )
    return sorted(found, key=lambda terms: (-len(terms.programme.union.path), -terms.pk))


def expect(call: RescueCall, at: datetime) -> None:
    """A locked call is mended: where a programme may pay for it, the desk sees what it still waits for."""
    if call.rescuer_id is None or not terms_over(call.union):
        return
    Subsidy.objects.with_scopes_disabled().get_or_create(
        call=call, turn=call.times_reopened, defaults={"rescuer_id": call.rescuer_id, "made_at": at}
    )


def confirmed(call: RescueCall, at: datetime) -> None:
    """The rider of a locked call has confirmed: it is paid once this is committed, or within the next minute."""
    expect(call, at)  # a programme may have been opened since it was mended
    mine = Subsidy.objects.with_scopes_disabled().filter(call=call, state=SubsidyState.WAITING)
    for pk in list(mine.values_list("pk", flat=True)):
        mine.filter(pk=pk).update(state=SubsidyState.DUE)
        transaction.on_commit(partial(_try, pk), robust=True)


def drop(call: RescueCall, at: datetime, reason: str) -> None:
    """A locked call is opened again or was none: what was paid goes back to budget and books, what was not is off."""
    rows = Subsidy.objects.with_scopes_disabled().filter(call=call).exclude(state=SubsidyState.DROPPED)
    for subsidy in rows.select_for_update(of=("self",)).select_related("redemption"):
        paid = subsidy.redemption
        if paid is not None and paid.state == RedemptionState.REDEEMED:  # else finance took it back before
            with translation.override(settings.LANGUAGE_CODE):
                void(paid, actor=OPERATOR, reason=reasons.words_for(reason))
        subsidy.state, subsidy.reason, subsidy.ended_at = SubsidyState.DROPPED, reason, at
        subsidy.save(update_fields=["state", "reason", "ended_at"])


def _try(pk: int) -> None:
    """One try at once, so that it need not wait for the minute; whatever fails is tried again by then."""
    try:
        pay(Subsidy(pk=pk))
    except DatabaseError as failed:
        logger.warning("rescue.subsidy_waits", error=str(failed).splitlines()[0] if str(failed) else "")


def pay_due() -> int:
    """Pay what waits to be paid, the oldest first; says how many were paid. Another process's are left to it."""
    due = Subsidy.objects.with_scopes_disabled().filter(state=SubsidyState.DUE).order_by("made_at", "pk")
    paid = 0
    for pk in list(due.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        paid += pay(Subsidy(pk=pk)).state == SubsidyState.PAID
    return paid


@transaction.atomic
def pay(subsidy: Subsidy, *, actor: Staff | Operator = OPERATOR, at: datetime | None = None) -> Subsidy:
    """Pay the subsidy of a call once, if the evidence is whole and a programme grants it; else say why not.

    Idempotent: what is paid or dropped stays as it is. Staff may try again what was refused; a rider who was not signed
    in is then found by the number of the call, since a person has rung it.

    Args:
        at: When, for samples of the past; now unless told.

    Raises:
        NotAllowed: `actor` may not pay at the call's union.
    """
    known: Subsidy = Subsidy.objects.with_scopes_disabled().select_related("call__union").get(pk=subsidy.pk)
    policy.require(actor, PAY_SUBSIDIES, known.call.union)
    call = locked(known.call)
    current: Subsidy = (
        Subsidy.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("rescuer__place__union", "rescuer__paid_at__union", "rescuer__user")
        .get(pk=subsidy.pk)
    )
    if current.state in {SubsidyState.PAID, SubsidyState.DROPPED}:
        return current
    at = at or database_now()
    current.call = call
    current.tries += 1
    current.tried_at, current.tried_by = at, actor if isinstance(actor, Staff) else None
    try:
        _redeem(current, at, by_hand=isinstance(actor, Staff))
    except _NotPaid as refused:
        waits = refused.code == reasons.NO_WORD
        current.state = SubsidyState.WAITING if waits else SubsidyState.REFUSED
        current.reason = refused.code
    else:
        current.state, current.reason = SubsidyState.PAID, ""
        if isinstance(actor, Staff):
            record(actor, SUBSIDY_PAID, union=call.union, target=call, details={"tries": current.tries})
    current.save()
    return current


def _redeem(current: Subsidy, at: datetime, *, by_hand: bool) -> None:
    call = current.call
    place = current.rescuer.place or current.rescuer.paid_at
    found = evidence_of(call)
    current.distance_m = found.distance_m
    if lacking := found.lacks(radius_m=10_000_000):  # whatever a programme's radius is
        raise _NotPaid(lacking)
    current.worker = rider = _rider(call, by_hand=by_hand)
    if rider.user_id == current.rescuer.user_id:
        raise _NotPaid(reasons.OWN_CALL)
    if place is None:
        raise _NotPaid(reasons.NOBODY_TO_PAY)
    terms = _terms(call, place)
    current.programme, current.place = terms.programme, place
    if lacking := found.lacks(radius_m=terms.proof_radius_m):
        raise _NotPaid(lacking)
    mended = call.done_at or at
    if timezone.localdate(mended) < terms.programme.starts_on:
        raise _NotPaid(reasons.BEFORE_START)
    offer = offer_at(terms, place)
    try:
        receipt = redeeming.redeem(
            offer=offer,
            worker=rider,
            request_id=uuid5(NAMESPACE_URL, f"rescue/{call.public_id}/{current.turn}"),
            device="rescue",
            actor=OPERATOR,
            channel=Channel.SYSTEM,
            at=mended if at - mended <= THE_SAME_DAY else at,
            distance_m=found.distance_m,
        )
    except Refused as refused:
        raise _NotPaid(refused.code) from None
    current.redemption_id = receipt.redemption_id


def _rider(call: RescueCall, *, by_hand: bool) -> Worker:
    """Whose rescue it was. A number that anyone could have typed counts only when a person stands in for it."""
    if call.worker is not None:
        return call.worker
    if by_hand and call.contact_phone:
        user = User.objects.with_phone(call.contact_phone)
        found = Worker.objects.with_scopes_disabled().filter(user=user).first() if user else None
        if found is not None:
            return found  # type: ignore[no-any-return]
    raise _NotPaid(reasons.UNKNOWN_RIDER)


def _terms(call: RescueCall, place: Place) -> SubsidyTerms:
    """The nearest open programme that pays for this at this place, or the reason why there is none."""
    reason = reasons.NO_PROGRAMME
    for terms in terms_over(call.union):
        if terms.programme.state != ProgrammeState.OPEN:
            continue
        if not terms.covers(call.problem):
            reason = reasons.OTHER_PROBLEM
        elif not place.union.path.startswith(terms.programme.union.path):
            reason = reasons.POINT_ELSEWHERE
        else:
            return terms
    raise _NotPaid(reason)


def offer_at(terms: SubsidyTerms, place: Place) -> BenefitOffer:
    """What the programme pays at a repair point; made with the terms' amount where the point is new."""
    if found := _offer(terms.programme, place):
        return found
    programme = locked_programme(terms.programme)  # of two who find none, one makes it
    if found := _offer(programme, place):
        return found
    with translation.override(settings.LANGUAGE_CODE):
        return set_offer(
            programme,
            place=place,
            name=_("Rescue subsidy"),
            list_price_fen=terms.amount_fen,
            parts=[Part(PartyKind.UNION, None, union=programme.union)],
            actor=OPERATOR,
        )


def _offer(programme: Programme, place: Place) -> BenefitOffer | None:
    found: BenefitOffer | None = (
        BenefitOffer.objects.with_scopes_disabled()
        .filter(programme=programme, place=place)
        .select_related("programme__union", "place__union")
        .order_by("-is_active", "pk")
        .first()
    )
    return found
