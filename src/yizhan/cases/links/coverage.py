"""Gaps: which workers and lower unions have no contact, by union, occupation and company. Numbers only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from yizhan.cases.models import Link
from yizhan.cases.queries.kept import counted_lately
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


def without_contact(*, for_staff: Staff) -> QuerySet[Worker]:
    """Workers of the acting union and below who have no contact."""
    found: QuerySet[Worker] = (
        Worker.objects.filter(union__path__startswith=for_staff.union.path)
        .exclude(Exists(_owned_links().filter(worker=OuterRef("pk"))))
        .select_related("user", "union")
        .order_by("union__path", "user__name", "pk")
    )
    return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where contacts are missing, all of it counted in one pass over the workers.

    Attributes:
        total: All of the acting union and below.
        by_union: The unions directly below, each with all below it; before them the acting union's own workers.
        by_occupation: By what workers do; those who have not said come last.
        by_company: By platform or company, the largest first.
    """

    total: Gap
    by_union: list[Gap]
    by_occupation: list[Gap]
    by_company: list[Gap]


def coverage(*, for_staff: Staff) -> Coverage:
    """Who has a contact, of the acting union and below; three queries."""
    own = for_staff.union
    width = len(own.path) + Union.steplen
    # Asked as a list that is looked up, not as a search for each worker.
    owned = _owned_links().filter(worker__union__path__startswith=own.path).values("worker")
    groups = (
        Worker.objects.filter(union__path__startswith=own.path)
        .order_by()
        .values("occupation", "platform_company", branch=Substr("union__path", 1, width))
        .annotate(n=Count("pk"), linked=Count("pk", filter=Q(pk__in=owned)))
    )
    branches: dict[str, tuple[int, int]] = {}
    occupations: dict[str, tuple[int, int]] = {}
    companies: dict[str, tuple[int, int]] = {}
    for row in groups:
        for table, name in (
            (branches, row["branch"]),
            (occupations, row["occupation"]),
            (companies, row["platform_company"]),
        ):
            workers, linked = table.get(name, (0, 0))
            table[name] = workers + row["n"], linked + row["linked"]
    below = Union.objects.filter(path__startswith=own.path, is_active=True)
    owned_units = _owned_links().filter(linked_union__isnull=False).values("linked_union")
    units = {
        row["branch"]: (row["n"], row["linked"])
        for row in below.filter(depth__gt=own.depth)
        .values(branch=Substr("path", 1, width))
        .annotate(n=Count("pk"), linked=Count("pk", filter=Q(pk__in=owned_units)))
        .order_by()
    }
    lower = list(below.filter(depth=own.depth + 1).order_by("division_code", "name"))
    total = Gap(
        own.name,
        sum(workers for workers, _linked in branches.values()),
        sum(linked for _workers, linked in branches.values()),
        sum(count for count, _linked in units.values()),
        sum(linked for _count, linked in units.values()),
        own,
    )
    at_own = [Gap(own.name, *branches[own.path], 0, 0, own)] if own.path in branches else []
    by_union = at_own + [
        Gap(union.name, *branches.get(union.path, (0, 0)), *units.get(union.path, (0, 0)), union) for union in lower
    ]
    by_occupation = _by(occupations, lambda value: str(Occupation(value).label))
    by_company = sorted(_by(companies, str), key=lambda gap: (gap.value == "", -gap.workers, gap.name))
    return Coverage(total, by_union, by_occupation, by_company)


def coverage_lately(*, for_staff: Staff) -> Coverage:
    """The same; of very many workers as it was within this minute."""
    over = Worker.objects.filter(union__path__startswith=for_staff.union.path)
    return counted_lately("coverage", over, lambda: coverage(for_staff=for_staff), rows=lambda told: told.total.workers)


def _by(counts: dict[str, tuple[int, int]], label: Callable[[str], str]) -> list[Gap]:
    found = [
        Gap(label(value) if value else "", workers, linked, value=value) for value, (workers, linked) in counts.items()
    ]
    return sorted(found, key=lambda gap: (gap.value == "", -gap.workers))
