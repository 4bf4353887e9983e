"""Objects of the passage room for `tests/site/test_every_door.py`."""

from __future__ import annotations

from typing import Any

from tests.site.door import Door, World
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import create_source


def _source(world: World) -> dict[str, Any]:
    made = create_source(staff=world.owner, union=world.owner.union, name=f"{world.secret} {world.post.made}")
    world.post.made += 1  # each source has a name of its own
    return {"public_id": made.source.public_id}


def _rules(world: World) -> dict[str, Any]:
    values = {"radius_m": 333, "cool_down_s": 60, "gap_s": 60, "max_segment_gap_s": 60, "max_speed_kmh": 99}
    values |= {"still_open_s": 0, "silent_above_kmh": 0, "quiet_from_min": 0, "quiet_until_min": 0}
    union = world.owner.union
    set_rules(staff=world.owner, union=union, reminders_on=True, unknown_hours_remind=True, values=values)
    return {"public_id": union.public_id}


doors = {
    "desk/passage/sources/<uuid:public_id>/": Door(_source),
    "desk/passage/settings/<uuid:public_id>/": Door(_rules),
    "api/fleets/vehicles/<vehicle>/wish": Door(lambda world: {"vehicle": "A-1"}, closed_to_all=True),
    "desk/passage/counts/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "api/fleets/vehicles/<vehicle>/phones": Door(lambda world: {"vehicle": "A-1"}, closed_to_all=True),
    "desk/reminders/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
}
