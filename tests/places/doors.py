"""Objects of the places room for `tests/site/test_every_door.py`: drafts, which only their union sees."""

from __future__ import annotations

from typing import Any

from tests.places.fact_doors import doors as fact_doors
from tests.places.report_doors import doors as report_doors
from tests.site.door import Door, World
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place


def _draft(world: World) -> dict[str, Any]:
    facts = PlaceFacts(name=world.secret, lon=113.62, lat=34.75, datum=Datum.WGS84, contact=world.secret)
    return {"public_id": create_place(facts, union=world.owner.union, actor=world.owner).public_id}


doors = {
    **report_doors,
    **fact_doors,
    "places/<uuid:public_id>/": Door(_draft, closed_to_all=True),
    "api/places/<uuidstr:public_id>": Door(_draft, closed_to_all=True),
    "desk/places/<uuid:public_id>/": Door(_draft),
    "desk/places/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
}
