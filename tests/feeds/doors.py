"""Objects of the feeds room for `tests/site/test_every_door.py`."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tests.site.door import Door, World
from yizhan.feeds.models import Finding, FindingKind, Listing, Partner, PartnerExport
from yizhan.feeds.presets import PRESETS
from yizhan.feeds.services.partner_rules import facts_of
from yizhan.feeds.services.partners import create_partner
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place


def _made(world: World) -> Partner:
    world.post.made += 1  # each has a name of its own
    name = f"{world.secret} {world.post.made}"
    facts = facts_of(PRESETS["generic"], name=name)
    return create_partner(staff=world.owner, union=world.owner.union, preset="generic", facts=facts).partner


def _partner(world: World) -> dict[str, Any]:
    return {"public_id": _made(world).public_id}


def _listing(world: World) -> dict[str, Any]:
    facts = PlaceFacts(name=f"{world.secret} {world.post.made}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = create_place(facts, union=world.owner.union, actor=world.owner)
    now = timezone.now()
    listing = Listing.every.create(
        partner=_made(world),
        place=place,
        is_wanted=False,
        sequence=1,
        changed_at=now,
        red_since=now,
        red_until=now,
        died_at=now,
        is_waiting=False,
    )
    return {"public_id": listing.public_id}


def _export(world: World) -> dict[str, Any]:
    export = PartnerExport.every.create(
        partner=_made(world),
        file_name=f"{world.secret}.csv",
        digest="0" * 64,
        datum="WGS-84",
        taken_at=timezone.now(),
        lines=1,
        matched=0,
        right=0,
    )
    Finding.every.create(export=export, kind=FindingKind.UNKNOWN, their_name=world.secret)
    return {"public_id": export.public_id, "form": "csv"}


def _draft(world: World) -> dict[str, Any]:
    """A place that was never published: what is for everyone does not know it."""
    facts = PlaceFacts(name=f"{world.secret} {world.post.made}", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place = create_place(facts, union=world.owner.union, actor=world.owner)
    return {"identifier": place.public_id, "feature_id": place.public_id}


doors = {
    "api/hsds/": Door(_draft, closed_to_all=True),
    "api/ogc/collections/places/items/<str:feature_id>": Door(_draft, closed_to_all=True),
    "sitemap-places-<int:part>.xml": Door(lambda world: {"part": 999}, closed_to_all=True),
    "desk/partners/<uuid:public_id>/": Door(_partner),
    "desk/partners/listings/<uuid:public_id>/": Door(_listing),
    "desk/partners/listings/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "desk/partners/exports/<uuid:public_id>/": Door(_export),
}
