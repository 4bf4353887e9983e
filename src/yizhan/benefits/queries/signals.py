"""Signals to look into, and the limits that make them."""

from __future__ import annotations

from django.db.models import QuerySet

from yizhan.benefits.models import SIGNAL_LIMITS, Signal, SignalRules
from yizhan.unions.models import Staff, Union


def signals(*, for_staff: Staff) -> QuerySet[Signal]:
    """Signals of programmes of the acting union and below, newest first."""
    found: QuerySet[Signal] = Signal.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related(
        "union", "place", "other_place", "worker__user", "cashier__user", "reviewed_by"
    ).order_by("-until", "-pk")


def limits_of(union: Union, *, own: bool = True) -> dict[str, int]:
    """The limits that hold at a union: its own (left out without `own`), else those of the nearest above, else ours."""
    first = len(union.path) if own else len(union.path) - Union.steplen
    paths = [union.path[:end] for end in range(first, 0, -Union.steplen)]
    rows = {
        rule.union.path: rule
        for rule in SignalRules.objects.with_scopes_disabled().filter(union__path__in=paths).select_related("union")
    }
    return {
        name: next(
            (value for path in paths if path in rows and (value := getattr(rows[path], name)) is not None),
            default,
        )
        for name, (_least, _most, default) in SIGNAL_LIMITS.items()
    }


def own_limits(union: Union) -> dict[str, int | None]:
    """What a union says itself; None: inherited."""
    row = SignalRules.objects.with_scopes_disabled().filter(union=union).first()
    return {name: getattr(row, name) if row else None for name in SIGNAL_LIMITS}
