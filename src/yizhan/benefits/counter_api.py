"""Codes and counters over HTTP: what the pages of workers' and cashiers' phones call. By session, with its token."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from ninja import Router, Schema, Status
from ninja.security import django_auth
from pydantic import Field

from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.queries.people import worker_of

from . import payments as carriers
from .daily_words import daily_word
from .queries import counters as queries
from .queries.phones import blocked_numbers
from .services import scanning, uploads
from .services.phones import certify, public_keys
from .services.taking_back import void

router = Router(tags=["benefits"], auth=django_auth)
MOST_UPLOADS = 50
Text = Annotated[str, Field(max_length=1000)]
Device = Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[0-9A-Za-z-]+$")]


class MyPhoneOut(Schema):
    """What a worker's phone asks first. `holder` changes when someone else signs in: keys are not shared."""

    server_time: float = Field(description="UTC epoch seconds, so that the phone knows by how much its clock is off")
    holder: UUID
    csrf: str


class CertificateIn(Schema):
    """A phone's public key (uncompressed point, 65 bytes) and its proof, both in base64url."""

    public_key: str = Field(max_length=100)
    proof: str = Field(max_length=100)
    name: str = Field("", max_length=200)


class CertificateOut(Schema):
    """The certificate (112 bytes, base64url) that goes into every code."""

    certificate: str
    valid_until: float
    server_time: float


class OfferOut(Schema):
    """Something to redeem at a counter; amounts in fen. `hours` are those of the programme today; empty: all day."""

    id: UUID
    name: str
    programme: str
    list_price_fen: int
    worker_fen: int
    hours: list[str]
    takes_paper: bool


class DayOut(Schema):
    """What went over the counter today."""

    count: int
    worker_fen: int


class CounterOut(Schema):
    """One counter. `word` and `colour` are those of live tickets today."""

    id: UUID
    name: str
    word: str
    colour: str
    offers: list[OfferOut]
    today: DayOut
    to_decide: int = Field(description="Offline redemptions that wait for finance")


class PackOut(Schema):
    """All that a counter needs for a day without a network; it names no worker."""

    server_time: float
    csrf: str
    cashier: str
    counters: list[CounterOut]
    house_keys: dict[str, str] = Field(description="Public keys for certificates by number, base64url")
    blocked: list[str] = Field(description="Numbers of certificates to refuse")
    pays_by: list[str] = Field(description="Carriers by which workers may pay by phone; none: cash or the till")


class ScanIn(Schema):
    """A scan. `request_id` is made once for it and repeated until an answer comes; `device` names the phone."""

    request_id: UUID
    device: Device
    offer: UUID
    text: Text


class RedeemedOut(Schema):
    """Redeemed: what the worker pays at the counter, in fen."""

    id: UUID
    offer: str
    worker_fen: int
    list_price_fen: int
    redeemed_at: datetime
    repeated: bool
    today: DayOut


class RefusedOut(Schema):
    """Not redeemed. `words` never say who or why, only what the cashier can do."""

    code: str
    words: str


class TicketIn(Schema):
    """What the camera read on a live ticket."""

    text: Text


class TicketOut(Schema):
    """A ticket of this counter. `served_at`: it was shown before, then."""

    offer: str
    worker_fen: int
    redeemed_at: datetime
    served_at: datetime | None


class VoidIn(Schema):
    """Why a redemption is taken back."""

    reason: str = Field(min_length=1, max_length=200)


class UploadIn(Schema):
    """One redemption made offline. `scanned_at` is by the phone's clock, corrected by what it knew of ours."""

    request_id: UUID
    offer: UUID
    text: Text
    scanned_at: datetime


class UploadsIn(Schema):
    """A queue, or a part of it."""

    device: Device
    items: list[UploadIn] = Field(min_length=1, max_length=MOST_UPLOADS)


class UploadOut(Schema):
    """What became of one: `accepted`, `exception` (finance decides), `set_aside` (finance decided). It is kept."""

    request_id: UUID
    state: str
    words: str


class UploadsOut(Schema):
    """One answer for each item: only then may the phone forget it."""

    items: list[UploadOut]
    today: DayOut


