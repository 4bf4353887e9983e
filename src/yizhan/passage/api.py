"""What fleets tell us beside pings: the wishes of their drivers."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer
from pydantic import Field

from yizhan.passage.models import MOST_SERVICES_ASKED, PingSource
from yizhan.passage.services import wishes
from yizhan.passage.services.wishes import LONGEST_NAME, NoSuchKey


class SourceKey(HttpBearer):
    """The key with which the source sends pings."""

    def authenticate(self, request: HttpRequest, token: str) -> PingSource | None:
        """The source whose key it is."""
        try:
            return wishes.source_of(token)
        except NoSuchKey:
            return None


router = Router(tags=["pings"], auth=SourceKey())
Vehicle = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME, description="What the source calls the vehicle.")]


class WishBody(Schema):
    """What the driver of a vehicle wants to hear."""

    silent: bool = Field(default=False, description="No reminders at all.")
    services: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=list,
        max_length=MOST_SERVICES_ASKED,
        description="Only places that offer all of these, such as `charging`; empty: any place.",
    )


@router.get("/fleets/vehicles/{vehicle}/wish", response=WishBody, summary="What a driver wants to hear")
def get_wish(request: HttpRequest, vehicle: Vehicle) -> wishes.Wish:
    """Of a vehicle of the source whose key is shown; without a wish: everything."""
    return wishes.wish_of(_source(request), vehicle)


@router.put("/fleets/vehicles/{vehicle}/wish", response=WishBody, summary="Set what a driver wants to hear")
def put_wish(request: HttpRequest, vehicle: Vehicle, wish: WishBody) -> wishes.Wish:
    """Idempotent. The stream follows within a second; `{}` removes what was kept."""
    return wishes.set_wish(_source(request), vehicle, silent=wish.silent, services=wish.services)


def _source(request: HttpRequest) -> PingSource:
    source = getattr(request, "auth", None)
    if not isinstance(source, PingSource):
        raise HttpError(401, "send the source's key as `Authorization: Bearer …`")
    return source
