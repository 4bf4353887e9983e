"""What unions and drivers want: quiet hours, silence at speed, only what the driver asked for, or nothing at all."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk, bearer
from tests.passage.test_pings_door import RULES, passing
from tests.places.conftest import PlaceMaker
from yizhan.passage.models import VehicleWish
from yizhan.passage.queries.rules import RulesTree
from yizhan.passage.runtime.world import build_world
from yizhan.passage.services import wishes
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import NewKey, create_source, revoke_source
from yizhan.passage.services.wishes import Wish
from yizhan.places.models import Place
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.errors import RuleBroken


def reminded(desk: Desk, key: str, vehicle: str = "甲-17") -> list[str]:
    desk.clock.now += 1  # another batch
    return [each["name"] for each in desk.post(key, passing(desk.clock, vehicle)).json()["reminders"]]


def test_a_driver_who_wants_silence_is_not_reminded_and_the_others_are(desk: Desk, source: NewKey) -> None:
    wishes.set_wish(source.source, "甲-17", silent=True, services=[])
    desk.stream.read_wishes()
    both = [row for pair in zip(passing(desk.clock), passing(desk.clock, "乙-3"), strict=True) for row in pair]

    answer = desk.post(source.key, both).json()

    assert (answer["accepted"], [each["vehicle"] for each in answer["reminders"]]) == (4, ["乙-3"])
    wishes.set_wish(source.source, "甲-17", silent=False, services=[])
    desk.stream.read_wishes()
    assert reminded(desk, source.key) == ["枫杨驿站"]


def test_a_driver_hears_of_the_nearest_place_that_offers_what_they_asked_for(
    desk: Desk, source: NewKey, place: Place, make_place: PlaceMaker, tree: UnionTree
) -> None:
    make_place(tree.zhongyuan, name="充电驿站", lon=113.621, lat=34.752, hours="24/7", offers=("charging", "water"))
    wishes.set_wish(source.source, "甲-17", silent=False, services=["charging"])
    wishes.set_wish(source.source, "丙-9", silent=False, services=["aed", "charging"])
    desk.stream.read_world()
    desk.stream.read_wishes()

    assert reminded(desk, source.key, "甲-17") == ["充电驿站"]
    assert reminded(desk, source.key, "丙-9") == []
    assert reminded(desk, source.key, "乙-3") in (["枫杨驿站"], ["充电驿站"])


def test_wishes_are_of_one_source_and_keep_no_name(source: NewKey, tree: UnionTree, post: PostMaker) -> None:
    other = create_source(staff=post(tree.henan), union=tree.henan, name="另一平台")
    wishes.set_wish(source.source, "甲-17", silent=True, services=["water", "water"])

    assert wishes.wish_of(source.source, "甲-17") == Wish(True, ("water",))
    assert wishes.wish_of(other.source, "甲-17") == Wish()
    assert "甲-17" not in str(VehicleWish.every.values().get())
    wishes.set_wish(source.source, "甲-17", silent=False, services=[])
    assert not VehicleWish.every.exists()


@pytest.mark.parametrize(
    ("vehicle", "services", "field"),
    [
        ("", [], "vehicle"),
        ("x" * 65, [], "vehicle"),
        ("A", ["helipad"], "services"),
        ("A", list("abcdefghijk"), "services"),
    ],
)
def test_wishes_that_are_none_are_refused_by_field(
    source: NewKey, vehicle: str, services: list[str], field: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        wishes.set_wish(source.source, vehicle, silent=True, services=services)
    assert field in {problem.field for problem in refusal.value.problems}
    assert not VehicleWish.every.exists()


def test_the_database_holds_no_empty_wish(source: NewKey) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        VehicleWish.every.create(source=source.source, vehicle=5)


def test_a_fleet_sets_and_reads_wishes_with_its_key(client: Client, source: NewKey, post: PostMaker) -> None:
    address, key = "/api/fleets/vehicles/甲-17/wish", bearer(source.key)

    assert client.get(address, headers=key).json() == {"silent": False, "services": []}
    wish = {"silent": False, "services": ["charging"]}
    for _ in range(2):
        assert client.put(address, wish, content_type="application/json", headers=key).json() == wish
    assert client.get(address, headers=key).json() == wish
    refused = client.put(address, {"services": ["helipad"]}, content_type="application/json", headers=key)
    assert (refused.status_code, refused.json()["errors"][0]["value"]) == (422, "helipad")
    assert client.get(address).status_code == 401
    revoke_source(staff=post(source.source.union), source=source.source)
    assert client.get(address, headers=key).status_code == 401


def _with(desk: Desk, tree: UnionTree, post: PostMaker, **values: int) -> None:
    set_rules(
        staff=post(tree.henan), union=tree.henan, reminders_on=True, unknown_hours_remind=False, values=RULES | values
    )
    desk.stream.read_world()


def test_in_a_unions_quiet_hours_nobody_is_reminded(
    desk: Desk, source: NewKey, tree: UnionTree, post: PostMaker
) -> None:
    _with(desk, tree, post, quiet_from_min=11 * 60, quiet_until_min=12 * 60 + 30)  # it is noon
    assert reminded(desk, source.key) == []
    _with(desk, tree, post, quiet_from_min=12 * 60 + 30, quiet_until_min=11 * 60)
    assert reminded(desk, source.key, "另一辆") == ["枫杨驿站"]


def test_a_driver_too_fast_for_the_union_is_left_alone(
    desk: Desk, source: NewKey, tree: UnionTree, post: PostMaker
) -> None:
    _with(desk, tree, post, silent_above_kmh=100)  # the path is driven at 132 km/h
    assert reminded(desk, source.key) == []
    _with(desk, tree, post, silent_above_kmh=140)
    assert reminded(desk, source.key, "另一辆") == ["枫杨驿站"]


def test_a_place_that_closes_soon_does_not_remind(
    desk: Desk, source: NewKey, place: Place, tree: UnionTree, post: PostMaker, clock: Clock
) -> None:
    tomorrow = timezone.localtime() + timedelta(days=1)  # hours are known for the days ahead of the real present
    clock.now = tomorrow.replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(hours="Mo-Su 08:00-12:20")
    _with(desk, tree, post, still_open_s=1800)
    assert reminded(desk, source.key) == []
    _with(desk, tree, post, still_open_s=900)
    assert reminded(desk, source.key, "另一辆") == ["枫杨驿站"]


def test_rules_that_nobody_set_silence_nothing(place: Place) -> None:
    (rule,) = build_world(load_snapshot(), RulesTree.load()).stations.parameters
    assert (rule.still_open_s, rule.silent_above_mps) == (0, math.inf)
    assert rule.quiet_from_s == rule.quiet_until_s
