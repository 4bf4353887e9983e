"""What the duty desk does: send someone, close what is no call, write to all nearby."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.rescue import reasons
from yizhan.rescue.actions import CALL_ASSIGNED
from yizhan.rescue.models import By, CallEventKind, CallState, Duty, Offer, OfferState, RescueCall, Rescuer
from yizhan.rescue.rights import DISPATCH
from yizhan.rescue.territory import territories
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

from . import subsidies
from .log import check, clean_words, close_offers, database_now, free_slot, locked, locked_rescuer, release, step


@transaction.atomic
def assign_call(call: RescueCall, rescuer: Rescuer, *, actor: Staff, seen: int | None = None) -> RescueCall:
    """Send a rescuer, whoever held the call or was asked before. Sent to whoever holds it, nothing changes.

    Args:
        seen: The version of the call that the desk saw; others' steps since then refuse this one.

    Raises:
        NotAllowed: `actor` may not at the call's union.
        NotNow: it is over, or unsafe.
        RuleBroken: someone acted meanwhile, or the rescuer is off duty, has no hand free, or serves another city.
    """
    policy.require(actor, DISPATCH, call.union)
    current = locked(call)
    check(current, CallEventKind.ASSIGNED)
    if current.rescuer_id == rescuer.pk:
        return current
    if seen is not None and seen != current.version:
        raise RuleBroken.at(
            "seen",
            seen,
            _("Something happened to this call meanwhile; look at it and decide again."),
            "changed_meanwhile",
        )
    whom = locked_rescuer(rescuer)
    where = territories({current.union.path})[current.union.path]
    if not rescuer.union.path.startswith(where) or not whom.is_active:
        raise RuleBroken.at("rescuer", whom.name, _("This rescuer does not serve here."), "elsewhere")
    if not Duty.objects.with_scopes_disabled().filter(rescuer=whom, ended_at=None).exists():
        raise RuleBroken.at("rescuer", whom.name, _("%(name)s is off duty.") % {"name": whom.name}, "off_duty")
    slot = free_slot(whom)
    at = database_now()
    close_offers(current, at)
    release(current, at)
    attempt = current.attempt + 1
    Offer.objects.with_scopes_disabled().create(
        call=current, rescuer=whom, attempt=attempt, state=OfferState.ACCEPTED, made_at=at, expires_at=at,
        answered_at=at, travel_s=0,
    )  # fmt: skip
    step(
        current, CallEventKind.ASSIGNED, by=By.DESK, at=at, post=actor, rescuer=whom, attempt=attempt, accepted_at=at,
        arrived_at=None, slot=slot, rescuer_id=whom.pk,
    )  # fmt: skip
    record(actor, CALL_ASSIGNED, union=current.union, target=current, details={"rescuer": whom.name})
    return current


@transaction.atomic
def mark_false(call: RescueCall, *, actor: Staff, words: str) -> RescueCall:
    """It was no call: a joke, or a slip, also when that comes out after it was paid. It can be opened again.

    Raises:
        NotAllowed: `actor` may not at the call's union.
        NotNow: it is over otherwise.
        RuleBroken: no reason is given.
    """
    policy.require(actor, DISPATCH, call.union)
    said = clean_words(words)
    if not said:
        raise RuleBroken.at("words", "", _("Say why it is a false call."), "missing")
    current = locked(call)
    if current.state == CallState.FALSE_CALL:
        return current
    at = database_now()
    step(
        current, CallEventKind.FALSE_CALL, by=By.DESK, at=at, post=actor, rescuer=current.rescuer, words=said,
        closed_at=at,
    )  # fmt: skip
    subsidies.drop(current, at, reasons.FALSE_CALL)
    close_offers(current, at)
    release(current, at)
    return current


@transaction.atomic
def broadcast(call: RescueCall, *, actor: Staff, most: int = 20, offer_s: float = 60.0) -> int:
    """Ask everybody nearby at once, as many as `most`. Says how many were really asked now.

    Raises:
        NotAllowed: `actor` may not at the call's union.
        NotNow: nobody is looked for.
    """
    from .dispatching import free_rescuers, nearest_of

    policy.require(actor, DISPATCH, call.union)
    current = locked(call)
    check(current, CallEventKind.OFFERED)
    at = database_now()
    where = territories({current.union.path})[current.union.path]
    asked = set(
        Offer.objects.with_scopes_disabled()
        .filter(call=current, attempt=current.attempt)
        .values_list("rescuer", flat=True)
    )
    free = [each for each in free_rescuers(at) if each.path.startswith(where) and each.pk not in asked]
    for rescuer, travel_s in nearest_of(current, free, most):
        offer = Offer(
            call=current, rescuer_id=rescuer, attempt=current.attempt, made_at=at,
            expires_at=at + timedelta(seconds=offer_s), travel_s=travel_s,
        )  # fmt: skip
        Offer.objects.with_scopes_disabled().bulk_create([offer], ignore_conflicts=True)
    made: int = Offer.objects.with_scopes_disabled().filter(call=current, made_at=at).count()
    if made:
        to = CallState.OFFERED if current.state == CallState.SUBMITTED else CallState(current.state)
        step(current, CallEventKind.OFFERED, by=By.DESK, at=at, post=actor, to=to)
    return made
