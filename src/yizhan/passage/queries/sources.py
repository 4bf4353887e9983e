"""Reads of sources and rules, scoped by whoever asks."""

from __future__ import annotations

from django.db.models import QuerySet

from yizhan.passage.models import PassageSettings, PingSource
from yizhan.unions.models import Staff


def sources(*, for_staff: Staff) -> QuerySet[PingSource]:
    """Sources of the acting union and those below."""
    found: QuerySet[PingSource] = PingSource.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union", "created_by__user")


def own_rules(*, for_staff: Staff) -> QuerySet[PassageSettings]:
    """The unions below the acting one that have rules of their own."""
    found: QuerySet[PassageSettings] = PassageSettings.objects.filter(union__path__startswith=for_staff.union.path)
    return found.exclude(union=for_staff.union).select_related("union").order_by("union__path")
