"""What partners tell us with their key: what is live, what they took down; and what we know of it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer
from pydantic import Field

from .models import Listing, ListingState, Partner
from .services.partners import authenticate
from .services.proof import MOST_AT_ONCE, Saying, hear

router = Router(tags=["partners"])
MOST_LISTED = 1_000


class TooOften(HttpError):
    """429: a partner asked more often than agreed; `headers` say after how many seconds it may ask again."""

    def __init__(self) -> None:
        super().__init__(429, _("More requests a minute than agreed; wait a minute."))
        self.headers = {"Retry-After": str(60 - int(time.time()) % 60)}


class PartnerKey(HttpBearer):
    """The partner's key, as `Authorization: Bearer yzf_…`."""

    openapi_description = "Key of a partner"

    def authenticate(self, request: HttpRequest, token: str) -> Partner | None:
        """The partner that asks; None: 401.

        Raises:
            TooOften: it asked more often than agreed.
        """
        partner = authenticate(token)
        if partner is not None and not _within_rate(partner):
            raise TooOften
        return partner


class SayingIn(Schema):
    """What you show of one place."""

    place: UUID = Field(description="Our number of the place")
    state: Literal["live", "gone", "refused"] = Field(
        description="live: shown as sent; gone: not shown any more; refused: it will not be shown"
    )
    their_id: str = Field("", max_length=120, description="What you call it")
    note: str = Field("", max_length=200, description="Why, or where it can be seen")


class SayingsIn(Schema):
    """What you show of several places."""

    places: list[SayingIn] = Field(max_length=MOST_AT_ONCE)


class NotedOut(Schema):
    """How many were noted."""

    noted: int


class ListingOut(Schema):
    """What we know of one place at yours."""

    place: UUID
    wanted: bool = Field(description="Whether it is to be shown")
    state: ListingState
    sequence: int = Field(description="Number of the change that you are to show")
    taken_sequence: int = Field(description="Number of the change that you took last")
    waiting: bool = Field(description="Whether something is on its way to you")
    their_id: str
    changed_at: datetime


class ListingsOut(Schema):
    """One page. Ask again with `after=next`; null: this was the last."""

    listings: list[ListingOut]
    next: UUID | None


@router.post("/partners/listings", response=NotedOut, auth=PartnerKey(), summary="Say what is live")
def say(request: HttpRequest, said: SayingsIn) -> NotedOut:
    """Note which places you show, or show no more. Saying the same again is harmless."""
    sayings = [Saying(one.place, one.state, one.their_id, one.note) for one in said.places]
    return NotedOut(noted=hear(_partner(request), sayings))


@router.get("/partners/listings", response=ListingsOut, auth=PartnerKey(), summary="What we know of your map")
def known(
    request: HttpRequest,
    state: ListingState | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 200,
) -> ListingsOut:
    """Each place that you got, with what you are to show of it and what you took last."""
    found = Listing.every.filter(partner=_partner(request)).select_related("place").order_by("public_id")
    if state is not None:
        found = found.filter(state=state)
    if after is not None:
        found = found.filter(public_id__gt=after)
    rows = list(found[: limit + 1])
    return ListingsOut(
        listings=[
            ListingOut(
                place=row.place.public_id,
                wanted=row.is_wanted,
                state=ListingState(row.state),
                sequence=row.sequence,
                taken_sequence=row.taken_sequence,
                waiting=row.is_waiting,
                their_id=row.their_id,
                changed_at=row.changed_at,
            )
            for row in rows[:limit]
        ],
        next=rows[limit - 1].public_id if len(rows) > limit else None,
    )


def _partner(request: HttpRequest) -> Partner:
    partner: Partner = request.auth  # type: ignore[attr-defined]
    return partner


def _within_rate(partner: Partner) -> bool:
    """Whether a partner has asked no more often within this minute than was agreed."""

    name = f"feeds-partner-{partner.pk}-{int(time.time() // 60)}"
    cache.add(name, 0, 120)
    try:
        return cache.incr(name) <= partner.requests_per_minute
    except ValueError:  # forgotten between the two
        return True
