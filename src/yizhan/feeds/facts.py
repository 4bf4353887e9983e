"""What everyone may know of a place, as it leaves the house: to partners, to maps, to anyone.

One list of fields, from which the feeds, the pushes and the data dictionary are made. Notes on entering stay in the
house (they may hold a door's code), and so does a contact that is not said to be a service's: it may be somebody's own.
Mobile numbers that stand in other texts are masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from msgspec import Meta

from yizhan.places.contact import masked
from yizhan.places.models import Closure, Equipment, Offer, Place, PlacePhoto

Said = Meta


class EquipmentFacts(msgspec.Struct, frozen=True):
    """Something at a place that can break or run out."""

    name: Annotated[str, Said(description="What it is|是什么")]
    offer: Annotated[str | None, Said(description="Code of the offer that it makes possible|它支撑的服务代码")]
    state: Annotated[str, Said(description="works or broken|works 正常，broken 故障")]
    broken_since: Annotated[str | None, Said(description="Date|故障起始日期")]
    expires_on: Annotated[str | None, Said(description="First day on which it may not be used|失效日期")]


class ClosureFacts(msgspec.Struct, frozen=True):
    """A stretch of time in which the place is shut whatever its hours say; half-open."""

    starts_at: Annotated[str, Said(description="ISO 8601, UTC|开始时间")]
    ends_at: Annotated[str, Said(description="ISO 8601, UTC|结束时间")]
    reason: Annotated[str, Said(description="For everyone|原因")]


class PlaceFacts(msgspec.Struct, frozen=True):
    """A published place. Its identifier and position stand beside this: in a feature's `id` and `geometry`."""

    name: Annotated[str, Said(description="Name over the door|名称")]
    kind: Annotated[str, Said(description="station, restaurant, repair_point, driver_home or other|类型")]
    address: Annotated[str, Said(description="Street address|地址")]
    district: Annotated[str, Said(description="District as stated by the union|所在区县（工会填报）")]
    union: Annotated[str, Said(description="Union to which it belongs|所属工会")]
    union_id: Annotated[str, Said(description="Its identifier|所属工会标识")]
    operator: Annotated[str, Said(description="Union that runs it|运营工会")]
    funder: Annotated[str, Said(description="Union that pays for it; empty: not said|出资工会")]
    hours: Annotated[str, Said(description="OSM opening_hours syntax; empty: unknown|开放时间（OSM 语法），空为未知")]
    contact: Annotated[str, Said(description="Service telephone number; empty: none published|服务电话")]
    offers: Annotated[list[str], Said(description="Codes of what it offers|服务代码")]
    offer_names: Annotated[list[str], Said(description="The same in Chinese|服务名称")]
    access: Annotated[
        str, Said(description="How the door opens: walk_in, qr, code, attendant; empty: unknown|进入方式")
    ]
    users: Annotated[str, Said(description="everyone, members or occupations|服务对象")]
    occupations: Annotated[list[str], Said(description="Which occupations, when only certain ones|服务的职业")]
    seats: Annotated[int | None, Said(description="Seats; null: not said|座位数")]
    stars: Annotated[int, Said(description="From 0 to 5|星级")]
    verified_on: Annotated[str | None, Said(description="Date of the last look on the spot|最近核验日期")]
    published_at: Annotated[str, Said(description="ISO 8601, UTC: public since|首次发布时间")]
    entrance: Annotated[
        list[float] | None, Said(description="Longitude and latitude of the door, when it differs|入口经纬度")
    ]
    parking: Annotated[
        list[float] | None, Said(description="Longitude and latitude where an e-bike may stand|电动车停放点经纬度")
    ]
    equipment: Annotated[list[EquipmentFacts], Said(description="What can break or run out|设备")]
    closures: Annotated[list[ClosureFacts], Said(description="Shut whatever the hours say|临时关闭")]
    photos: Annotated[list[str], Said(description="Addresses of JPEG pictures|照片地址")]
    url: Annotated[str, Said(description="Address of its page|页面地址")]


_encode = msgspec.json.Encoder().encode
read_facts = msgspec.json.Decoder(PlaceFacts).decode


def with_public_parts(places: QuerySet[Place]) -> QuerySet[Place]:
    """The places with all that `encoded_facts` reads, in a constant number of queries."""
    # What hangs at a place is public with it; the caller tells the published from the gone.
    everywhere = {"offers": Offer, "equipment": Equipment, "closures": Closure, "photos": PlacePhoto}
    parts = {name: model.objects.with_scopes_disabled() for name, model in everywhere.items()}  # type: ignore[attr-defined]
    return places.select_related("union", "operator", "funder").prefetch_related(
        # Under names of their own: lists are made several times as fast as managers that remember them.
        Prefetch("offers", parts["offers"].select_related("kind").order_by("kind__order", "kind__code"), "told_offers"),
        Prefetch("equipment", parts["equipment"].select_related("offer").order_by("name"), "told_equipment"),
        Prefetch(
            "closures", parts["closures"].filter(lifted_at__isnull=True, ends_at__gt=timezone.now()), "told_closures"
        ),
        Prefetch("photos", parts["photos"].order_by("added_at", "pk"), "told_photos"),
    )


def encoded_facts(place: Any) -> bytes:
    """The JSON object of what everyone may know of a published place that was read `with_public_parts`."""
    kinds = [offer.kind for offer in place.told_offers]
    return _encode(
        PlaceFacts(
            name=masked(place.name),
            kind=place.kind,
            address=masked(place.address),
            district=place.district,
            union=place.union.name,
            union_id=str(place.union.public_id),
            operator=(place.operator or place.union).name,
            funder=place.funder.name if place.funder else "",
            hours=place.hours,
            contact=place.contact if place.contact_is_service else "",
            offers=[kind.code for kind in kinds],
            offer_names=[kind.name_zh for kind in kinds],
            access=place.access,
            users=place.users,
            occupations=list(place.occupations),
            seats=place.capacity,
            stars=place.stars,
            verified_on=timezone.localdate(place.verified_at).isoformat() if place.verified_at else None,
            published_at=_moment(place.published_at or place.created_at),
            entrance=_point(place.entrance),
            parking=_point(place.parking),
            equipment=_equipment(place.told_equipment),
            closures=[
                ClosureFacts(_moment(one.starts_at), _moment(one.ends_at), masked(one.reason))
                for one in place.told_closures
            ],
            photos=[settings.BASE_URL + photo.file.url for photo in place.told_photos],
            url=f"{settings.BASE_URL}/places/{place.public_id}/",
        )
    )


def _equipment(things: Iterable[Equipment]) -> list[EquipmentFacts]:
    return [
        EquipmentFacts(
            masked(thing.name),
            thing.offer.code if thing.offer else None,
            thing.state,
            thing.broken_since.isoformat() if thing.broken_since else None,
            thing.expires_on.isoformat() if thing.expires_on else None,
        )
        for thing in things
    ]


def _moment(at: datetime) -> str:
    """As ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _point(point: tuple[float, float] | None) -> list[float] | None:
    return None if point is None else [round(point[0], 6), round(point[1], 6)]
