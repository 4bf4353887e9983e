"""Figures of visits and cases together: by level, month, staff and kind.

Every figure counts rows that the lists of visits and cases show under `Line.narrows`, so that a click on it opens
exactly those. A visit and a case belong to one union, so the levels add up; people with names are counted once within
whatever is asked for, so that they do not. Confidential cases are in it only for their circle (`visible_cases`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.functions import Substr, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases.kinds import house_kinds, title_of
from yizhan.cases.models import Case, Visit
from yizhan.cases.queries.figures import Figures, figures_by, figures_of
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.visits.figures import (
    Linked,
    Reach,
    by_kind,
    by_month,
    linked,
    reach,
    reach_by_branch,
    reach_by_post,
    visits_behind,
)
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import OPERATOR, Operator

By = Literal["union", "month", "staff", "kind"]
DIMENSIONS: Final[tuple[By, ...]] = ("union", "month", "staff", "kind")
_NAMES: Final = frozenset(Figures.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What is counted: the union and all below, days in Asia/Shanghai with both in it, a post, kinds."""

    under: Union
    since: date | None = None
    until: date | None = None
    post: Staff | None = None
    kind: str = ""  # of cases
    visit_kind: str = ""

    def query(self) -> dict[str, str]:
        """The same as parameters of the lists."""
        told = {
            "under": str(self.under.public_id),
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "post": str(self.post.public_id) if self.post else "",
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its figures, and how the lists are narrowed to the rows behind them. None: does not apply."""

    label: str
    visits: Reach | None
    cases: Figures | None
    narrows: dict[str, str]

    def rows(self, which: str) -> str:
        """Parameters of the list of cases, narrowed to `which` of them."""
        kind = self.narrows.get("kind", "")
        told = {name: value for name, value in self.narrows.items() if name not in {"kind", "visit_kind"}}
        if kind:
            told["kind"] = kind
        return urlencode(
            {**told, **({"waiting": which} if which != "open" else {})}
        )  # open ones are the list's default

    @property
    def brought_rows(self) -> str:
        """All but duplicates."""
        return self.rows("heard")

    @property
    def open_rows(self) -> str:
        """Those that are open."""
        return self.rows("open")

    @property
    def solved_rows(self) -> str:
        """Those that were solved at the first go."""
        return self.rows("solved")

    @property
    def on_time_rows(self) -> str:
        """Those that were never late."""
        return self.rows("on_time")

    @property
    def late_rows(self) -> str:
        """Those that were late."""
        return self.rows("late")

    @property
    def reopened_rows(self) -> str:
        """Those that the worker sent back."""
        return self.rows("reopened")

    @property
    def rated_rows(self) -> str:
        """Those with a verdict."""
        return self.rows("rated")

    @property
    def visit_rows(self) -> str:
        """Parameters of the list of visits."""
        told = {name: value for name, value in self.narrows.items() if name not in {"kind", "visit_kind"}}
        if kind := self.narrows.get("visit_kind"):
            told["kind"] = kind
        return urlencode(told)

    @property
    def figures(self) -> dict[str, int | float | None]:
        """Every figure by name, as the API and exports give them."""
        visits, cases = self.visits, self.cases
        return {
            "visits": visits.visits if visits else None,
            "people": visits.people if visits else None,
            "people_named": visits.named if visits else None,
            "people_counted": visits.counted if visits else None,
            "needs_heard": visits.needs if visits else None,
            "brought": cases.submitted if cases else None,
            "open": cases.open if cases else None,
            "closed": cases.closed if cases else None,
            "solved": cases.solved if cases else None,
            "on_time": cases.on_time if cases else None,
            "late": cases.late if cases else None,
            "reopened": cases.reopened if cases else None,
            "rated": cases.rated if cases else None,
            "satisfaction": round(cases.satisfaction, 2) if cases and cases.satisfaction is not None else None,
        }


def visits_of(reader: Staff | Operator, narrowing: Narrowing) -> QuerySet[Visit]:
    """The visits that are counted; call it in the scope of the union."""
    staff = reader if isinstance(reader, Staff) else Staff(union=narrowing.under)
    return visits_behind(
        for_staff=staff,
        since=narrowing.since,
        until=narrowing.until,
        union=narrowing.under,
        post=narrowing.post,
        kind=narrowing.visit_kind,
    )


def cases_of(reader: Staff | Operator, narrowing: Narrowing) -> QuerySet[Case]:
    """The cases that are counted, duplicates that were merged among them: `figures_of` leaves those out."""
    found = visible_cases(reader, remembered=True) if isinstance(reader, Staff) else visible_cases(OPERATOR)
    found = found.filter(union__path__startswith=narrowing.under.path)
    if narrowing.since:
        found = found.filter(submitted_at__date__gte=narrowing.since)
    if narrowing.until:
        found = found.filter(submitted_at__date__lte=narrowing.until)
    if narrowing.post:
        found = found.filter(handler=narrowing.post)
    return found.filter(kind=narrowing.kind) if narrowing.kind else found


def total(reader: Staff | Operator, narrowing: Narrowing) -> Line:
    """All of it in one line."""
    kinds = {"kind": narrowing.kind, "visit_kind": narrowing.visit_kind}
    return Line(
        label=_("All"),
        visits=reach(visits_of(reader, narrowing)),
        cases=figures_of(cases_of(reader, narrowing)),
        narrows=narrowing.query() | {name: value for name, value in kinds.items() if value},
    )


def links_now(reader: Staff | Operator, narrowing: Narrowing) -> Linked:
    """Who is linked now at the union and below, each worker and union once; the period does not narrow it."""
    del reader
    return linked(for_staff=Staff(union=narrowing.under))


def lines(reader: Staff | Operator, narrowing: Narrowing, by: By) -> list[Line]:
    """The figures part by part; some ten queries however many rows there are."""
    visits, cases = visits_of(reader, narrowing), cases_of(reader, narrowing)
    base = narrowing.query()
    if narrowing.kind:
        base["kind"] = narrowing.kind
    if narrowing.visit_kind:
        base["visit_kind"] = narrowing.visit_kind
    match by:
        case "union":
            return _by_union(visits, cases, narrowing.under, base)
        case "month":
            return _by_month(visits, cases, narrowing, base)
        case "staff":
            return _by_staff(visits, cases, base)
        case "kind":
            return _by_kind(visits, cases, base)


def _figures(rows: Iterable[dict[str, Any]], key: str) -> dict[Any, Figures]:
    return {row[key]: Figures(**{name: row[name] for name in _NAMES}) for row in rows}


def _by_union(visits: QuerySet[Visit], cases: QuerySet[Case], under: Union, base: dict[str, str]) -> list[Line]:
    width = len(under.path) + Union.steplen
    reached = reach_by_branch(visits, below=under)
    brought = _figures(figures_by(cases.annotate(level=Substr("union__path", 1, width)), "level"), "level")
    unions = {union.path: union for union in Union.objects.filter(path__in=[*reached, *brought])}
    found = []
    for path in sorted(unions):
        union, is_itself = unions[path], path == under.path
        label = _("%(union)s itself") % {"union": union.name} if is_itself else union.name
        narrows = {**base, "under": str(union.public_id), **({"only": "1"} if is_itself else {})}
        found.append(_line(label, reached.get(path), brought.get(path), narrows))
    return found


def _by_month(visits: QuerySet[Visit], cases: QuerySet[Case], narrowing: Narrowing, base: dict[str, str]) -> list[Line]:
    reached = {row.value: row.reach for row in by_month(visits)}
    rows = figures_by(cases.annotate(month=TruncMonth("submitted_at")), "month")
    brought = {f"{timezone.localtime(month):%Y-%m}": told for month, told in _figures(rows, "month").items()}
    found = []
    for month in sorted({*reached, *brought}):
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        since = max(first, narrowing.since) if narrowing.since else first
        until = min(last, narrowing.until) if narrowing.until else last
        narrows = {**base, "since": since.isoformat(), "until": until.isoformat()}
        found.append(_line(month, reached.get(month), brought.get(month), narrows))
    return found


def _by_staff(visits: QuerySet[Visit], cases: QuerySet[Case], base: dict[str, str]) -> list[Line]:
    reached = reach_by_post(visits)
    brought = _figures(figures_by(cases, "handler"), "handler")
    wanted = [pk for pk in {*reached, *brought} if pk is not None]
    posts = Staff.objects.with_scopes_disabled().filter(pk__in=wanted).select_related("user", "union")
    found = [
        _line(
            f"{post.user} · {post.union.name}",
            reached.get(post.pk),
            brought.get(post.pk),
            {**base, "post": str(post.public_id)},
        )
        for post in posts.order_by("union__path", "user__name", "pk")
    ]
    if None in brought:
        found.append(_line(_("Cases without a handler"), None, brought[None], {**base, "post": "none"}))
    return found


def _by_kind(visits: QuerySet[Visit], cases: QuerySet[Case], base: dict[str, str]) -> list[Line]:
    brought = _figures(figures_by(cases, "kind"), "kind")
    found = [
        Line(
            label=_("Visits: %(kind)s") % {"kind": row.label},
            visits=row.reach,
            cases=None,
            narrows={**base, "visit_kind": row.value},
        )
        for row in by_kind(visits)
        if row.reach.visits
    ]
    found += [
        Line(
            label=_("Cases: %(kind)s") % {"kind": title_of(code)},
            visits=None,
            cases=brought[code],
            narrows={**base, "kind": code},
        )
        for code in house_kinds()
        if code in brought
    ]
    return found


def _line(label: str, visits: Reach | None, cases: Figures | None, narrows: dict[str, str]) -> Line:
    nothing = Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, None)
    return Line(label=label, visits=visits or Reach(0, 0, 0, 0), cases=cases or nothing, narrows=narrows)
