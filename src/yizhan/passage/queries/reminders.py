"""Reads of the reminder log, scoped by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from yizhan.passage.models import Reminder
from yizhan.unions.models import Staff


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list of reminders comes to."""

    reminders: int
    places: int
    vehicles: int
    simulated: int


def reminders(*, for_staff: Staff) -> QuerySet[Reminder]:
    """Reminders of places at and below the acting union, latest first."""
    found: QuerySet[Reminder] = Reminder.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("place", "union", "source").order_by("-passed_at", "-pk")


def figures(found: QuerySet[Reminder]) -> Figures:
    """How many reminders, of how many places and vehicles."""
    counted = found.order_by().aggregate(
        reminders=Count("pk"),
        places=Count("place", distinct=True),
        vehicles=Count("vehicle", distinct=True),
        simulated=Count("pk", filter=Q(is_simulated=True)),
    )
    return Figures(**counted)
