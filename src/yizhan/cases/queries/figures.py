"""Figures about cases, for whoever asks: each is a count over `visible_cases`, so that it opens the rows behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.utils import timezone

from yizhan.cases.models import Case, CaseState
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator

from .visible import visible_cases

# A case is solved when it is closed and the worker never had to send it back: reopened ones count against.
SOLVED = Q(state=CaseState.CLOSED, times_reopened=0)
CLOSED = Q(state=CaseState.CLOSED)
REOPENED = Q(times_reopened__gt=0)
FEWEST_SHOWN = 5
_COUNTED = ("submitted", "open", "closed", "solved", "closed_silent", "reopened", "refused", "late", "rated")


def late_at(at: datetime) -> Q:
    """Cases whose answer or result was late, or is late at `at`."""
    return Q(was_late=True) | Q(answer_due__lte=at) | Q(result_due__lte=at)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over a set of cases. `satisfaction` is the mean of stars, 1 to 5; None without verdicts."""

    submitted: int
    open: int
    closed: int
    solved: int
    closed_silent: int
    reopened: int
    refused: int
    late: int
    rated: int
    satisfaction: float | None

    @property
    def on_time(self) -> int:
        """Those that were never late."""
        return self.submitted - self.late


def between(found: QuerySet[Case], since: datetime | None, until: datetime | None) -> QuerySet[Case]:
    """Those submitted in the half-open span from `since` to `until`."""
    if since is not None:
        found = found.filter(submitted_at__gte=since)
    return found.filter(submitted_at__lt=until) if until is not None else found


def figures_of(found: QuerySet[Case], *, at: datetime | None = None) -> Figures:
    """The figures of a set of cases; one query. Duplicates that were merged are not counted twice."""
    now = at or timezone.now()
    return Figures(**found.exclude(state=CaseState.MERGED).order_by().aggregate(**_sums(now)))


def figures(
    staff: Staff | Operator,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: str | None = None,
    union: Union | None = None,
    handler: Staff | None = None,
    at: datetime | None = None,
) -> Figures:
    """The figures that a post may see, narrowed by when the cases were submitted, kind, union and handler."""
    return figures_of(
        narrowed(visible_cases(staff), since=since, until=until, kind=kind, union=union, handler=handler), at=at
    )


def narrowed(
    found: QuerySet[Case],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: str | None = None,
    union: Union | None = None,
    handler: Staff | None = None,
) -> QuerySet[Case]:
    """The rows behind a figure."""
    found = between(found, since, until)
    if kind is not None:
        found = found.filter(kind=kind)
    if union is not None:
        found = found.filter(union__path__startswith=union.path)
    return found.filter(handler=handler) if handler is not None else found


def figures_by(found: QuerySet[Case], *by: str, at: datetime | None = None) -> list[dict[str, Any]]:
    """The same figures for each value of columns such as `kind`, `union` or `handler`; one query."""
    now = at or timezone.now()
    return list(found.exclude(state=CaseState.MERGED).order_by().values(*by).annotate(**_sums(now)).order_by(*by))


def added_up(rows: Iterable[Mapping[str, Any]], *by: str) -> list[dict[str, Any]]:
    """Rows of `figures_by` added up over fewer columns, in their order; the mean is weighed by who gave stars."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        sums = found.setdefault(key, {**dict(zip(by, key, strict=True)), **dict.fromkeys(_COUNTED, 0), "stars": 0.0})
        for name in _COUNTED:
            sums[name] += row[name]
        sums["stars"] += float(row["satisfaction"] or 0) * row["rated"]
    for sums in found.values():
        stars = sums.pop("stars")
        sums["satisfaction"] = stars / sums["rated"] if sums["rated"] else None
    return [found[key] for key in sorted(found)]


def figures_from(row: Mapping[str, Any] | None) -> Figures:
    """The figures of one such row; nothing but zeros where there is none."""
    nothing: dict[str, Any] = {**dict.fromkeys(_COUNTED, 0), "satisfaction": None}
    return Figures(**{name: (row or nothing)[name] for name in nothing})


def _sums(now: datetime) -> dict[str, Any]:
    from yizhan.cases.models.case import OPEN_STATES

    return {
        "submitted": Count("pk"),
        "open": Count("pk", filter=Q(state__in=OPEN_STATES)),
        "closed": Count("pk", filter=CLOSED),
        "solved": Count("pk", filter=SOLVED),
        "closed_silent": Count("pk", filter=CLOSED & Q(closed_how="silent")),
        "reopened": Count("pk", filter=REOPENED),
        "refused": Count("pk", filter=Q(state=CaseState.REFUSED)),
        "late": Count("pk", filter=late_at(now)),
        "rated": Count("pk", filter=Q(stars__isnull=False)),
        "satisfaction": Avg("stars"),
    }


def last_days(days: int, *, at: datetime | None = None) -> datetime:
    """The moment `days` days ago."""
    return (at or timezone.now()) - timedelta(days=days)
