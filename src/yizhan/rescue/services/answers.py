"""What the rescuer does: take a call or not, set out, arrive, mend, give back, find nobody.

However many accept at the same instant, one wins: they wait for one another at the row of the call, and the database
holds at most one accepted offer of a call.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.rescue import reasons
from yizhan.rescue.models import (
    By,
    CallEventKind,
    CallPhoto,
    CallState,
    Duty,
    Offer,
    OfferState,
    RescueCall,
    Rescuer,
    RescuerKind,
)
from yizhan.unions import errors
from yizhan.unions.errors import RuleBroken

from . import subsidies
from .calls import add_photo, tell_desk, wake_dispatcher
from .duty import unanswered
from .log import (
    NotNow,
    check,
    clean_words,
    close_offers,
    database_now,
    free_slot,
    locked,
    locked_rescuer,
    release,
    step,
)

UNDO_WITHIN: Final = timedelta(hours=2)
FRESH: Final = timedelta(minutes=5)  # a position older than this is no evidence of where someone is


class TooLate(RuleBroken):
    """The call is no longer offered to the rescuer: another took it, it was called off, or time ran out."""

    def __init__(self, offer: Offer) -> None:
        said = {
            OfferState.LAPSED: _("The time for this call ran out; it was offered to others."),
            OfferState.DECLINED: _("You declined this call."),
        }.get(OfferState(offer.state), _("This call is taken or was called off; thank you all the same."))
        super().__init__(errors.Problem("offer", str(offer.public_id), said, "too_late"))


@transaction.atomic
def accept_offer(offer: Offer) -> RescueCall:
    """Take a call. Exactly one of all who were asked gets it; a repeated request by the winner changes nothing.

    An offer whose time has run out can be taken as long as nobody has noticed: what counts is the row, not the clock.

    Raises:
        TooLate: another took it, it was called off, or the offer was closed.
        RuleBroken: the rescuer has as many calls in hand as they may, or is off duty.
    """
    call = locked(RescueCall(pk=offer.call_id))
    rescuer = locked_rescuer(Rescuer(pk=offer.rescuer_id))
    current: Offer = Offer.objects.with_scopes_disabled().select_for_update().get(pk=offer.pk)
    if current.state == OfferState.ACCEPTED and call.rescuer_id == rescuer.pk:
        return call
    if current.state != OfferState.OPEN or not call.is_waiting or current.attempt != call.attempt:
        raise TooLate(current)
    if not Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None).exists():
        raise RuleBroken.at("rescuer", rescuer.name, _("You are off duty: go on duty first."), "off_duty")
    slot = free_slot(rescuer)
    at = database_now()
    Offer.objects.with_scopes_disabled().filter(pk=current.pk).update(state=OfferState.ACCEPTED, answered_at=at)
    close_offers(call, at)
    step(
        call, CallEventKind.ACCEPTED, by=By.RESCUER, at=at, rescuer=rescuer, accepted_at=at, slot=slot,
        rescuer_id=rescuer.pk,
    )  # fmt: skip
    return call


@transaction.atomic
def decline_offer(offer: Offer) -> Offer:
    """Say no, so that the next one is asked at once. Repeated, it changes nothing.

    Raises:
        TooLate: it was closed otherwise.
    """
    call = locked(RescueCall(pk=offer.call_id))
    current: Offer = Offer.objects.with_scopes_disabled().select_for_update().select_related("rescuer").get(pk=offer.pk)
    if current.state == OfferState.DECLINED:
        return current
    if current.state != OfferState.OPEN:
        raise TooLate(current)
    at = database_now()
    current.state, current.answered_at = OfferState.DECLINED, at
    current.save(update_fields=["state", "answered_at"])
    if call.is_waiting:
        unanswered(call, CallEventKind.DECLINED, current.rescuer, at)
        wake_dispatcher()
    return current


def _own(call: RescueCall, rescuer: Rescuer, kind: CallEventKind) -> RescueCall:
    """The locked call, if it is in this rescuer's hands."""
    current = locked(call)
    if current.rescuer_id != rescuer.pk:
        raise NotNow(current, kind)
    return current


def _position(rescuer: Rescuer, told: tuple[float, float] | None) -> tuple[float, float] | None:
    """Where the rescuer is: as told with the step, else as their phone told within the last minutes.

    Where a fixed point stands says nothing about where its helper is.
    """
    if told is not None:
        return told
    if rescuer.kind == RescuerKind.FIXED:
        return None
    lately = database_now() - FRESH
    found = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None, position_at__gte=lately)
    return found.values_list("lon", "lat").first()  # type: ignore[no-any-return]


@transaction.atomic
def set_out(call: RescueCall, *, rescuer: Rescuer) -> RescueCall:
    """On the way. Repeated, it changes nothing.

    Raises:
        NotNow: the call is not in this rescuer's hands, or further on.
    """
    current = _own(call, rescuer, CallEventKind.ON_WAY)
    if current.state != CallState.ON_WAY:
        at = database_now()
        step(current, CallEventKind.ON_WAY, by=By.RESCUER, at=at, rescuer=rescuer, position=_position(rescuer, None))
    return current


