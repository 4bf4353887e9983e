"""Subsidies of rescues over HTTP, for those who hold a post."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema
from ninja.security import django_auth

from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

from .models import Subsidy, SubsidyState
from .queries import subsidies as queries
from .rights import VIEW_SUBSIDIES
from .services.subsidies import pay

router = Router(tags=["rescue"])
_MOST = 100


class SubsidyOut(Schema):
    """The subsidy of one finish of a call; `reason` is a stable code, `sentence` says it. Amounts in fen."""

    id: UUID
    call: UUID
    union: str
    state: SubsidyState
    reason: str
    sentence: str
    rescuer: str
    place: UUID | None
    redemption: UUID | None
    redemption_state: str
    amount_fen: int
    distance_m: int | None
    tries: int
    made_at: datetime


class SubsidyPage(Schema):
    """Some of them, newest first; `next` is the identifier after which to go on."""

    items: list[SubsidyOut]
    next: UUID | None


def _staff(request: HttpRequest) -> Staff:
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None or not policy.holds(staff, VIEW_SUBSIDIES):
        raise PermissionDenied(_("This is for those who hold a post."))
    return staff


def _out(subsidy: Subsidy) -> dict[str, Any]:
    paid = subsidy.redemption
    return {
        "id": subsidy.public_id,
        "call": subsidy.call.public_id,
        "union": subsidy.call.union.name,
        "state": subsidy.state,
        "reason": subsidy.reason,
        "sentence": queries.words_of(subsidy),
        "rescuer": subsidy.rescuer.name,
        "place": subsidy.place.public_id if subsidy.place else None,
        "redemption": paid.public_id if paid else None,
        "redemption_state": paid.state if paid else "",
        "amount_fen": paid.funded_fen if paid else 0,
        "distance_m": subsidy.distance_m,
        "tries": subsidy.tries,
        "made_at": subsidy.made_at,
    }


@router.get("/rescue/subsidies", response=SubsidyPage, summary="What rescues are paid", auth=django_auth)
def subsidies(
    request: HttpRequest, response: HttpResponse, state: SubsidyState | None = None, after: UUID | None = None
) -> dict[str, Any]:
    """Of calls of one's union and below; a hundred at a time."""
    found = queries.subsidies_for(_staff(request))
    if state is not None:
        found = found.filter(state=state)
    if after is not None:
        last = found.filter(public_id=after).first()
        if last is None:
            raise Http404
        found = found.filter(pk__lt=last.pk)
    rows = list(found.order_by("-pk")[: _MOST + 1])
    response["Cache-Control"] = "private, no-store"
    return {
        "items": [_out(row) for row in rows[:_MOST]],
        "next": rows[_MOST - 1].public_id if len(rows) > _MOST else None,
    }


@router.post(
    "/rescue/subsidies/{uuid:public_id}/retry", response=SubsidyOut, summary="Try to pay again", auth=django_auth
)
def retry(request: HttpRequest, public_id: UUID) -> dict[str, Any]:
    """Paid at most once, however often it is asked; what is not paid says why."""
    staff = _staff(request)
    try:
        found = queries.subsidy_for(staff, public_id)
    except Subsidy.DoesNotExist:
        raise Http404 from None
    pay(found, actor=staff)
    return _out(queries.subsidy_for(staff, public_id))
