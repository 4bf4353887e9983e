"""Reads of the counts by square and hour, scoped by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet, Sum

from yizhan.passage.models import HourCount
from yizhan.unions.models import Staff


@dataclass(frozen=True, slots=True)
class CountFigures:
    """What a list of counts comes to: rows, squares, the sum of vehicles and the fullest square."""

    rows: int
    squares: int
    vehicles: int
    most: int


def counts(*, for_staff: Staff) -> QuerySet[HourCount]:
    """Counts of sources at and below the acting union: the latest hour first, in it the fullest square."""
    found: QuerySet[HourCount] = HourCount.objects.filter(source__union__path__startswith=for_staff.union.path)
    return found.select_related("source").order_by("-hour", "-vehicles", "column", "row", "pk")


def count_figures(found: QuerySet[HourCount]) -> CountFigures:
    """What they come to."""
    sums = found.order_by().aggregate(rows=Count("pk"), all=Sum("vehicles"), most=Max("vehicles"))
    squares = found.order_by().values("column", "row").distinct().count()
    return CountFigures(sums["rows"], squares, sums["all"] or 0, sums["most"] or 0)