@transaction.atomic
def arrive(call: RescueCall, *, rescuer: Rescuer, position: tuple[float, float] | None = None) -> RescueCall:
    """There. Where the rescuer stands is kept as evidence. Repeated, it changes nothing.

    Raises:
        NotNow: the call is not in this rescuer's hands, or further on.
    """
    current = _own(call, rescuer, CallEventKind.ARRIVED)
    if current.state != CallState.ARRIVED:
        at = database_now()
        where = _position(rescuer, position)
        step(current, CallEventKind.ARRIVED, by=By.RESCUER, at=at, rescuer=rescuer, position=where, arrived_at=at)
    return current


@transaction.atomic
def finish(
    call: RescueCall,
    *,
    rescuer: Rescuer,
    photo: bytes | None = None,
    request_id: UUID,
    parts: str = "",
    batteries: int = 0,
    position: tuple[float, float] | None = None,
) -> RescueCall:
    """Mended. A photo proves it. Repeated, it changes nothing.

    Args:
        photo: An image file as it came; needed unless one was sent before.
        request_id: Made by the rescuer's phone, for the photo.
        parts: Which parts were used.
        batteries: How many spare batteries were handed out.
        position: WGS-84 longitude and latitude.

    Raises:
        NotNow: the call is not in this rescuer's hands, or nobody is there yet.
        RuleBroken: no photo, or more batteries than there were.
    """
    used = " ".join(clean_words(parts, field="parts", longest=200).split())
    current = _own(call, rescuer, CallEventKind.DONE)
    if current.state in {CallState.DONE, CallState.CONFIRMED}:
        return current
    check(current, CallEventKind.DONE)
    if photo:
        add_photo(current, photo, request_id=request_id, by=By.RESCUER)
    elif not _has_photo(current):
        raise RuleBroken.at("photo", "", _("Take a photo of what was mended: it proves the help."), "missing")
    duty = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None).first()
    left = duty.batteries if duty else rescuer.spare_batteries
    if not 0 <= batteries <= left:
        rule = _("A number from %(least)d to %(most)d.") % {"least": 0, "most": left}
        raise RuleBroken.at("batteries", batteries, rule, "out_of_range")
    if duty and batteries:
        duty.batteries -= batteries
        duty.save(update_fields=["batteries"])
    at = database_now()
    step(
        current, CallEventKind.DONE, by=By.RESCUER, at=at, rescuer=rescuer, position=_position(rescuer, position),
        done_at=at, parts=used, batteries_used=batteries,
    )  # fmt: skip
    subsidies.expect(current, at)
    wake_dispatcher()
    return current


def _has_photo(call: RescueCall) -> bool:
    """Whether whoever holds the call sent one: what an earlier rescuer took proves nothing of theirs."""
    photos = CallPhoto.objects.with_scopes_disabled().filter(call=call, by=By.RESCUER)
    return bool(photos.filter(at__gte=call.accepted_at or call.received_at).exists())


@transaction.atomic
def take_back_done(call: RescueCall, *, rescuer: Rescuer) -> RescueCall:
    """“Done” was a slip of the finger: the rescuer is there again, as before.

    Raises:
        NotNow: it is not done, or confirmed by the rider already.
        RuleBroken: too long ago, or the rescuer has taken another call meanwhile.
    """
    current = _own(call, rescuer, CallEventKind.REOPENED)
    if current.state == CallState.ARRIVED:
        return current
    if current.state != CallState.DONE or current.done_at is None:
        raise NotNow(current, CallEventKind.REOPENED)
    at = database_now()
    if at - current.done_at > UNDO_WITHIN:
        raise RuleBroken.at("step", "reopened", _("This was done too long ago; ring the duty desk."), "too_late")
    slot = free_slot(locked_rescuer(rescuer))
    subsidies.drop(current, at, reasons.OPENED_AGAIN)
    step(
        current, CallEventKind.REOPENED, by=By.RESCUER, at=at, rescuer=rescuer, to=CallState.ARRIVED, slot=slot,
        done_at=None, closed_at=None, times_reopened=current.times_reopened + 1,
    )  # fmt: skip
    return current


@transaction.atomic
def give_back(call: RescueCall, *, rescuer: Rescuer, words: str = "") -> RescueCall:
    """The rescuer cannot do it after all: another is looked for, and the rider sees it.

    Raises:
        NotNow: the call is not in this rescuer's hands.
    """
    said = clean_words(words)
    current = _own(call, rescuer, CallEventKind.GIVEN_BACK)
    at = database_now()
    step(
        current, CallEventKind.GIVEN_BACK, by=By.RESCUER, at=at, rescuer=rescuer, words=said, waiting_since=at,
        accepted_at=None, arrived_at=None,
    )  # fmt: skip
    release(current, at)
    wake_dispatcher()
    return current


@transaction.atomic
def find_nobody(
    call: RescueCall, *, rescuer: Rescuer, words: str = "", position: tuple[float, float] | None = None
) -> RescueCall:
    """Nobody is there. The duty desk is told, and decides whether it was a false call.

    Raises:
        NotNow: the rescuer has not arrived.
    """
    said = clean_words(words)
    current = _own(call, rescuer, CallEventKind.NO_SHOW)
    if current.state == CallState.NO_SHOW:
        return current
    at = database_now()
    where = _position(rescuer, position)
    step(
        current, CallEventKind.NO_SHOW, by=By.RESCUER, at=at, rescuer=rescuer, words=said, position=where, closed_at=at
    )
    tell_desk(current, gettext_lazy("A rescuer found nobody at the place of a call."))
    return current
