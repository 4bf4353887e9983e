"""The figures over HTTP: the same as on the desk's page, for the acting post."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from yizhan.cases.kinds import house_kinds
from yizhan.cases.models import VisitKind
from yizhan.cases.outreach_rights import VIEW_REACH
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from .figures import Line, Narrowing, lines, links_now, total

router = Router(tags=["cases"])


class OutcomeOut(Schema):
    """Figures of visits and cases; null: does not apply to such a line. `people` counts each named person once."""

    label: str
    visits: int | None
    people: int | None
    people_named: int | None
    people_counted: int | None
    needs_heard: int | None
    brought: int | None
    open: int | None
    closed: int | None
    solved: int | None
    on_time: int | None
    late: int | None
    reopened: int | None
    rated: int | None
    satisfaction: float | None = Field(description="Mean of stars, 1 to 5; null without verdicts")


class LinkedOut(Schema):
    """Who is linked now, each worker and union once."""

    workers: int
    unions: int
    groups: int
    members: int


class OutcomesOut(Schema):
    """All in one line, and part by part."""

    union: str
    total: OutcomeOut
    linked: LinkedOut
    lines: list[OutcomeOut]


@router.get("/case-figures", response=OutcomesOut, summary="Visits, people reached, cases, results and satisfaction")
def case_figures(
    request: HttpRequest,
    response: HttpResponse,
    by: Literal["union", "month", "staff", "kind"] = "union",
    under: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
    kind: str = "",
    visit_kind: VisitKind | None = None,
) -> dict[str, object]:
    """What the acting post may see. Days are Asia/Shanghai, both included; cases count on the day they were brought."""
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        raise HttpError(401, "sign in to a post first")
    policy.require(staff, VIEW_REACH, staff.union)
    if kind and kind not in house_kinds():
        raise HttpError(422, "“kind” is no kind of case")
    union = Union.objects.filter(public_id=under).first() if under else staff.union
    if union is None or not union.path.startswith(staff.union.path):
        raise Http404
    narrowing = Narrowing(under=union, since=since, until=until, kind=kind, visit_kind=visit_kind or "")
    told = links_now(staff, narrowing)
    response["Cache-Control"] = "private, no-store"
    return {
        "union": union.name,
        "total": _shown(total(staff, narrowing)),
        "linked": {name: getattr(told, name) for name in ("workers", "unions", "groups", "members")},
        "lines": [_shown(line) for line in lines(staff, narrowing, by)],
    }


def _shown(line: Line) -> dict[str, object]:
    return {"label": line.label, **line.figures}
