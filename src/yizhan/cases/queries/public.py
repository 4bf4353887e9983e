"""What everyone may read: results that were published, and figures in which nobody can be found.

Confidential cases are in none of it, not even in a sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from yizhan.cases.kinds import house_kinds, title_of
from yizhan.cases.models import Case, CaseState
from yizhan.unions.models import Union

from .figures import FEWEST_SHOWN, SOLVED
from .kept import counted_lately


@dataclass(frozen=True, slots=True)
class PublicFigure:
    """Counts of one kind; None where fewer than five stand behind it."""

    code: str
    title: str
    heard: int | None
    solved: int | None
    satisfaction: float | None


def published_results(union: Union | None = None) -> QuerySet[Case]:
    """Cases whose results were published, newest first; of a union and below."""
    found: QuerySet[Case] = Case.objects.with_scopes_disabled().filter(is_confidential=False, state=CaseState.CLOSED)
    found = found.exclude(published_words="")
    if union is not None:
        found = found.filter(union__path__startswith=union.path)
    return found.select_related("union").order_by("-closed_at", "-pk")


def public_figures(union: Union | None = None) -> list[PublicFigure]:
    """How many cases of each kind were heard and solved, and how satisfied their workers are."""
    found = Case.objects.with_scopes_disabled().filter(is_confidential=False)
    found = found.exclude(state__in=[CaseState.MERGED, CaseState.WITHDRAWN])
    if union is not None:
        found = found.filter(union__path__startswith=union.path)
    rows = found.order_by().values("kind").annotate(
        heard=Count("pk"), solved=Count("pk", filter=SOLVED), rated=Count("pk", filter=Q(stars__isnull=False)),
        stars=Avg("stars"),
    )  # fmt: skip
    counted = {row["kind"]: row for row in counted_lately("heard", found, lambda: list(rows), rows=_heard)}
    return [_figure(code, counted[code]) for code in house_kinds() if code in counted]


def _heard(rows: list[dict[str, Any]]) -> int:
    return sum(row["heard"] for row in rows)


def _figure(code: str, row: dict[str, float]) -> PublicFigure:
    heard, solved = int(row["heard"]), int(row["solved"])
    hidden = heard < FEWEST_SHOWN
    # The difference of two figures must not tell a small one either.
    solved_hidden = hidden or solved < FEWEST_SHOWN or 0 < heard - solved < FEWEST_SHOWN
    return PublicFigure(
        code,
        title_of(code),
        None if hidden else heard,
        None if solved_hidden else solved,
        round(row["stars"], 1) if row["rated"] >= FEWEST_SHOWN else None,
    )


def unions_with_results() -> Iterable[Union]:
    """Unions that published results, for narrowing; in the order of the tree."""
    owners = published_results().order_by().values("union").distinct()
    return Union.objects.filter(pk__in=owners).order_by("path")
