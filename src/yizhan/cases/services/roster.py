"""The roster of lawyers and mediators: who is on duty when, and where people meet them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yizhan.cases import wish_actions as actions
from yizhan.cases.circle import may_sit
from yizhan.cases.models import Helper, HelperKind
from yizhan.cases.wish_rights import MANAGE_ROSTER
from yizhan.places.hours import HoursNotUnderstood, validate
from yizhan.places.models import Place
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

from .log import Actor


@transaction.atomic
def save_helper(
    *,
    post: Staff,
    kind: str,
    hours: str,
    actor: Actor,
    firm: str = "",
    place: Place | None = None,
    slot_minutes: int = 30,
    is_active: bool = True,
    helper: Helper | None = None,
) -> Helper:
    """Put a post on the roster, or change its duty. Appointments that are booked stay.

    Args:
        hours: Of duty, OSM opening_hours such as `Tu,Th 14:00-17:00`.

    Raises:
        NotAllowed: the actor keeps no roster at the post's union.
        RuleBroken: every rule that is broken; or the post is on the roster as that already.
    """
    policy.require(actor, MANAGE_ROSTER, post.union)
    problems: list[Problem] = []
    if kind not in HelperKind.values:
        problems.append(Problem("kind", kind, _("Choose lawyer or mediator."), "unknown"))
    if not may_sit(post):
        problems.append(Problem("post", str(post.user), _("This person cannot handle cases."), "wrong"))
    told = ""
    try:
        told = validate(hours)
    except HoursNotUnderstood as wrong:
        problems.append(Problem("hours", hours[:40], wrong.reason, "hours"))
    else:
        if not told:
            problems.append(Problem("hours", "", _("Say when they are on duty."), "missing"))
    if not 10 <= slot_minutes <= 240:
        problems.append(Problem("slot_minutes", slot_minutes, _("From 10 to 240 minutes."), "number"))
    if place is not None and not place.union.path.startswith(post.union.path):
        problems.append(Problem("place", place.name, _("This station belongs to another union."), "elsewhere"))
    if problems:
        raise RuleBroken(problems)
    current = helper or Helper(post=post)
    current.kind, current.hours, current.place = kind, told, place
    current.firm, current.slot_minutes, current.is_active = one_line(firm)[:80], slot_minutes, is_active
    try:
        with transaction.atomic():
            current.save()
    except IntegrityError:
        raise RuleBroken.at("post", str(post.user), _("This person is on the roster already."), "taken") from None
    record(actor, actions.HELPER_SAVED, union=post.union, target=current)
    return current
