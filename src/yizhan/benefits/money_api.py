"""The worker's share over HTTP, for counters and tills; statements for finance's own systems. By session and token."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from ninja.security import django_auth
from pydantic import Field

from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, policy

from . import payments as carriers
from .models import Payment, Redemption
from .queries import counters, finance
from .rights import VIEW_STATEMENTS
from .services import payments

router = Router(tags=["benefits"], auth=django_auth)
_MOST = 500


class ChannelsOut(Schema):
    """How workers may pay here; `offline` is always among them."""

    channels: list[str]


class PayIn(Schema):
    """`code` is what the worker's phone shows; it is never stored. Without `channel`, the code tells whose it is."""

    request_id: UUID
    channel: Literal["offline", "wechat", "alipay"] | None = None
    code: str = Field("", max_length=40)


class PaymentOut(Schema):
    """`open`: ask again after a few seconds. When it ends as `not_paid`, the redemption has been voided."""

    id: UUID
    channel: str
    state: str
    words: str
    open: bool
    amount_fen: int


class StatementOut(Schema):
    """One statement; amounts in fen."""

    id: UUID
    number: str
    day: date
    state: str
    union: UUID
    merchant: UUID
    merchant_name: str
    redemptions: int
    corrections: int
    funded_fen: int
    collected_fen: int
    payable_fen: int
    made_at: datetime
    paid_at: datetime | None


class StatementsOut(Schema):
    """`more`: there are more than these; ask with a narrower span."""

    statements: list[StatementOut]
    more: bool


@router.get("/benefits/payment-channels", response=ChannelsOut, url_name="payment_channels", summary="Ways of paying")
def channels(request: HttpRequest) -> dict[str, Any]:
    """Those for which this installation has an account."""
    return {"channels": carriers.available()}


@router.post(
    "/benefits/counter/{uuid:place_id}/redemptions/{uuid:redemption_id}/workers-share",
    response=PaymentOut,
    url_name="workers_share",
    summary="Take the worker's share",
)
def take(request: HttpRequest, place_id: UUID, redemption_id: UUID, said: PayIn) -> dict[str, Any]:
    """Idempotent in `request_id`: a repeated request asks the worker for nothing, and says how it stands by now.

    Not paid for good: the redemption is taken back.
    """
    staff, redemption = _redemption(request, place_id, redemption_id)
    channel = said.channel or (payments.channel_of(said.code) if said.code else "offline")
    if channel is None:
        raise RuleBroken.at(
            "code", "", _("This is not a payment code. Ask the worker to open the payment code."), "not_a_payment_code"
        )
    taken = payments.take(
        redemption=redemption, channel=channel, request_id=said.request_id, actor=staff, code=said.code
    )
    if taken.redemption_id != redemption.pk:
        raise Http404
    return _told(payments.refresh(taken) if taken.is_open else taken)


@router.get(
    "/benefits/counter/{uuid:place_id}/redemptions/{uuid:redemption_id}/workers-share",
    response=PaymentOut,
    url_name="workers_share",
    summary="What became of a payment",
)
def state(request: HttpRequest, place_id: UUID, redemption_id: UUID) -> dict[str, Any]:
    """Takes the next step when one is due."""
    _staff, redemption = _redemption(request, place_id, redemption_id)
    return _told(payments.refresh(_payment(redemption)))


@router.post(
    "/benefits/counter/{uuid:place_id}/redemptions/{uuid:redemption_id}/workers-share/cancel",
    response=PaymentOut,
    url_name="workers_share_cancel",
    summary="Wait no longer",
)
def cancel(request: HttpRequest, place_id: UUID, redemption_id: UUID) -> dict[str, Any]:
    """An open payment is reversed; a paid one stays."""
    staff, redemption = _redemption(request, place_id, redemption_id)
    return _told(payments.cancel(_payment(redemption), actor=staff))


@router.get("/benefits/statements", response=StatementsOut, url_name="statements_api", summary="Statements")
def statements(request: HttpRequest, since: date | None = None, until: date | None = None) -> dict[str, Any]:
    """Those that the acting post may see, newest first, at most 500 at once."""
    staff = _acting(request)
    if not policy.holds(staff, VIEW_STATEMENTS):
        raise NotAllowed(VIEW_STATEMENTS, staff.union)
    found = finance.statements(for_staff=staff)
    if since:
        found = found.filter(day__gte=since)
    if until:
        found = found.filter(day__lte=until)
    rows = list(found[: _MOST + 1])
    return {
        "more": len(rows) > _MOST,
        "statements": [
            {
                "id": each.public_id,
                "number": each.number,
                "day": each.day,
                "state": each.state,
                "union": each.union.public_id,
                "merchant": each.place.public_id,
                "merchant_name": each.place.name,
                "redemptions": each.redemptions,
                "corrections": each.corrections,
                "funded_fen": each.funded_fen,
                "collected_fen": each.collected_fen,
                "payable_fen": each.payable_fen,
                "made_at": each.made_at,
                "paid_at": each.paid_at,
            }
            for each in rows[:_MOST]
        ],
    }


def _told(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "channel": payment.channel,
        "state": payment.state,
        "words": payment.get_state_display(),
        "open": payment.is_open,
        "amount_fen": payment.amount_fen,
    }


def _acting(request: HttpRequest) -> Staff:
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        raise PermissionDenied(_("This is for those who hold a post."))
    return staff


def _redemption(request: HttpRequest, place_id: UUID, redemption_id: UUID) -> tuple[Staff, Redemption]:
    staff = _acting(request)
    place: Place | None = counters.counters_of(staff).filter(public_id=place_id).first()
    redemption = counters.redemption_at(place, redemption_id) if place else None
    if redemption is None:
        raise Http404
    return staff, redemption


def _payment(redemption: Redemption) -> Payment:
    found: Payment | None = finance.payment_of(redemption)
    if found is None:
        raise Http404
    return found
