"""Objects that hang at places, for `tests/site/test_every_door.py`: a draft's equipment, closure, photo and look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.places.test_pictures import drawn
from tests.site.door import Door, World
from yizhan.geo import Datum
from yizhan.places import services
from yizhan.places.models import Place
from yizhan.places.services import EquipmentFacts, Look, PlaceFacts, create_place


def _place(world: World) -> Place:
    facts = PlaceFacts(
        name=world.secret, lon=113.62, lat=34.75, datum=Datum.WGS84, contact=world.secret, access_note=world.secret
    )
    return create_place(facts, union=world.owner.union, actor=world.owner)


def _equipment(world: World) -> dict[str, Any]:
    facts = EquipmentFacts(name=world.secret, state="broken", expires_on=timezone.localdate(), note=world.secret)
    return {"public_id": services.add_equipment(_place(world), facts, actor=world.owner).public_id}


def _closure(world: World) -> dict[str, Any]:
    now = timezone.now()
    made = services.shut_place(
        _place(world), starts_at=now, ends_at=now + timedelta(days=3), reason=world.secret, actor=world.owner
    )
    return {"public_id": made.public_id}


def _photo(world: World) -> dict[str, Any]:
    photo = services.add_photo(_place(world), drawn(), alt=world.secret, actor=world.owner)
    return {"public_id": photo.public_id}


def _look(world: World) -> dict[str, Any]:
    look = Look(findings={"door": "ok"}, photo=drawn(), note=world.secret)
    return {"public_id": services.verify_place(_place(world), look, actor=world.owner).public_id}


# A word is no secret: the unions below may use it, too.
_numbers = iter(range(1, 10_000))


def _word(world: World) -> dict[str, Any]:
    number = next(_numbers)
    word = services.add_word(world.owner.union, name_zh=f"词{number}", name_en=f"Word {number}", actor=world.owner)
    return {"code": word.code}


doors = {
    "desk/places/equipment/<uuid:public_id>/": Door(_equipment),
    "desk/places/equipment/export.<str:form>": Door(lambda world: {**_equipment(world), "form": "csv"}, public=True),
    "desk/places/closures/<uuid:public_id>/": Door(_closure),
    "desk/places/photos/<uuid:public_id>/": Door(_photo),
    "desk/places/verifications/<uuid:public_id>/": Door(_look),
    "desk/places/words/<slug:code>/": Door(_word),
}
