"""Figures of visits: people reached are counted once however often and at whatever level they were met.

People with names are distinct within what is asked for; people that were only counted belong to exactly one visit, and
a visit to exactly one union, so that no level adds them up twice. Rows behind a figure: `visits_behind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Substr, TruncMonth
from django.utils import timezone

from yizhan.cases.models import Link, LinkKind, Visit, VisitKind, VisitNeed, VisitPerson
from yizhan.unions.models import Staff, Union


@dataclass(frozen=True, slots=True)
class Reach:
    """Visits and whom they reached. `people` = `named` (distinct workers) + `counted` (taken down without names)."""

    visits: int
    named: int
    counted: int
    needs: int

    @property
    def people(self) -> int:
        """People reached."""
        return self.named + self.counted


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what it is about, and its figures. `value` narrows the list of visits to the rows behind."""

    label: str
    value: str
    reach: Reach
    union: Union | None = None
    post: Staff | None = None


def visits_behind(
    *,
    for_staff: Staff,
    since: date | None = None,
    until: date | None = None,
    union: Union | None = None,
    post: Staff | None = None,
    kind: str = "",
) -> QuerySet[Visit]:
    """The visits that a figure counts; days in Asia/Shanghai, both included."""
    found: QuerySet[Visit] = Visit.objects.filter(union__path__startswith=for_staff.union.path).order_by()
    if since:
        found = found.filter(at__gte=midnight(since))
    if until:
        found = found.filter(at__date__lte=until)
    if union:
        found = found.filter(union__path__startswith=union.path)
    if post:
        found = found.filter(post=post)
    return found.filter(kind=kind) if kind else found


def reach(found: QuerySet[Visit]) -> Reach:
    """The figures of these visits; one query whatever their number."""
    met = VisitPerson.objects.with_scopes_disabled().filter(visit__in=found.values("pk"))
    heard = VisitNeed.objects.with_scopes_disabled().filter(visit__in=found.values("pk"))
    sums = _sums(found, "visits", Count("pk"), Sum("counted", default=0))
    others = (_sums(met, "named", Count("worker", distinct=True)), _sums(heard, "needs", Count("pk")))
    told = {what: (number, more) for what, number, more in sums.union(*others, all=True)}
    visits, counted = told.get("visits", (0, 0))
    return Reach(visits, told.get("named", (0, 0))[0], counted, told.get("needs", (0, 0))[0])


def _sums(found: QuerySet[Any], what: str, number: Any, more: Any = None) -> QuerySet[Any]:
    """A row with its name and two numbers; none where nothing was found."""
    grouped = found.order_by().annotate(what=Value(what)).values("what")
    told = grouped.annotate(number=number, more=Value(0) if more is None else more)
    rows: QuerySet[Any] = told.values_list("what", "number", "more")
    return rows


def by_union(found: QuerySet[Visit], *, below: Union) -> list[Row]:
    """By the unions directly below, each with all below it. The same worker may stand in two of them, never twice in
    one; `reach` of the whole counts them once."""
    grouped = reach_by_branch(found, below=below)
    unions = {union.path: union for union in Union.objects.filter(path__in=list(grouped))}
    rows = [Row(unions[path].name, unions[path].name, each, union=unions[path]) for path, each in grouped.items()]
    return sorted(rows, key=lambda row: row.union.path if row.union else "")


def reach_by_branch(found: QuerySet[Visit], *, below: Union) -> dict[str, Reach]:
    """The same by the paths of these unions."""
    return _grouped(found, Substr("union__path", 1, len(below.path) + Union.steplen))


def reach_by_post(found: QuerySet[Visit]) -> dict[int, Reach]:
    """By the keys of the posts that made the visits."""
    return _grouped(found, F("post"))


def by_post(found: QuerySet[Visit]) -> list[Row]:
    """By who made the visits, most visits first."""
    grouped = reach_by_post(found)
    posts = Staff.objects.with_scopes_disabled().filter(pk__in=list(grouped)).select_related("user", "union")
    rows = [Row(f"{post.user} · {post.union}", str(post.public_id), grouped[post.pk], post=post) for post in posts]
    return sorted(rows, key=lambda row: (-row.reach.visits, row.label))


def by_kind(found: QuerySet[Visit]) -> list[Row]:
    """By kind of visit, every kind."""
    grouped = _grouped(found, F("kind"))
    nothing = Reach(0, 0, 0, 0)
    return [Row(str(kind.label), str(kind), grouped.get(str(kind), nothing)) for kind in VisitKind]


def by_month(found: QuerySet[Visit]) -> list[Row]:
    """By month of the visit in Asia/Shanghai, oldest first."""
    grouped = _grouped(found, TruncMonth("at"))
    return [Row(f"{month:%Y-%m}", f"{month:%Y-%m}", each) for month, each in sorted(grouped.items())]


@dataclass(frozen=True, slots=True)
class Linked:
    """Who is linked now: distinct workers and unions, however many levels are linked with them."""

    workers: int
    unions: int
    groups: int
    members: int


def linked(*, for_staff: Staff) -> Linked:
    """Links that stand at the posts of the acting union and below; each worker and union once."""
    found = Link.objects.filter(
        post__union__path__startswith=for_staff.union.path, ended_at=None, post__is_active=True
    ).order_by()
    counted = found.aggregate(
        workers=Count("worker", distinct=True),
        unions=Count("linked_union", distinct=True),
        groups=Count("pk", filter=Q(kind=LinkKind.GROUP)),
        members=Sum("group_size", default=0),
    )
    return Linked(**counted)


def _grouped(found: QuerySet[Visit], key: Any) -> dict[Any, Reach]:
    """By one expression, in three queries: sums never meet joins that would repeat their rows."""
    base = found.annotate(key=key).values("key")
    sums = {row["key"]: row for row in base.annotate(visits=Count("pk"), sum=Sum("counted", default=0))}
    named = {row["key"]: row["n"] for row in base.annotate(n=Count("met__worker", distinct=True))}
    needs = {row["key"]: row["n"] for row in base.annotate(n=Count("needs", distinct=True))}
    return {key: Reach(row["visits"], named[key], row["sum"], needs[key]) for key, row in sums.items()}


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Asia/Shanghai."""
    return timezone.make_aware(datetime.combine(day, time.min))
