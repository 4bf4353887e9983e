"""Who may see which call: the rider by the page's secret, the rescuer while it is theirs, the desk of the union."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from yizhan.rescue.models import (
    ACTIVE_STATES,
    OVER_STATES,
    CallEvent,
    CallEventKind,
    CallMessage,
    CallPhoto,
    CallState,
    Duty,
    Offer,
    OfferState,
    RescueCall,
    Rescuer,
)
from yizhan.rescue.providers import road_time, speeds
from yizhan.rescue.rights import VIEW_RESCUE
from yizhan.rescue.tokens import digest
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.rights import policy

SILENT_AFTER: Final = timedelta(minutes=2)  # a phone that is on tells its position every few seconds
# What the rider need not read: whom we asked in vain.
_INSIDE: Final = frozenset({CallEventKind.OFFERED, CallEventKind.DECLINED, CallEventKind.LAPSED})


@dataclass(frozen=True, slots=True)
class Approach:
    """How a rescuer comes nearer. WGS-84 degrees; None where their phone tells nothing."""

    lon: float | None
    lat: float | None
    at: datetime | None
    minutes: int | None
    is_silent: bool


def call_by_token(token: str) -> RescueCall:
    """The call of a live page.

    Raises:
        RescueCall.DoesNotExist: the secret is none of ours.
    """
    found: RescueCall = (
        RescueCall.objects.with_scopes_disabled()
        .select_related("union", "rescuer__place", "worker__user")
        .get(token_digest=digest(token))
    )
    return found


def open_call_of(worker: Worker) -> RescueCall | None:
    """What a worker has called for and is not over."""
    found: RescueCall | None = (
        RescueCall.objects.with_scopes_disabled().filter(worker=worker).exclude(state__in=OVER_STATES).first()
    )
    return found


def visible_calls(staff: Staff) -> QuerySet[RescueCall]:
    """The calls that a post may see: those of its union and below."""
    found: QuerySet[RescueCall] = RescueCall.objects.with_scopes_disabled()
    if not policy.holds(staff, VIEW_RESCUE):
        return found.none()
    return found.filter(union__path__startswith=staff.union.path).select_related("union", "rescuer", "worker__user")


def call_for(staff: Staff, public_id: UUID) -> RescueCall:
    """One call that the post may see.

    Raises:
        RescueCall.DoesNotExist: there is none, or it is not theirs to see.
    """
    return visible_calls(staff).get(public_id=public_id)


def rescuer_of(user: object) -> Rescuer | None:
    """The entry of a signed-in person in the list of rescuers."""
    if not isinstance(user, User):
        return None
    found: Rescuer | None = (
        Rescuer.objects.with_scopes_disabled()
        .filter(user=user.pk, is_active=True)
        .select_related("union", "place", "user")
        .first()
    )
    return found


def duty_of(rescuer: Rescuer) -> Duty | None:
    """The turn of duty that runs."""
    found: Duty | None = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None).first()
    return found


def offers_to(rescuer: Rescuer) -> list[Offer]:
    """What waits for this rescuer's answer: at most one."""
    found = Offer.objects.with_scopes_disabled().filter(rescuer=rescuer, state=OfferState.OPEN)
    return list(found.select_related("call__union", "rescuer").order_by("pk"))


def offer_to(rescuer: Rescuer, public_id: UUID) -> Offer:
    """One offer to this rescuer, whatever became of it.

    Raises:
        Offer.DoesNotExist: there is none, or it went to another.
    """
    found: Offer = (
        Offer.objects.with_scopes_disabled()
        .filter(rescuer=rescuer)
        .select_related("call__union", "rescuer")
        .get(public_id=public_id)
    )
    return found


def jobs_of(rescuer: Rescuer, *, since: datetime | None = None) -> list[RescueCall]:
    """The calls in this rescuer's hands; with `since` also those that ended after it, so that none just vanishes."""
    mine = RescueCall.objects.with_scopes_disabled().filter(rescuer=rescuer).select_related("union", "worker__user")
    held = list(mine.filter(state__in=ACTIVE_STATES).order_by("slot"))
    if since is None:
        return held
    ended = mine.filter(Q(state=CallState.DONE, done_at__gte=since) | Q(state__in=OVER_STATES, closed_at__gte=since))
    return held + list(ended.order_by("-pk")[:5])


def job_of(rescuer: Rescuer, public_id: UUID) -> RescueCall:
    """A call that is, or was last, in this rescuer's hands: nobody else's.

    Raises:
        RescueCall.DoesNotExist: it is not theirs.
    """
    found: RescueCall = (
        RescueCall.objects.with_scopes_disabled()
        .filter(rescuer=rescuer)
        .select_related("union", "worker__user", "rescuer")
        .get(public_id=public_id)
    )
    return found


def steps_of(call: RescueCall, *, for_rider: bool = False) -> list[CallEvent]:
    """The steps of a call in their order; the rider reads no offers that came to nothing."""
    found = CallEvent.objects.with_scopes_disabled().filter(call=call)
    if for_rider:
        found = found.exclude(kind__in=_INSIDE)
    return list(found.select_related("post__user", "rescuer").order_by("number"))


def messages_of(call: RescueCall) -> list[CallMessage]:
    """What was written, the earliest first."""
    found = CallMessage.objects.with_scopes_disabled().filter(call=call)
    return list(found.select_related("post__user").order_by("at", "pk"))


def photos_of(call: RescueCall) -> list[CallPhoto]:
    """The pictures of a call."""
    return list(CallPhoto.objects.with_scopes_disabled().filter(call=call).order_by("at"))


def photo_of(call: RescueCall, public_id: UUID) -> CallPhoto:
    """One picture of a call.

    Raises:
        CallPhoto.DoesNotExist: it belongs to none, or to another.
    """
    found: CallPhoto = CallPhoto.objects.with_scopes_disabled().get(call=call, public_id=public_id)
    return found


def approaches(calls: Sequence[RescueCall], now: datetime) -> dict[int, Approach]:
    """Where the rescuers of held calls are and how long they still take, by the row number of the call."""
    held = [call for call in calls if call.is_held and call.rescuer_id]
    duties = {
        duty.rescuer_id: duty
        for duty in Duty.objects.with_scopes_disabled().filter(
            rescuer__in={call.rescuer_id for call in held}, ended_at=None
        )
    }
    found = {}
    for call in held:
        duty = duties.get(call.rescuer_id or 0)
        if duty is None or duty.lon is None or duty.lat is None or duty.position_at is None or call.rescuer is None:
            found[call.pk] = Approach(None, None, None, None, is_silent=True)
            continue
        minutes = None
        if call.state != CallState.ARRIVED:
            speed = speeds()[call.rescuer.vehicle]
            seconds = float(road_time().seconds(duty.lon, duty.lat, call.lon, call.lat, speed))
            minutes = max(1, round(seconds / 60))
        is_silent = call.rescuer.kind == "mobile" and now - duty.position_at > SILENT_AFTER
        found[call.pk] = Approach(duty.lon, duty.lat, duty.position_at, minutes, is_silent)
    return found
