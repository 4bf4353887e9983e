"""Shutting a place for a while, with a reason and an end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.actions import CLOSURE_LIFTED, CLOSURE_MADE
from yizhan.places.models import Closure, Place
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .equipment import changeable
from .notification import touch

LONGEST = timedelta(days=366)


@transaction.atomic
def shut_place(
    place: Place, *, starts_at: datetime, ends_at: datetime, reason: str, actor: Staff | Operator
) -> Closure:
    """Shut a place from `starts_at` until before `ends_at` (aware); everyone reads the reason.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: no reason, an end that lies before the start, in the past or more than a year ahead, or another
            closure at the same time.
    """
    place = changeable(place, actor)
    problems: list[Problem] = []
    reason = one_line(reason)
    if not reason:
        problems.append(
            Problem("reason", "", _("Say why: everyone who stands before the door wants to know."), "missing")
        )
    elif len(reason) > 120:
        problems.append(Problem("reason", reason[:40], _("At most %(limit)d characters.") % {"limit": 120}, "too_long"))
    if ends_at <= starts_at:
        problems.append(Problem("ends_at", ends_at.isoformat(), _("The end lies before the start."), "order"))
    elif ends_at <= timezone.now():
        problems.append(Problem("ends_at", ends_at.isoformat(), _("This end has passed already."), "past"))
    elif ends_at - starts_at > LONGEST:
        problems.append(
            Problem("ends_at", ends_at.isoformat(), _("More than a year: suspend the place instead."), "too_long")
        )
    same_time = Closure.objects.with_scopes_disabled().filter(
        place=place, lifted_at__isnull=True, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    if not problems and same_time.exists():
        problems.append(Problem("starts_at", starts_at.isoformat(), _("It is shut at that time already."), "overlap"))
    if problems:
        raise RuleBroken(problems)
    made = Closure.objects.create(place=place, starts_at=starts_at, ends_at=ends_at, reason=reason)
    record(
        actor, CLOSURE_MADE, union=place.union, target=place, details={"closure": [None, _span(made)], "reason": reason}
    )
    touch(place)
    return made


@transaction.atomic
def lift_closure(closure: Closure, *, actor: Staff | Operator) -> Closure:
    """End a closure now, or call it off before it begins; one that has ended is left as it is.

    Raises:
        NotAllowed: `actor` may not change places of this union.
    """
    place = changeable(closure.place, actor)
    current: Closure = Closure.objects.with_scopes_disabled().select_for_update().get(pk=closure.pk)
    now = timezone.now()
    if current.lifted_at is not None or current.ends_at <= now:
        return current
    current.lifted_at = now
    current.save(update_fields=["lifted_at"])
    record(actor, CLOSURE_LIFTED, union=place.union, target=place, details={"closure": [_span(current), None]})
    touch(place)
    return current


def _span(closure: Closure) -> str:
    start, end = (timezone.localtime(moment) for moment in (closure.starts_at, closure.ends_at))
    return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
