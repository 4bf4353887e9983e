"""What GeoReport v2 shows: the cases that other systems filed, never a confidential one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from yizhan.cases.kinds import KindSpec, house_kinds, kinds_of
from yizhan.cases.models import OPEN_STATES, Case
from yizhan.unions.models import Union

MOST = 1000
LONGEST_SPAN = timedelta(days=90)


class UnknownJurisdiction(ValueError):
    """No union has this division code."""


def jurisdiction(code: str) -> Union | None:
    """The union of a division code; None when none is asked for.

    Raises:
        UnknownJurisdiction: there is none.
    """
    if not code:
        return None
    found = Union.objects.filter(division_code=code, is_active=True).first()
    if found is None:
        raise UnknownJurisdiction(code)
    return found


def offered_kinds(union: Union | None) -> list[KindSpec]:
    """The kinds that other systems may file."""
    kinds = kinds_of(union) if union is not None else house_kinds()
    return [kind for kind in kinds.values() if kind.is_offered and not kind.is_confidential]


def filed_cases(union: Union | None = None) -> QuerySet[Case]:
    """Cases that other systems filed, with the time of their last step."""
    found: QuerySet[Case] = Case.objects.with_scopes_disabled().filter(client__isnull=False, is_confidential=False)
    if union is not None:
        found = found.filter(union__path__startswith=union.path)
    return (
        found.select_related("union", "client").annotate(updated_at=Max("events__at")).order_by("-submitted_at", "-pk")
    )


def asked_for(
    found: QuerySet[Case],
    *,
    numbers: list[str],
    kinds: list[str],
    since: datetime | None,
    until: datetime | None,
    status: list[str],
) -> QuerySet[Case]:
    """Narrowed as the specification says: by numbers alone, else by span (90 days at most), kind and status."""
    if numbers:
        return found.filter(number__in=numbers)[:MOST]
    last = until or timezone.now()
    first = max(since, last - LONGEST_SPAN) if since else last - LONGEST_SPAN
    found = found.filter(submitted_at__gte=first, submitted_at__lte=last)
    if kinds:
        found = found.filter(kind__in=kinds)
    if status == ["open"]:
        found = found.filter(state__in=OPEN_STATES)
    elif status == ["closed"]:
        found = found.exclude(state__in=OPEN_STATES)
    return found[:MOST]
