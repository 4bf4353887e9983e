"""Cases over HTTP: one's own for a worker's app, and the desk's for staff. Thin: the services hold the rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError

from yizhan.unions.audit import client_address
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.queries.people import worker_of
from yizhan.unions.rights import policy

from .clocks import last_day
from .facts import CaseFacts
from .kinds import kinds_of
from .models import Case, CaseSource, CaseState
from .outcome.api import router as outcome_router
from .queries import desk
from .queries.people import with_handlers
from .queries.visible import case_for, visible_cases
from .queries.worker import own_case, own_cases, told_to_worker, track_of
from .rights import VIEW_CASES
from .search import matching
from .services import steps, verdict
from .services.intake import LONGEST_TEXT, LONGEST_TITLE, submit_case
from .services.joining import followed
from .services.log import LONGEST_WORDS, ChangedMeanwhile
from .throttle import TooMany, count_case
from .visits.api import router as visits_router

router = Router(tags=["cases"])
router.add_router("", visits_router)
router.add_router("", outcome_router)


class CaseIn(Schema):
    """What is the matter. `request_id` is made by the device: the same one again gives the first case."""

    request_id: UUID
    kind: str = Field(max_length=24)
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    title: str = Field("", max_length=LONGEST_TITLE)
    fields: dict[str, str | int | bool | None] = Field(default_factory=dict, description="Of the kind; money in fen")
    address: str = Field("", max_length=160)
    union: UUID | None = Field(None, description="Before whom; the worker's own union when null")


class StageOut(Schema):
    """A station of the track."""

    name: str
    reached_at: datetime | None
    is_now: bool


class ToldOut(Schema):
    """A step as its worker reads it."""

    kind: str
    title: str
    words: str
    at: datetime


class OwnCaseOut(Schema):
    """One's own case."""

    id: UUID
    number: str
    kind: str
    title: str
    state: CaseState
    union: str
    submitted_at: datetime
    track: list[StageOut]


class OwnCaseFullOut(OwnCaseOut):
    """The same with all that was told."""

    text: str
    told: list[ToldOut]


class VerdictIn(Schema):
    """Solved with stars, or not solved with words."""

    verdict: Literal["solved", "not_solved"]
    stars: int = Field(5, ge=1, le=5)
    words: str = Field("", max_length=LONGEST_WORDS)


class CaseOut(Schema):
    """A case as the desk lists it. `due` is the last day in Asia/Shanghai for what is owed next; null: nothing is."""

    id: UUID
    number: str
    kind: str
    title: str
    is_confidential: bool
    state: CaseState
    union: str
    handler: str | None
    submitted_at: datetime
    due: date | None
    is_overdue: bool
    version: int


class CasePage(Schema):
    """Cases; `next` asks for the following ones, null at the end."""

    items: list[CaseOut]
    next: str | None


class StepIn(Schema):
    """A step. `seen` is the version of the case as last read: 409 when others went on meanwhile."""

    step: Literal["accept", "refuse", "start", "progress", "pause", "resume", "propose", "note"]
    words: str = Field("", max_length=LONGEST_WORDS)
    seen: int


class KindOut(Schema):
    """A kind that can be brought before a union."""

    code: str
    title: str
    explanation: str
    is_confidential: bool
    needs_account: bool
    answer_days: int


def _worker(request: HttpRequest) -> Worker:
    worker = worker_of(request.user) if isinstance(request.user, User) else None
    if worker is None:
        raise HttpError(401, "sign in as a worker first")
    return worker


def _staff(request: HttpRequest) -> Staff:
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        raise HttpError(401, "sign in to a post first")
    policy.require(staff, VIEW_CASES, staff.union)
    return staff


@router.get("/unions/{uuid:public_id}/case-kinds", response=list[KindOut], summary="What can be brought before a union")
def case_kinds(request: HttpRequest, public_id: UUID) -> list[KindOut]:
    """Kinds as they hold there."""
    union = with_handlers().filter(public_id=public_id).first()
    if union is None:
        raise Http404
    return [
        KindOut(
            code=kind.code,
            title=kind.title,
            explanation=kind.explanation,
            is_confidential=kind.is_confidential,
            needs_account=not kind.is_anonymous,
            answer_days=kind.answer_days,
        )
        for kind in kinds_of(union).values()
        if kind.is_offered
    ]


@router.get("/my/cases", response=list[OwnCaseOut], summary="One's own cases")
def my_cases(request: HttpRequest, response: HttpResponse) -> list[dict[str, Any]]:
    """The newest hundred."""
    response["Cache-Control"] = "private, no-store"
    return [_own(case) for case in own_cases(_worker(request))[:100]]


@router.post("/my/cases", response={201: OwnCaseFullOut}, summary="Bring something before one's union")
def bring(request: HttpRequest, told: CaseIn) -> Status[dict[str, Any]]:
    """Idempotent in `request_id`. 429: too much within the hour."""
    worker = _worker(request)
    union = with_handlers().filter(public_id=told.union).first() if told.union else worker.union
    if union is None:
        raise HttpError(422, "say before which union")
    facts = CaseFacts(kind=told.kind, title=told.title, text=told.text, fields=told.fields, address=told.address)
    try:
        count_case(client_address.get(), worker)
        case = submit_case(facts, union=union, source=CaseSource.WORKER, worker=worker, request_id=told.request_id)
    except TooMany as broken:
        raise HttpError(429, str(broken.problems[0].message)) from None
    if case.worker_id != worker.pk:
        raise HttpError(409, "this request_id was used by someone else")
    return Status(201, _own_full(case))


