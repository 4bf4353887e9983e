"""Gaps: which workers and lower unions have no contact, by union, occupation and company. Numbers only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yizhan.cases.models import Link
from yizhan.unions.models import Occupation, Staff, Union, Worker

from .queries import HOLDERS


@dataclass(frozen=True, slots=True)
class Gap:
    """How many of one group have a contact. `units` are lower unions, at all depths; None where it is not by union."""

    name: str
    workers: int
    linked: int
    units: int | None = None
    units_linked: int | None = None
    union: Union | None = None
    value: str = ""

    @property
    def missing(self) -> int:
        """Workers without a contact."""
        return self.workers - self.linked

    @property
    def percent(self) -> int | None:
        """How many in a hundred have one, rounded down; None where there is nobody."""
        return 100 * self.linked // self.workers if self.workers else None


def _owned_links() -> QuerySet[Link]:
    found: QuerySet[Link] = Link.objects.with_scopes_disabled().filter(
        ended_at=None, post__is_active=True, post__user__is_active=True, post__role__in=HOLDERS
    )
    return found


def _workers(staff: Staff) -> QuerySet[Worker]:
    """Workers of the acting union and below, with `has_contact`: any level's contact counts, each worker once."""
    found: QuerySet[Worker] = (
        Worker.objects.filter(union__path__startswith=staff.union.path)
        .annotate(has_contact=Exists(_owned_links().filter(worker=OuterRef("pk"))))
        .order_by()
    )
    return found


def without_contact(*, for_staff: Staff) -> QuerySet[Worker]:
    """Workers of the acting union and below who have no contact."""
    found: QuerySet[Worker] = (
        _workers(for_staff)
        .filter(Q(("has_contact", False)))
        .select_related("user", "union")
        .order_by("union__path", "user__name", "pk")
    )
    return found


def total(*, for_staff: Staff) -> Gap:
    """All of the acting union and below."""
    counted = _workers(for_staff).aggregate(n=Count("pk"), linked=Count("pk", filter=Q(has_contact=True)))
    below = Union.objects.filter(path__startswith=for_staff.union.path, is_active=True).exclude(pk=for_staff.union_id)
    linked = below.filter(Exists(_owned_links().filter(linked_union=OuterRef("pk")))).count()
    name = for_staff.union.name
    return Gap(name, counted["n"], counted["linked"], below.count(), linked, for_staff.union)


def by_union(*, for_staff: Staff) -> list[Gap]:
    """The unions directly below, each with all below it; and the acting union's own workers."""
    own = for_staff.union
    width = len(own.path) + Union.steplen
    branch = Substr("union__path", 1, width)
    counts = {
        row["branch"]: row
        for row in _workers(for_staff)
        .values(branch=branch)
        .annotate(n=Count("pk"), linked=Count("pk", filter=Q(has_contact=True)))
    }
    below = Union.objects.filter(path__startswith=own.path, is_active=True)
    units = {
        row["branch"]: row
        for row in below.filter(depth__gt=own.depth)
        .annotate(is_linked=Exists(_owned_links().filter(linked_union=OuterRef("pk"))))
        .values(branch=Substr("path", 1, width))
        .annotate(n=Count("pk"), linked=Count("pk", filter=Q(is_linked=True)))
        .order_by()
    }
    nothing = {"n": 0, "linked": 0}
    rows = []
    if own.path in counts:
        mine = counts[own.path]
        rows.append(Gap(own.name, mine["n"], mine["linked"], 0, 0, own))
    for union in below.filter(depth=own.depth + 1).order_by("division_code", "name"):
        workers, lower = counts.get(union.path, nothing), units.get(union.path, nothing)
        rows.append(Gap(union.name, workers["n"], workers["linked"], lower["n"], lower["linked"], union))
    return rows


def by_occupation(*, for_staff: Staff) -> list[Gap]:
    """By what workers do; those who have not said come last."""
    return _by("occupation", for_staff, lambda value: str(Occupation(value).label))


def by_company(*, for_staff: Staff) -> list[Gap]:
    """By platform or company, the largest first."""
    return sorted(_by("platform_company", for_staff, str), key=lambda gap: (gap.value == "", -gap.workers, gap.name))


def _by(field: str, staff: Staff, label: Callable[[str], str]) -> list[Gap]:
    rows = _workers(staff).values(field).annotate(n=Count("pk"), linked=Count("pk", filter=Q(has_contact=True)))
    found = [Gap(label(row[field]) if row[field] else "", row["n"], row["linked"], value=row[field]) for row in rows]
    return sorted(found, key=lambda gap: (gap.value == "", -gap.workers))
