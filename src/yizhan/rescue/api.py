"""Rescue over HTTP: a rider's call and its live state, a rescuer's duty and offers. The services hold the rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, File, Form, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile

from yizhan.unions.audit import client_address
from yizhan.unions.models import User, Worker
from yizhan.unions.queries.people import worker_of

from .facts import CallFacts
from .models import By, CallState, Offer, Problem, RescueCall, Rescuer
from .queries import calls as queries
from .services import answers, duty
from .services.calls import OpenAlready, add_photo, cancel_call, submit_call
from .services.log import LONGEST_WORDS, database_now
from .subsidy_api import router as subsidy_router
from .throttle import TooMany
from .tokens import token_for

router = Router(tags=["rescue"])
router.add_router("", subsidy_router)


class CallIn(Schema):
    """A call for help. Positions are WGS-84 degrees; `request_id` is made by the phone: the same one again gives the
    first call. Signed in as a worker nobody need leave a number."""

    request_id: UUID
    problem: Problem
    is_injured: bool | None = Field(None, description="Needed for an accident")
    lon: float
    lat: float
    accuracy_m: int | None = Field(None, ge=0, le=1_000_000)
    words: str = Field("", max_length=LONGEST_WORDS)
    contact_name: str = Field("", max_length=40)
    contact_phone: str = Field("", max_length=20)
    called_at: datetime | None = Field(None, description="The phone's own time; shown, never reckoned with")


class TokenOut(Schema):
    """The secret under which a call is followed."""

    token: str


class WhoComes(Schema):
    """The rescuer who holds a call; position and minutes as far as their phone tells them."""

    name: str
    vehicle: str
    lon: float | None
    lat: float | None
    minutes: int | None


class LiveOut(Schema):
    """A call as its rider follows it."""

    state: CallState
    version: int
    problem: Problem
    lon: float
    lat: float
    received_at: datetime
    due_at: datetime
    who: WhoComes | None


class PhotoOut(Schema):
    """A picture that was kept."""

    id: UUID


class PositionIn(Schema):
    """Where a rescuer is, WGS-84 degrees."""

    lon: float
    lat: float


class PositionOut(Schema):
    """Whether the position was kept: only while on duty."""

    on_duty: bool


class OfferOut(Schema):
    """A call that waits for the rescuer's answer. Who calls is told once it is taken."""

    id: UUID
    problem: Problem
    is_injured: bool | None
    expires_at: datetime
    travel_s: int


class AnswerIn(Schema):
    """Take it or not."""

    answer: Literal["accept", "decline"]


class AnswerOut(Schema):
    """What became of it."""

    accepted: bool
    call: UUID | None


def _call(token: str) -> RescueCall:
    try:
        return queries.call_by_token(token)
    except RescueCall.DoesNotExist:
        raise Http404 from None


def _rescuer(request: HttpRequest) -> Rescuer:
    rescuer = queries.rescuer_of(request.user)
    if rescuer is None:
        raise HttpError(401, "sign in as a rescuer first")
    return rescuer


@router.post("/rescue/calls", response={201: TokenOut}, summary="Call for help")
def call_for_help(request: HttpRequest, told: CallIn) -> Status[dict[str, str]]:
    """Idempotent in `request_id`. 409: the worker has a call open (its token is told); 429: too many calls."""
    worker: Worker | None = worker_of(request.user) if isinstance(request.user, User) else None
    facts = CallFacts(**told.dict(exclude={"request_id"}))
    try:
        call = submit_call(facts, request_id=told.request_id, worker=worker, address=client_address.get())
    except TooMany as broken:
        raise HttpError(429, str(broken.problems[0].message)) from None
    except OpenAlready as broken:
        if worker is None or broken.call.worker_id != worker.pk:
            raise
        return Status(201, {"token": token_for(broken.call.request_id)})
    return Status(201, {"token": token_for(call.request_id)})


@router.get("/rescue/calls/{slug:token}", response=LiveOut, summary="Follow a call")
def follow(request: HttpRequest, response: HttpResponse, token: str) -> dict[str, Any]:
    """Ask every few seconds."""
    response["Cache-Control"] = "private, no-store"
    return _live(_call(token))


def _live(call: RescueCall) -> dict[str, Any]:
    approach = queries.approaches([call], database_now()).get(call.pk)
    who = None
    if call.is_held and call.rescuer is not None:
        who = {
            "name": call.rescuer.name,
            "vehicle": call.rescuer.vehicle,
            "lon": approach.lon if approach else None,
            "lat": approach.lat if approach else None,
            "minutes": approach.minutes if approach else None,
        }
    names = ("state", "version", "problem", "lon", "lat", "received_at", "due_at")
    return {**{name: getattr(call, name) for name in names}, "who": who}


@router.post("/rescue/calls/{slug:token}/cancel", response=LiveOut, summary="Call it off")
def call_off(request: HttpRequest, token: str) -> dict[str, Any]:
    """Repeated, it changes nothing."""
    return _live(cancel_call(_call(token)))


@router.post("/rescue/calls/{slug:token}/photos", response={201: PhotoOut}, summary="Add a photo")
def photo(
    request: HttpRequest, token: str, photo: File[UploadedFile], request_id: Form[UUID]
) -> Status[dict[str, UUID]]:
    """Idempotent in `request_id`."""
    kept = add_photo(_call(token), photo.read(), request_id=request_id, by=By.RIDER)
    return Status(201, {"id": kept.public_id})


@router.post("/rescue/position", response=PositionOut, summary="Tell where one is, while on duty")
def position(request: HttpRequest, told: PositionIn) -> dict[str, bool]:
    """Nothing is kept while off duty."""
    return {"on_duty": duty.tell_position(_rescuer(request), lon=told.lon, lat=told.lat)}


@router.get("/rescue/offers", response=list[OfferOut], summary="What waits for one's answer")
def offers(request: HttpRequest, response: HttpResponse) -> list[dict[str, Any]]:
    """At most one."""
    response["Cache-Control"] = "private, no-store"
    return [
        {
            "id": offer.public_id,
            "problem": offer.call.problem,
            "is_injured": offer.call.is_injured,
            "expires_at": offer.expires_at,
            "travel_s": offer.travel_s,
        }
        for offer in queries.offers_to(_rescuer(request))
    ]


@router.post("/rescue/offers/{uuid:public_id}", response=AnswerOut, summary="Take an offer, or decline it")
def answer(request: HttpRequest, public_id: UUID, said: AnswerIn) -> dict[str, Any]:
    """422 `too_late`: another took it, it was called off, or time ran out."""
    try:
        offer = queries.offer_to(_rescuer(request), public_id)
    except Offer.DoesNotExist:
        raise Http404 from None
    if said.answer == "decline":
        answers.decline_offer(offer)
        return {"accepted": False, "call": None}
    return {"accepted": True, "call": answers.accept_offer(offer).public_id}
