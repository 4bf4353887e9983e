"""Programmes and redemptions over HTTP: for workers' own devices and for staff's programs. By session, with its token.

Counters have routes of their own, which read codes: here a worker is the one who asks, or is named by staff who may
see them. Merchants' people cannot ask about named workers.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from ninja.security import django_auth
from pydantic import AwareDatetime, Field

from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.queries.people import worker_of
from yizhan.unions.rights import policy

from .models import BenefitOffer, Channel
from .queries import offers as queries
from .refusals import Refused
from .rights import REDEEM
from .services import redeeming, taking_back

router = Router(tags=["benefits"])
_MOST = 100
Device = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z._-]+$")]


class ProgrammeOfferOut(Schema):
    """What is offered where; amounts in fen."""

    id: UUID
    name: str
    place: UUID
    place_name: str
    list_price_fen: int
    worker_fen: int


class ProgrammeOut(Schema):
    """A running programme."""

    id: UUID
    kind: str
    name: str
    summary: str
    union: UUID
    union_name: str
    starts_on: date
    ends_on: date | None
    offers: list[ProgrammeOfferOut]


class ProgrammePage(Schema):
    """Running programmes; `next` is the cursor of the following page, null at the end."""

    items: list[ProgrammeOut]
    next: str | None


class RedeemIn(Schema):
    """One request to redeem. Repeat it with the same `request_id` and `device` until it is answered: it counts once.

    `worker` is left out by workers who ask for themselves. `at` is told only for what happened `offline`.
    """

    offer: UUID
    request_id: UUID
    device: Device
    worker: UUID | None = None
    at: AwareDatetime | None = None
    offline: bool = False
    distance_m: Annotated[int | None, Field(ge=0, le=10_000_000)] = None


class RedemptionDone(Schema):
    """What came of it; amounts in fen. `state` `exception`: kept against the rule `reason`, for staff to decide."""

    id: UUID
    state: str
    reason: str
    repeated: bool
    list_price_fen: int
    worker_fen: int
    day: date
    redeemed_at: datetime


class NotGrantedOut(Schema):
    """A rule refuses it, nothing was written. Staff learn no more than that the worker is not eligible now."""

    code: str
    sentence: str


class EligibleOut(Schema):
    """Whether a redemption would be granted now; `code` says why not, to the worker alone."""

    eligible: bool
    code: str
    sentence: str


class TakeBackIn(Schema):
    """Why it is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/benefits/programmes", response=ProgrammePage, summary="Running programmes", auth=None)
def programmes(
    request: HttpRequest, after: UUID | None = None, limit: Annotated[int, Field(ge=1, le=_MOST)] = 20
) -> dict[str, Any]:
    """Running programmes with what they offer where. Prices and places are public."""
    found = list(queries.open_programmes(after=after)[: limit + 1])
    page = found[:limit]
    offers = queries.offers_by_programme(page)
    return {
        "items": [
            {
                "id": row.public_id,
                "kind": row.kind,
                "name": row.name,
                "summary": row.summary,
                "union": row.union.public_id,
                "union_name": row.union.name,
                "starts_on": row.starts_on,
                "ends_on": row.ends_on,
                "offers": [_offer_out(offer) for offer in offers.get(row.pk, [])],
            }
            for row in page
        ],
        "next": str(page[-1].public_id) if len(found) > limit else None,
    }


@router.get(
    "/benefits/offers/{uuid:offer_id}/eligibility",
    response=EligibleOut,
    summary="Whether a redemption would be granted now",
    auth=django_auth,
)
def eligibility(request: HttpRequest, offer_id: UUID, worker: UUID | None = None) -> dict[str, Any]:
    """Asks every rule, quota and budget without writing anything."""
    offer = _offer(offer_id)
    actor, person = _who(request, offer, worker)
    refused = redeeming.why_not(offer=offer, worker=person)
    if refused is None:
        return {"eligible": True, "code": "", "sentence": ""}
    return {"eligible": False, **_told(refused, actor)}


