"""Reports over HTTP, for programs in which people stand before a door: no key, no account, like the page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile
from pydantic import Field

from yizhan.places.models import Place, ReportKind, ReportReceipt, ReportState
from yizhan.places.queries import public_place
from yizhan.places.services.report_log import LONGEST_WORDS, life_now
from yizhan.places.services.reports import add_to_report, judge_answer, report_fault
from yizhan.unions.audit import client_address

from . import queries
from .deadlines import last_day
from .receipts import receipt_of, token_of
from .throttle import TooMany

router = Router(tags=["reports"])


class ReportIn(Schema):
    """What is wrong. `request_id` is made by the device; the same one with the same kind counts once."""

    request_id: UUID
    kind: ReportKind
    words: str = Field("", max_length=LONGEST_WORDS, description="Needed for `other`")


class AnswerOut(Schema):
    """What the keeper or the union said."""

    kind: str
    words: str
    at: datetime


class ReceiptOut(Schema):
    """What became of a report. `token` is a secret: whoever has it reads the answer and may judge it."""

    token: str
    url: str
    place: UUID
    kind: ReportKind
    state: ReportState
    reported_at: datetime
    answer_due: date | None = Field(description="The last day for an answer, in Asia/Shanghai; null: none is owed")
    photos: list[str] = Field(description="Addresses of your own pictures and of those of the answers")
    answers: list[AnswerOut]


class VerdictIn(Schema):
    """The reporter's word on the answer."""

    verdict: Literal["fixed", "not_fixed"]


@router.post(
    "/places/{uuid:public_id}/reports", response={201: ReceiptOut}, url_name="report", summary="Report a fault"
)
def report(request: HttpRequest, public_id: UUID, told: ReportIn) -> Status[ReceiptOut]:
    """Idempotent in `request_id` and `kind`. 429: too many reports from here or about this place within the hour."""
    try:
        place = public_place(public_id)
    except Place.DoesNotExist:
        raise Http404 from None
    try:
        receipt = report_fault(
            place, kind=told.kind, request_id=told.request_id, words=told.words, address=client_address.get()
        )
    except TooMany as broken:
        raise HttpError(429, str(broken.problems[0].message)) from None
    return Status(201, _shown(receipt))


@router.get("/reports/{token}", response=ReceiptOut, url_name="report_receipt", summary="What became of a report")
def one_report(request: HttpRequest, response: HttpResponse, token: str) -> ReceiptOut:
    """For whoever holds the token."""
    response["Cache-Control"] = "private, no-store"
    return _shown(_receipt(token))


@router.post("/reports/{token}/verdict", response=ReceiptOut, url_name="report_verdict", summary="Fixed or not fixed")
def verdict(request: HttpRequest, token: str, said: VerdictIn) -> ReceiptOut:
    """“Not fixed” reopens the report; “fixed” of the first reporter settles it."""
    judge_answer(_receipt(token), fixed=said.verdict == "fixed")
    return _shown(_receipt(token))


@router.post(
    "/reports/{token}/photos", response={201: ReceiptOut}, url_name="report_photos", summary="Add a photo to a report"
)
def add_photo(request: HttpRequest, token: str, photo: File[UploadedFile]) -> Status[ReceiptOut]:
    """One JPEG, PNG or WebP of at most 12 MB; only its picture is kept. The same picture again counts once."""
    add_to_report(_receipt(token), photo=photo.read())
    return Status(201, _shown(_receipt(token)))


def _receipt(token: str) -> ReportReceipt:
    try:
        return receipt_of(token)
    except ReportReceipt.DoesNotExist:
        raise Http404(_("There is no such report; check whether the whole address was copied.")) from None


def _shown(receipt: ReportReceipt) -> ReceiptOut:
    report = receipt.report
    due_at = life_now(report).due_at
    token = token_of(receipt)
    return ReceiptOut(
        token=token,
        url=f"/r/{token}/",
        place=report.place.public_id,
        kind=ReportKind(report.kind),
        state=ReportState(report.state),
        reported_at=receipt.at,
        answer_due=last_day(due_at) if due_at else None,
        photos=[f"/r/{token}/photos/{photo.public_id}/" for photo in queries.photos_for_reporter(receipt)],
        answers=[
            AnswerOut(kind=event.kind, words=event.text, at=event.at)
            for event in queries.events_of(report)
            if event.post_id or event.kind == "verified"
        ],
    )
