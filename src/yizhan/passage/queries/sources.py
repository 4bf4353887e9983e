"""Reads of sources and rules, scoped by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from yizhan.passage.models import Delivery, PassageSettings, PingSource
from yizhan.unions.models import Staff


def sources(*, for_staff: Staff) -> QuerySet[PingSource]:
    """Sources of the acting union and those below."""
    found: QuerySet[PingSource] = PingSource.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union", "created_by__user")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What of a source has not reached its address: how many wait, how many were given up, and the latest of these."""

    waiting: int
    dead: int
    latest_dead: list[Delivery]
    last_failure: Delivery | None


def deliveries(*, for_staff: Staff, source: PingSource) -> Deliveries:
    """Deliveries of a source at or below the acting union."""
    found = Delivery.objects.filter(source__union__path__startswith=for_staff.union.path, source=source)
    waiting, dead = found.filter(died_at=None), found.filter(died_at__isnull=False)
    latest = dead.select_related("reminder__place").order_by("-died_at", "-pk")[:20]
    failing = waiting.exclude(last_answer="").order_by("due_at").first()
    return Deliveries(waiting.count(), dead.count(), list(latest), failing)


def own_rules(*, for_staff: Staff) -> QuerySet[PassageSettings]:
    """The unions below the acting one that have rules of their own."""
    found: QuerySet[PassageSettings] = PassageSettings.objects.filter(union__path__startswith=for_staff.union.path)
    return found.exclude(union=for_staff.union).select_related("union").order_by("union__path")
