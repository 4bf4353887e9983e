"""On duty and off: only in between is it known where a rescuer is."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yizhan.rescue.facts import position_rule
from yizhan.rescue.models import (
    By,
    CallEventKind,
    CallState,
    Duty,
    Offer,
    OfferState,
    RescueCall,
    Rescuer,
    RescuerKind,
)
from yizhan.unions.errors import RuleBroken

from .announcing import announce
from .calls import wake_dispatcher
from .log import database_now, locked, locked_rescuer, step


@transaction.atomic
def go_on_duty(rescuer: Rescuer, *, position: tuple[float, float] | None = None) -> Duty:
    """Begin a turn of duty; one that runs already goes on.

    Args:
        position: WGS-84 longitude and latitude; a fixed point needs none.

    Raises:
        RuleBroken: the rescuer is off the list, or a mobile one without a position.
    """
    current = locked_rescuer(rescuer)
    if not current.is_active:
        raise RuleBroken.at("rescuer", current.name, _("You are off the list of rescuers."), "off_the_list")
    if current.kind == RescuerKind.FIXED:
        position = (current.base_lon, current.base_lat)
    if position is None:
        raise RuleBroken.at(
            "position", "", _("Let your phone say where you are: calls go to whoever is near."), "missing"
        )
    if broken := position_rule(*position):
        raise RuleBroken(broken)
    running = _running(current)
    at = database_now()
    if running is None:
        running = Duty(rescuer=current, began_at=at, batteries=current.spare_batteries)
    running.lon, running.lat, running.position_at = (*position, at)
    try:
        with transaction.atomic():
            running.save()
    except IntegrityError:  # begun on another phone at this very moment
        return _running(current) or running
    wake_dispatcher()
    announce(current)
    return running


def tell_position(rescuer: Rescuer, *, lon: float, lat: float) -> bool:
    """Note where a rescuer is. Says whether they are on duty: if not, nothing was kept.

    Raises:
        RuleBroken: no such position.
    """
    if broken := position_rule(lon, lat):
        raise RuleBroken(broken)
    running = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None)
    if rescuer.kind == RescuerKind.FIXED:
        return bool(running.exists())
    return bool(running.update(lon=lon, lat=lat, position_at=database_now()))


def go_off_duty(rescuer: Rescuer) -> int:
    """End the turn: the position is erased, and what was offered goes to others at once.

    Calls in hand stay in hand.

    Returns:
        How many offers were taken back.
    """
    return end_duty(rescuer)


@transaction.atomic
def end_duty(rescuer: Rescuer) -> int:
    """As `go_off_duty`, inside of another act, too. Calls are locked before the rescuer, as everywhere."""
    asked = list(
        Offer.objects.with_scopes_disabled().filter(rescuer=rescuer, state=OfferState.OPEN).select_related("call")
    )
    calls = [locked(RescueCall(pk=pk)) for pk in sorted(offer.call_id for offer in asked)]
    current = locked_rescuer(rescuer)
    at = database_now()
    running = Duty.objects.with_scopes_disabled().filter(rescuer=current, ended_at=None)
    running.update(ended_at=at, lon=None, lat=None, position_at=None)
    announce(current)
    taken_back = 0
    for call in calls:
        taken_back += withdraw_offer(call, current, at)
    if taken_back:
        wake_dispatcher()
    return taken_back


def withdraw_offer(call: RescueCall, rescuer: Rescuer, at: datetime) -> int:
    """Take the open offer of a locked call back from a rescuer who does not answer any more."""
    open_offers = Offer.objects.with_scopes_disabled().filter(call=call, state=OfferState.OPEN)
    taken = int(open_offers.filter(rescuer=rescuer).update(state=OfferState.WITHDRAWN, answered_at=at))
    if taken and call.is_waiting:
        unanswered(call, CallEventKind.DECLINED, rescuer, at)
    return taken


def unanswered(call: RescueCall, kind: CallEventKind, rescuer: Rescuer, at: datetime) -> None:
    """Note on a locked, waiting call that an offer came to nothing; without another open one it is looked at anew."""
    others = Offer.objects.with_scopes_disabled().filter(call=call, state=OfferState.OPEN).exists()
    to = CallState.SUBMITTED if call.state == CallState.OFFERED and not others else CallState(call.state)
    step(call, kind, by=By.RESCUER, at=at, rescuer=rescuer, to=to, misses=call.misses + 1)


def _running(rescuer: Rescuer) -> Duty | None:
    found: Duty | None = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None).first()
    return found
