"""Which rules of reports hold at a union: each value from itself, else the nearest union above, else the defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yizhan.places.models.reports import RULE_LIMITS, ReportKind, ReportRules
from yizhan.places.services.offers import paths_down_to
from yizhan.unions.models import Union

from .deadlines import due_after

MOST_PROMISES = 2  # how often a keeper may ask for more time for one fault
REOPEN_DAYS = 14  # reported again within so many days of the answer: the same fault
WITHDRAW_MINUTES = 30  # how long a tap may be taken back


@dataclass(frozen=True, slots=True)
class Rules:
    """Deadlines in working days by kind, and the rule of the stars (`star_after` 0: none are taken)."""

    days_door_locked: int = 1
    days_no_water: int = 1
    days_medicine_expired: int = 1
    days_equipment_broken: int = 5
    days_wrong_place: int = 5
    days_other: int = 5
    longest_delay_days: int = 30
    escalate_days: int = 1
    star_after: int = 2
    star_window_days: int = 30

    def due(self, kind: str, at: datetime) -> datetime:
        """Until when a report of this kind, made at `at`, must be answered."""
        return due_after(at, int(getattr(self, f"days_{ReportKind(kind).value}")))


def rules_of(union: Union) -> Rules:
    """What holds at a union."""
    return rules_of_many([union])[union.path]


def rules_of_many(unions: Iterable[Union]) -> dict[str, Rules]:
    """What holds at each, by its place in the tree; one query for all."""
    found = {union.path: paths_down_to(union) for union in unions}
    above = {path for paths in found.values() for path in paths}
    said = {row.union.path: row for row in ReportRules.rules.filter(union__path__in=above).select_related("union")}
    rules: dict[str, Rules] = {}
    for path, paths in found.items():
        here = Rules()
        for step in paths:
            if step in said:
                here = replace(here, **own_values(said[step]))
        rules[path] = here
    return rules


def own_values(row: ReportRules | None) -> dict[str, Any]:
    """What a union says itself."""
    values = {name: getattr(row, name, None) for name in RULE_LIMITS}
    return {name: value for name, value in values.items() if value is not None}


def own_rules(union: Union) -> dict[str, int]:
    """What this union says itself, by name."""
    return own_values(ReportRules.rules.filter(union=union).first())


def inherited_rules(union: Union) -> dict[str, int]:
    """What would hold at this union if it said nothing."""
    above = Union.objects.get_parent(union)
    rules = rules_of(above) if above else Rules()
    return {name: int(getattr(rules, name)) for name in RULE_LIMITS}
