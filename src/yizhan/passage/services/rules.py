"""Sets the rules by which places remind."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.passage.actions import SETTINGS_CHANGED, SETTINGS_INHERITED
from yizhan.passage.models import LIMITS, PassageSettings
from yizhan.passage.rights import CHANGE_SETTINGS
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from .announcements import RULES, announce


@transaction.atomic
def set_rules(
    *, staff: Staff, union: Union, reminders_on: bool, unknown_hours_remind: bool, values: Mapping[str, int]
) -> PassageSettings:
    """Give `union` and those below it rules of their own.

    Args:
        reminders_on: whether their places remind at all.
        unknown_hours_remind: whether a place reminds while nobody has told us if it is open.
        values: one number for each name in `LIMITS`.

    Raises:
        NotAllowed: staff may not change rules there.
        RuleBroken: a value is missing or outside of its limits.
    """
    policy.require(staff, CHANGE_SETTINGS, union)
    problems = [problem for field in LIMITS if (problem := _problem(field, values.get(field)))]
    if problems:
        raise RuleBroken(problems)
    before = PassageSettings.rules.select_for_update().filter(union=union).first()
    after = before or PassageSettings(union=union)
    wanted: dict[str, int] = {"reminders_on": reminders_on, "unknown_hours_remind": unknown_hours_remind}
    wanted |= {field: values[field] for field in LIMITS}
    changed: dict[str, list[int | None]] = {}
    for field, value in wanted.items():
        earlier = getattr(before, field) if before else None
        if earlier != value:
            changed[field] = [earlier, value]
        setattr(after, field, value)
    if not changed:
        return after
    after.save()
    record(staff, SETTINGS_CHANGED, union=union, target=after, details=changed)
    announce(RULES)
    return after


@transaction.atomic
def inherit_rules(*, staff: Staff, union: Union) -> None:
    """Let `union` follow the rules of the union above again. Harmless where it does already.

    Raises:
        NotAllowed: staff may not change rules there.
    """
    policy.require(staff, CHANGE_SETTINGS, union)
    own = PassageSettings.rules.select_for_update().filter(union=union).first()
    if own is None:
        return
    record(staff, SETTINGS_INHERITED, union=union, target=own)
    own.delete()
    announce(RULES)


def _problem(field: str, value: int | None) -> Problem | None:
    least, most = LIMITS[field]
    if value is not None and least <= value <= most:
        return None
    message = _("must be between %(least)s and %(most)s") % {"least": least, "most": most}
    return Problem(field, value, message, "out_of_range")
