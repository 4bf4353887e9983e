"""Setting how a union wants reports answered."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.places.actions import REPORT_RULES_SET
from yizhan.places.models import ReportRules
from yizhan.places.models.reports import RULE_LIMITS
from yizhan.places.rights import SET_REPORT_RULES
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy


@transaction.atomic
def set_report_rules(union: Union, values: Mapping[str, int | None], *, actor: Staff | Operator) -> ReportRules:
    """Say which rules hold at a union and below; None: as the union above says.

    They hold for what is reported from now on; the rule of the stars from the next count on.

    Raises:
        NotAllowed: `actor` may not set rules at this union.
        RuleBroken: a value lies outside of what is possible; names each.
    """
    policy.require(actor, SET_REPORT_RULES, union)
    problems = []
    for name, (least, most) in RULE_LIMITS.items():
        value = values.get(name)
        if value is not None and not least <= value <= most:
            problems.append(
                Problem(name, value, _("From %(least)d to %(most)d.") % {"least": least, "most": most}, "out_of_range")
            )
    if problems:
        raise RuleBroken(problems)
    Union.objects.select_for_update().get(pk=union.pk)
    row: ReportRules = ReportRules.rules.filter(union=union).first() or ReportRules(union=union)
    changes = {
        name: [getattr(row, name), values.get(name)] for name in RULE_LIMITS if getattr(row, name) != values.get(name)
    }
    if changes:
        for name, (_before, value) in changes.items():
            setattr(row, name, value)
        row.save()
        record(actor, REPORT_RULES_SET, union=union, target=union, details=dict(changes))
    return row
