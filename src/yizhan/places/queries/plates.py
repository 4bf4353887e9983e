"""Reading plates and how often they are scanned. Exact figures are for staff; in public few are none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from yizhan.places.models import Place, Plate, PlateVisits
from yizhan.unions.models import Staff

DAYS = 30


@dataclass(frozen=True, slots=True)
class DayOfVisits:
    """The visits of one day; `share` is of the busiest day shown, from 0 to 100."""

    day: date
    count: int
    share: int


def places_with_plates(*, for_staff: Staff) -> QuerySet[Place]:
    """Places of the acting union and below with `code` (None: no plate yet) and `scans` of the last 30 days."""
    since = timezone.localdate() - timedelta(days=DAYS - 1)
    counted = (
        PlateVisits.objects.with_scopes_disabled()
        .filter(plate__place=OuterRef("pk"), day__gte=since)
        .order_by()
        .values("plate__place")
        .annotate(total=Sum("count"))
    )
    found: QuerySet[Place] = Place.objects.filter(union__path__startswith=for_staff.union.path)
    return (
        found.select_related("union")
        .annotate(
            code=Subquery(Plate.objects.with_scopes_disabled().filter(place=OuterRef("pk")).values("code")[:1]),
            scans=Coalesce(Subquery(counted.values("total")[:1]), 0),
        )
        .order_by("-scans", "name", "pk")
    )


def visits(*, for_staff: Staff) -> QuerySet[PlateVisits]:
    """Visits by plate and day at places of the acting union and below, newest first."""
    found: QuerySet[PlateVisits] = PlateVisits.objects.filter(
        plate__place__union__path__startswith=for_staff.union.path
    )
    return found.select_related("plate__place__union").order_by("-day", "plate__place__name", "pk")


def days_of(place: Place) -> list[DayOfVisits]:
    """The last 30 days of a place's plate, oldest first; days without a visit are there, too."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    counted = dict(
        PlateVisits.objects.with_scopes_disabled()
        .filter(plate__place=place, day__gte=first)
        .values_list("day", "count")
    )
    most = max(counted.values(), default=0)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [
        DayOfVisits(day, counted.get(day, 0), round(100 * counted.get(day, 0) / most) if most else 0) for day in days
    ]


def visits_of_last_days(place: Place) -> int:
    """How often the plate was scanned within 30 days."""
    since = timezone.localdate() - timedelta(days=DAYS - 1)
    total: int | None = (
        PlateVisits.objects.with_scopes_disabled()
        .filter(plate__place=place, day__gte=since)
        .aggregate(total=Sum("count"))["total"]
    )
    return total or 0


def scanned_plate(code: str) -> Plate | None:
    """The plate with this code whose place has a public page."""
    found: Plate | None = (
        Plate.objects.with_scopes_disabled()
        .filter(code=code.lower(), place__in=Place.public.all())
        .select_related("place")
        .first()
    )
    return found