@router.get("/benefits/phone", response=MyPhoneOut, url_name="my_phone", summary="The asking worker's phone")
def my_phone(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """For the page “My code”."""
    response["Cache-Control"] = "no-store"
    worker = _worker(request)
    return {"server_time": timezone.now().timestamp(), "holder": worker.public_id, "csrf": get_token(request)}


@router.post(
    "/benefits/phone/certificates",
    response={201: CertificateOut},
    url_name="certify_phone",
    summary="Certify a phone's key",
)
def certify_phone(request: HttpRequest, said: CertificateIn) -> Status[dict[str, Any]]:
    """For some days; the same key again renews it."""
    issued = certify(
        _worker(request),
        point=_bytes(said.public_key, "public_key"),
        proof=_bytes(said.proof, "proof"),
        name=said.name,
    )
    return Status(
        201,
        {
            "certificate": _base64url(issued.content),
            "valid_until": issued.valid_until.timestamp(),
            "server_time": timezone.now().timestamp(),
        },
    )


@router.get("/benefits/counter", response=PackOut, url_name="counter_pack", summary="What a counter needs")
def pack(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The counters of the acting post, with their offers and all that checks codes without a network."""
    response["Cache-Control"] = "no-store"
    staff = _staff(request)
    now = timezone.now()
    places = list(queries.counters_of(staff)[:50])
    offers = queries.offers_by_place(places, at=now)
    return {
        "server_time": now.timestamp(),
        "csrf": get_token(request),
        "cashier": str(staff.user),
        "counters": [_counter(place, offers.get(place.pk, []), now) for place in places],
        "house_keys": {str(number): _base64url(key) for number, key in public_keys().items()},
        "blocked": blocked_numbers(now),
        "pays_by": [name for name in carriers.available() if name != carriers.OFFLINE],
    }


@router.post(
    "/benefits/counter/{uuid:place_id}/redemptions",
    response={200: RedeemedOut, 409: RefusedOut},
    url_name="counter_redeem",
    summary="Redeem at a counter",
)
def redeem(request: HttpRequest, place_id: UUID, scan: ScanIn) -> Status[Any]:
    """Idempotent in `device` and `request_id`. 409: refused; the same id may be tried again."""
    staff, place = _at(request, place_id)
    try:
        receipt = scanning.redeem_scanned(
            cashier=staff,
            place=place,
            offer=scan.offer,
            text=scan.text,
            request_id=scan.request_id,
            device=scan.device,
        )
    except scanning.ScanRefused as refused:
        return Status(409, {"code": refused.code, "words": str(refused.words)})
    offer = scanning.offer_here(place, scan.offer)
    return Status(
        200,
        {
            "id": receipt.public_id,
            "offer": offer.name if offer else "",
            "worker_fen": receipt.worker_fen,
            "list_price_fen": receipt.list_price_fen,
            "redeemed_at": receipt.redeemed_at,
            "repeated": receipt.repeated,
            "today": _today(place),
        },
    )


@router.post(
    "/benefits/counter/{uuid:place_id}/redemptions/{uuid:redemption_id}/void",
    response=DayOut,
    url_name="counter_void",
    summary="Take a redemption back",
)
def take_back(request: HttpRequest, place_id: UUID, redemption_id: UUID, said: VoidIn) -> dict[str, Any]:
    """Within the minutes that the programme gives the counter; every party's share is reversed."""
    staff, place = _at(request, place_id)
    redemption = queries.redemption_at(place, redemption_id)
    if redemption is None:
        raise Http404
    void(redemption, actor=staff, reason=said.reason)
    return _today(place)


@router.post(
    "/benefits/counter/{uuid:place_id}/tickets",
    response={200: TicketOut, 409: RefusedOut},
    url_name="counter_ticket",
    summary="Look at a live ticket",
)
def look_at_ticket(request: HttpRequest, place_id: UUID, said: TicketIn) -> Status[Any]:
    """Marks it as served."""
    staff, place = _at(request, place_id)
    try:
        shown = scanning.show_ticket(said.text, cashier=staff, place=place)
    except scanning.ScanRefused as refused:
        return Status(409, {"code": refused.code, "words": str(refused.words)})
    return Status(
        200,
        {
            "offer": shown.redemption.offer.name,
            "worker_fen": shown.redemption.worker_fen,
            "redeemed_at": shown.redemption.redeemed_at,
            "served_at": shown.served_at,
        },
    )


@router.post(
    "/benefits/counter/{uuid:place_id}/uploads",
    response=UploadsOut,
    url_name="counter_uploads",
    summary="Tell what was redeemed offline",
)
def upload(request: HttpRequest, place_id: UUID, queue: UploadsIn) -> dict[str, Any]:
    """Facts: none is refused. Each is accepted, or listed for finance; a repeated one counts once."""
    staff, place = _at(request, place_id)
    answers = []
    for item in queue.items:
        kept = uploads.take_down(
            uploads.Told(item.request_id, item.offer, item.text, item.scanned_at),
            cashier=staff,
            place=place,
            device=queue.device,
        )
        words = pgettext("upload", "Accepted") if kept.state == "accepted" else kept.get_reason_display()
        answers.append({"request_id": item.request_id, "state": kept.state, "words": words})
    return {"items": answers, "today": _today(place)}


def _counter(place: Place, offers: list[queries.OfferAtCounter], now: datetime) -> dict[str, Any]:
    word = daily_word(place.public_id, timezone.localdate(now))
    return {
        "id": place.public_id,
        "name": place.name,
        "word": word.word,
        "colour": word.colour,
        "offers": [
            {
                "id": one.offer.public_id,
                "name": one.offer.name,
                "programme": one.offer.programme.name,
                "list_price_fen": one.offer.list_price_fen,
                "worker_fen": one.worker_fen,
                "hours": one.hours,
                "takes_paper": one.offer.programme.takes_paper,
            }
            for one in offers
        ],
        "today": _today(place),
        "to_decide": queries.uploads_to_decide(place),
    }


def _today(place: Place) -> dict[str, int]:
    day = queries.day_at(place)
    return {"count": day.count, "worker_fen": day.worker_fen}


def _worker(request: HttpRequest) -> Worker:
    assert isinstance(request.user, User)  # noqa: S101 - the router's auth
    worker = worker_of(request.user)
    if worker is None:
        raise PermissionDenied(_("This page is for workers. Sign in with your phone number."))
    return worker


def _staff(request: HttpRequest) -> Staff:
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        user = request.user
        if isinstance(user, User) and user.must_change_password:
            raise PermissionDenied(_("Choose a password of your own first: the desk leads you there."))
        raise PermissionDenied(_("This page is for those who work at a counter."))
    return staff


def _at(request: HttpRequest, place_id: UUID) -> tuple[Staff, Place]:
    staff = _staff(request)
    place = queries.counters_of(staff).filter(public_id=place_id).first()
    if place is None:
        raise Http404
    return staff, place


def _bytes(text: str, field: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise RuleBroken.at(field, text[:20], _("Write it in base64url."), "base64url") from None


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