@router.post(
    "/benefits/redemptions",
    response={200: RedemptionDone, 409: NotGrantedOut},
    summary="Redeem, counted once",
    auth=django_auth,
)
def redeem(request: HttpRequest, body: RedeemIn) -> Any:
    """Redeem an offer. Idempotent in `device` and `request_id`; a refusal does not use the id up."""
    offer = _offer(body.offer)
    actor, person = _who(request, offer, body.worker)
    offline = body.offline and isinstance(actor, Staff)  # what workers say of the past is no fact
    try:
        receipt = redeeming.redeem(
            offer=offer,
            worker=person,
            request_id=body.request_id,
            device=body.device,
            actor=actor,
            channel=Channel.CODE if isinstance(actor, Staff) else Channel.PLATE,
            at=body.at if offline else None,
            offline=offline,
            distance_m=body.distance_m,
        )
    except Refused as refused:
        return Status(409, _told(refused, actor))
    return {
        "id": receipt.public_id,
        "state": receipt.state,
        "reason": receipt.reason,
        "repeated": receipt.repeated,
        "list_price_fen": receipt.list_price_fen,
        "worker_fen": receipt.worker_fen,
        "day": receipt.day,
        "redeemed_at": receipt.redeemed_at,
    }


@router.post(
    "/benefits/redemptions/{uuid:redemption_id}/void",
    response=RedemptionDone,
    summary="Take a redemption back",
    auth=django_auth,
)
def void(request: HttpRequest, redemption_id: UUID, body: TakeBackIn) -> dict[str, Any]:
    """Void a redemption, within the minutes that its programme allows. Voiding it again changes nothing."""
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        raise PermissionDenied(_("This is for those who hold a post."))
    found = queries.redemption_for(staff, redemption_id)
    if found is None:
        raise Http404
    ended = taking_back.void(found, actor=staff, reason=body.reason)
    return {
        "id": ended.public_id,
        "state": ended.state,
        "reason": ended.reason,
        "repeated": False,
        "list_price_fen": ended.list_price_fen,
        "worker_fen": ended.worker_fen,
        "day": ended.day,
        "redeemed_at": ended.redeemed_at,
    }


def _offer(public_id: UUID) -> BenefitOffer:
    offer = queries.offer_to_redeem(public_id)
    if offer is None:
        raise Http404
    return offer


def _offer_out(offer: BenefitOffer) -> dict[str, Any]:
    return {
        "id": offer.public_id,
        "name": offer.name,
        "place": offer.place.public_id,
        "place_name": offer.place.name,
        "list_price_fen": offer.list_price_fen,
        "worker_fen": offer.worker_fen,
    }


def _who(request: HttpRequest, offer: BenefitOffer, named: UUID | None) -> tuple[Staff | User, Worker]:
    """Who asks, and for whom: a worker for themself, or staff for a worker whom they may see."""
    staff: Staff | None = getattr(request, "staff", None)
    if named is None:
        assert isinstance(request.user, User)  # noqa: S101 - django_auth lets nobody else in
        own = worker_of(request.user)
        if own is None:
            raise PermissionDenied(_("Only workers redeem for themselves."))
        return request.user, own
    if staff is None or policy.bounds(staff):
        raise PermissionDenied(_("Only staff of a union redeem for a named worker."))
    policy.require(staff, REDEEM, offer.place.union, within=offer.place)
    person = queries.worker_for(staff, named)
    if person is None:
        raise Http404
    return staff, person


def _told(refused: Refused, actor: Staff | User) -> dict[str, str]:
    if isinstance(actor, User):
        return {"code": refused.code, "sentence": str(refused.for_worker)}
    code = refused.code if refused.for_cashier == refused.for_worker else "not_eligible"
    return {"code": code, "sentence": str(refused.for_cashier)}
