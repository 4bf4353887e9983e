"""How closely places are looked after: each union's rules, inherited down the tree, as conditions for queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from yizhan.unions.models import Union

from .models import CareRules

VERIFY_MONTHS, WARN_DAYS = 6, 30  # where nobody says otherwise


@dataclass(frozen=True, slots=True)
class Care:
    """What holds at one union: verify every so many months, warn so many days before a date passes."""

    verify_months: int = VERIFY_MONTHS
    warn_days: int = WARN_DAYS


class CareTree:
    """The rules of all unions that set any, by their place in the tree."""

    def __init__(self, rules: Mapping[str, tuple[int | None, int | None]]) -> None:
        self._rules = dict(sorted(rules.items()))

    @classmethod
    def load(cls) -> CareTree:
        """As the database has them now. Rules are no secret: what a union sets holds for all below."""
        rows = CareRules.objects.with_scopes_disabled().values_list("union__path", "verify_months", "warn_days")
        return cls({path: (months, days) for path, months, days in rows})

    def at(self, path: str) -> Care:
        """What holds at a union, by its path in the tree."""
        care = Care()
        for above in range(0, len(path) + 1, Union.steplen):
            months, days = self._rules.get(path[:above], (None, None))
            care = Care(months or care.verify_months, days or care.warn_days)
        return care

    def parts(self, path: str) -> Iterator[tuple[str, list[str], Care]]:
        """The tree at and below `path` in parts that have one rule each: its top, the tops cut out of it, the rule."""
        tops = [path, *(top for top in self._rules if top.startswith(path) and top != path)]
        for top in tops:
            yield top, [other for other in tops if other.startswith(top) and other != top], self.at(top)

    def verification_due(self, path: str, *, at: datetime | None = None) -> Q:
        """Condition on places at and below `path`: never verified, or longer ago than their union wants."""
        at = at or timezone.now()
        condition = Q(pk__in=[])
        for top, cut, care in self.parts(path):
            due = Q(verified_at__isnull=True) | Q(verified_at__lt=months_before(at, care.verify_months))
            condition |= _within("union__path", top, cut) & due
        return condition

    def expiring(self, path: str, *, today: date | None = None) -> Q:
        """Condition on equipment at and below `path`: its date has passed, or will within the days of its union."""
        today = today or timezone.localdate()
        condition = Q(pk__in=[])
        for top, cut, care in self.parts(path):
            soon = Q(expires_on__lte=today + timedelta(days=care.warn_days))
            condition |= _within("place__union__path", top, cut) & soon
        return condition


def months_before(at: datetime, months: int) -> datetime:
    """The same day so many months earlier; the month's last day where it has no such day."""
    local = timezone.localtime(at)
    total = local.year * 12 + local.month - 1 - months
    year, month = divmod(total, 12)
    for day in range(local.day, local.day - 4, -1):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError(at)


def _within(field: str, top: str, cut: list[str]) -> Q:
    condition = Q(**{f"{field}__startswith": top})
    for other in cut:
        condition &= ~Q(**{f"{field}__startswith": other})
    return condition
