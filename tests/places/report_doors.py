"""Reports and plates to knock with."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import uuid4

from PIL import Image

from tests.site.door import Door, World
from yizhan.geo import Datum
from yizhan.places.models import Place, Plate, ReportPhoto, ReportReceipt
from yizhan.places.reports.receipts import token_of
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.places.services.plates import plates_of
from yizhan.places.services.reports import report_fault


def _place(world: World) -> Place:
    facts = PlaceFacts(name="反馈的站", lon=113.62, lat=34.75, datum=Datum.WGS84)
    return publish_place(create_place(facts, union=world.owner.union, actor=world.owner), actor=world.owner)


def _receipt(world: World, words: str) -> ReportReceipt:
    picture = BytesIO()
    Image.new("RGB", (160, 120)).save(picture, "PNG")
    return report_fault(_place(world), kind="door_locked", request_id=uuid4(), words=words, photo=picture.getvalue())


def _photo(receipt: ReportReceipt) -> Any:
    return ReportPhoto.objects.with_scopes_disabled().get(receipt=receipt).public_id


def _report(world: World) -> dict[str, Any]:
    receipt = _receipt(world, world.secret)
    return {"public_id": receipt.report.public_id, "photo_id": _photo(receipt)}


def _link(world: World) -> dict[str, Any]:
    """Whoever holds the link may come in: that is what it is for."""
    receipt = _receipt(world, "门锁着")
    return {"token": token_of(receipt), "public_id": _photo(receipt)}


def _plate(world: World) -> dict[str, Any]:
    place = _place(world)
    plates_of([place], actor=world.owner)
    return {"code": Plate.objects.with_scopes_disabled().get(place=place).code}


def _sheet(world: World) -> dict[str, Any]:
    facts = PlaceFacts(name=world.secret, lon=113.62, lat=34.75, datum=Datum.WGS84)
    return {"public_id": create_place(facts, union=world.owner.union, actor=world.owner).public_id, "size": "a5"}


doors = {
    "r/<slug:token>/": Door(_link, public=True),
    "api/places/<uuidstr:public_id>/reports": Door(lambda world: {"public_id": _place(world).public_id}, public=True),
    "api/reports/<token>": Door(_link, public=True),
    "p/<slug:code>": Door(_plate, public=True),
    "desk/places/reports/<uuid:public_id>/": Door(_report),
    "desk/places/reports/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/places/plates/<str:size>.pdf": Door(lambda world: {"size": "a5"}, public=True),
    "desk/places/plates/visits.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/places/<uuid:public_id>/plate/": Door(_sheet),
}
