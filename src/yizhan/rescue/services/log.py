"""The log of calls as services write it: a call is locked, a step checked, one row written, its columns follow."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from yizhan.rescue.actions import CALL_STEP
from yizhan.rescue.life import follows, may
from yizhan.rescue.models import By, CallEvent, CallEventKind, CallState, Offer, OfferState, RescueCall, Rescuer
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff
from yizhan.unions.words import clean_words as clean

from .announcing import announce

LONGEST_WORDS: Final = 300
# What a step may change by itself; an attempt is begun by the dispatcher and written with its next step.
_MOVED: Final = frozenset({"state", "version", "slot", "rescuer", "attempt"})


class NotNow(RuleBroken):
    """The step does not follow on the state in which the call is now; nothing was written.

    Attributes:
        state: The state of the call, so that a page can show it.
    """

    def __init__(self, call: RescueCall, kind: CallEventKind) -> None:
        super().__init__(
            Problem(
                "step",
                str(kind),
                _("This cannot be done now: the call is in the state “%(state)s”.")
                % {"state": call.get_state_display()},
                "not_now",
            )
        )
        self.state = call.state


def database_now() -> datetime:
    """The time by the clock of the database: the one clock that all processes and phones share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


clean_words = partial(clean, longest=LONGEST_WORDS)


def locked(call: RescueCall) -> RescueCall:
    """The call as it is now, its row locked: all steps of one call wait for one another here.

    Whoever needs a rescuer's row, too, locks it afterwards.
    """
    rows: QuerySet[RescueCall] = RescueCall.objects.with_scopes_disabled().filter(pk=call.pk)
    return locked_row(rows, "union", "rescuer", no_key=True)


def locked_rescuer(rescuer: Rescuer) -> Rescuer:
    """The rescuer, the row locked: who takes their slots waits here. Lock the call first."""
    found: Rescuer = (
        Rescuer.objects.with_scopes_disabled().select_for_update(of=("self",), no_key=True).get(pk=rescuer.pk)
    )
    return found


def free_slot(rescuer: Rescuer) -> int:
    """The lowest slot that a locked rescuer has free.

    Raises:
        RuleBroken: they hold as many calls as they may.
    """
    held = set(
        RescueCall.objects.with_scopes_disabled()
        .filter(rescuer=rescuer, slot__isnull=False)
        .values_list("slot", flat=True)
    )
    for slot in range(1, rescuer.most_at_once + 1):
        if slot not in held:
            return slot
    raise RuleBroken.at(
        "rescuer",
        rescuer.name,
        _("%(name)s has %(n)d calls in hand, which is the most.") % {"name": rescuer.name, "n": len(held)},
        "full",
    )


def check(call: RescueCall, kind: CallEventKind) -> None:
    """Raise `NotNow` unless the step may be taken in the state of a locked call."""
    if not may(call.state, kind):
        raise NotNow(call, kind)


def step(
    call: RescueCall,
    kind: CallEventKind,
    *,
    by: By,
    at: datetime,
    post: Staff | None = None,
    rescuer: Rescuer | None = None,
    words: str = "",
    position: tuple[float, float] | None = None,
    to: CallState | None = None,
    **columns: Any,
) -> CallEvent:
    """Write one step of a locked call and bring its columns into step. Call it inside the transaction of the act.

    Args:
        at: The database's time.
        position: WGS-84 longitude and latitude of whoever takes the step.
        to: The state to go to, where it is not the one that `life` says.
        columns: What else changes in the call.

    Raises:
        NotNow: the step does not follow on the call's state.
    """
    if kind != CallEventKind.SUBMITTED:
        check(call, kind)
        call.state = to or follows(call.state, kind)
    if not call.is_held:
        call.slot = None
        if call.is_waiting or call.state == CallState.UNSAFE:
            call.rescuer = None
    for name, value in columns.items():
        setattr(call, name, value)
    call.version += 1
    if kind == CallEventKind.SUBMITTED:
        call.save(force_insert=True)
    else:  # what is personal is neither read nor encrypted anew
        call.save(update_fields=[*_MOVED, *{RescueCall._meta.get_field(name).name for name in columns} - _MOVED])
    lon, lat = position or (None, None)
    event = CallEvent(
        call=call,
        number=call.version,
        kind=kind,
        at=at,
        by=by,
        post=post,
        rescuer=rescuer,
        words=words,
        lon=lon,
        lat=lat,
    )
    event.save(force_insert=True)
    announce(call)
    if post is not None:
        record(post, CALL_STEP, union=call.union, target=call, details={"step": str(kind)})
    return event


def close_offers(call: RescueCall, at: datetime, state: OfferState = OfferState.WITHDRAWN) -> int:
    """End every open offer of a locked call."""
    found = Offer.objects.with_scopes_disabled().filter(call=call, state=OfferState.OPEN)
    return int(found.update(state=state, answered_at=at))


def release(call: RescueCall, at: datetime, state: OfferState = OfferState.GIVEN_BACK) -> None:
    """End the accepted offer of a locked call whose rescuer no longer goes."""
    found = Offer.objects.with_scopes_disabled().filter(call=call, state=OfferState.ACCEPTED)
    found.update(state=state, answered_at=at)