@router.get("/my/cases/{uuid:public_id}", response=OwnCaseFullOut, summary="One of one's own cases")
def my_case(request: HttpRequest, response: HttpResponse, public_id: UUID) -> dict[str, Any]:
    """With all that was told."""
    response["Cache-Control"] = "private, no-store"
    return _own_full(_own_case(request, public_id))


@router.post("/my/cases/{uuid:public_id}/verdict", response=OwnCaseFullOut, summary="Solved or not solved")
def my_verdict(request: HttpRequest, public_id: UUID, said: VerdictIn) -> dict[str, Any]:
    """“Not solved” reopens it and needs words."""
    case = _own_case(request, public_id)
    if said.verdict == "solved":
        verdict.confirm_result(case, stars=said.stars, words=said.words)
    else:
        verdict.reopen_case(case, words=said.words)
    return _own_full(_own_case(request, public_id))


@router.get("/cases", response=CasePage, summary="Cases that the acting post may see")
def list_cases(
    request: HttpRequest,
    response: HttpResponse,
    state: CaseState | None = None,
    kind: str = "",
    q: str = "",
    overdue: bool = False,
    after: str = "",
) -> dict[str, Any]:
    """Open ones unless a state or words are asked for; what is due first stands first. Fifty at a time."""
    response["Cache-Control"] = "private, no-store"
    found = visible_cases(_staff(request)) if state or q else desk.open_cases(_staff(request))
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if q:
        found = matching(found, q)
    if overdue:
        found = desk.overdue(found)
    try:
        page = desk.page_of(found, after=after)
    except ValueError:
        raise HttpError(422, "“after” is no cursor of ours") from None
    return {"items": [_shown(case) for case in page.cases], "next": page.after or None}


@router.get("/cases/{uuid:public_id}", response=CaseOut, summary="One case", url_name="desk_case")
def one_case(request: HttpRequest, response: HttpResponse, public_id: UUID) -> dict[str, Any]:
    """404 when it is not the acting post's to see."""
    response["Cache-Control"] = "private, no-store"
    return _shown(_case(_staff(request), public_id))


@router.post("/cases/{uuid:public_id}/steps", response=CaseOut, summary="Take a step in a case", url_name="case_step")
def take_step(request: HttpRequest, public_id: UUID, told: StepIn) -> dict[str, Any]:
    """409 when others went on meanwhile: read it again."""
    staff = _staff(request)
    case = _case(staff, public_id)
    take: dict[str, Any] = {
        "accept": steps.accept_case,
        "refuse": steps.refuse_case,
        "progress": steps.tell_progress,
        "pause": steps.pause_clock,
        "resume": steps.resume_clock,
        "propose": steps.propose_result,
        "note": steps.note_on_case,
    }
    try:
        if told.step == "start":
            steps.start_case(case, actor=staff, seen=told.seen)
        else:
            take[told.step](case, actor=staff, words=told.words, seen=told.seen)
    except ChangedMeanwhile as changed:
        raise HttpError(409, str(changed.problems[0].message)) from None
    return _shown(_case(staff, public_id))


def _case(staff: Staff, public_id: UUID) -> Case:
    try:
        return case_for(staff, public_id)
    except Case.DoesNotExist:
        raise Http404 from None


def _own_case(request: HttpRequest, public_id: UUID) -> Case:
    try:
        return own_case(_worker(request), public_id)
    except Case.DoesNotExist:
        raise Http404 from None


def _own(case: Case) -> dict[str, Any]:
    goes_on = followed(case)
    return {
        "id": case.public_id,
        "number": case.number,
        "kind": case.kind,
        "title": case.heading,
        "state": case.state,
        "union": goes_on.union.name,
        "submitted_at": case.submitted_at,
        "track": [
            {"name": stage.name, "reached_at": stage.reached_at, "is_now": stage.is_now} for stage in track_of(goes_on)
        ],
    }


def _own_full(case: Case) -> dict[str, Any]:
    told = told_to_worker(followed(case))
    return {
        **_own(case),
        "text": str(case.opened["text"]),
        "told": [{"kind": one.event.kind, "title": one.title, "words": one.words, "at": one.event.at} for one in told],
    }


def _shown(case: Case) -> dict[str, Any]:
    due = desk.due_of(case)
    return {
        "id": case.public_id,
        "number": case.number,
        "kind": case.kind,
        "title": case.heading,
        "is_confidential": case.is_confidential,
        "state": case.state,
        "union": case.union.name,
        "handler": str(case.handler.user) if case.handler else None,
        "submitted_at": case.submitted_at,
        "due": last_day(due) if due else None,
        "is_overdue": due is not None and due <= timezone.now() and case.is_open,
        "version": case.version,
    }
