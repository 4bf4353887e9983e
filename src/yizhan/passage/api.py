"""What fleets tell us beside pings: the wishes of their drivers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from ninja.errors import HttpError
from ninja.security import HttpBearer
from pydantic import Field

from yizhan.passage.models import MOST_SERVICES_ASKED, PingSource
from yizhan.passage.services import phones, wishes
from yizhan.passage.services.phones import NoSuchPhone
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


class PairBody(Schema):
    """What a phone shows its owner."""

    code: str = Field(pattern="^[0-9]{8}$", description="Eight digits, as the driver entered them in your app.")


@router.post("/fleets/vehicles/{vehicle}/phones", response={204: None}, summary="Push a vehicle's reminders to a phone")
def pair_phone(request: HttpRequest, vehicle: Vehicle, body: PairBody) -> Status[None]:
    """The phone that shows the code gets the reminders of this vehicle from now on. Idempotent while the code holds."""
    phones.pair(_source(request), vehicle, code=body.code)
    return Status(204, None)


class PhoneKey(HttpBearer):
    """The token that a phone got when it registered."""

    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        """The token, if it is a phone's."""
        try:
            phones.phone_of(token)
        except NoSuchPhone:
            return None
        return token


class SubscriptionKeys(Schema):
    """Keys of the browser, base64url."""

    p256dh: str = Field(max_length=120)
    auth: str = Field(max_length=40)


class SubscriptionBody(Schema):
    """`PushSubscription.toJSON()` of the browser."""

    endpoint: str = Field(max_length=phones.LONGEST_ENDPOINT)
    keys: SubscriptionKeys


class PhoneAnswer(Schema):
    """A phone that waits to be paired."""

    token: str = Field(description="The phone's own key: it asks and forgets with it. Told once.")
    code: str = Field(description="What the owner enters in the company's app.")
    code_until: datetime


class PhoneState(Schema):
    """What became of a phone."""

    paired: bool
    code_until: datetime


@router.post("/phones", auth=None, response={201: PhoneAnswer}, summary="Note where a phone takes notices")
def register_phone(request: HttpRequest, body: SubscriptionBody) -> Status[dict[str, object]]:
    """For our own app. Nobody asks whose phone it is; without a pairing within an hour it is forgotten."""
    made = phones.register(body.model_dump())
    return Status(201, {"token": made.token, "code": made.code, "code_until": made.phone.code_until})


@router.get("/phones/me", auth=PhoneKey(), response=PhoneState, summary="Whether the phone is paired")
def phone_state(request: HttpRequest) -> dict[str, object]:
    """Of the phone whose token is shown."""
    phone = phones.phone_of(str(getattr(request, "auth", "")))
    return {"paired": phone.source_id is not None, "code_until": phone.code_until}


@router.delete("/phones/me", auth=PhoneKey(), response={204: None}, summary="Forget the phone")
def forget_phone(request: HttpRequest) -> Status[None]:
    """With all that waits for it."""
    phones.forget(str(getattr(request, "auth", "")))
    return Status(204, None)


def _source(request: HttpRequest) -> PingSource:
    source = getattr(request, "auth", None)
    if not isinstance(source, PingSource):
        raise HttpError(401, "send the source's key as `Authorization: Bearer …`")
    return source
