"""How many people are inside: told by keepers, shown for an hour, and to partners in the fast feed."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.feeds.test_hot import get
from tests.places.conftest import PlaceMaker
from yizhan.places import services
from yizhan.places.index import PlaceIndex
from yizhan.places.models import Occupancy, Place
from yizhan.places.prepared import Prepared
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry
from yizhan.unions.rights import Role


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    return make_place(tree.zhongyuan, name="枫杨驿站", lon=113.62, lat=34.75, hours="24/7", capacity=12)


def test_the_keeper_tells_it_on_the_desk_and_everyone_reads_it_for_an_hour(
    place: Place, sign_in: Any, post: PostMaker, tree: UnionTree
) -> None:
    desk, public = f"/desk/places/{place.public_id}/", f"/places/{place.public_id}/"
    keeper = sign_in(post(tree.zhongyuan, Role.KEEPER))
    assert "近一小时没有更新" in keeper.get(desk).text
    assert keeper.post(f"{desk}occupancy/", {"people": "7"}).status_code == 302
    assert "室内约 7 人" in keeper.get(desk).text
    page = Client().get(public).text
    assert "室内约 7 人" in page
    assert "共 12 个座位" in page
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert "室内约" not in Client().get(public).text
        assert keeper.post(f"{desk}occupancy/", {"people": "0"}).status_code == 302
        assert "室内约 0 人" in Client().get(public).text


@pytest.mark.parametrize("people", ["", "-1", "2001", "许多", "7.5"])
def test_what_is_no_number_of_people_is_refused_in_words(
    place: Place, sign_in: Any, post: PostMaker, tree: UnionTree, people: str
) -> None:
    keeper = sign_in(post(tree.zhongyuan, Role.KEEPER))
    answer = keeper.post(f"/desk/places/{place.public_id}/occupancy/", {"people": people}, follow=True)
    assert [str(message) for message in answer.context["messages"]]
    assert not Occupancy.objects.with_scopes_disabled().exists()


def test_only_whoever_may_change_the_place_tells_it(
    place: Place, sign_in: Any, post: PostMaker, tree: UnionTree
) -> None:
    address = f"/desk/places/{place.public_id}/occupancy/"
    assert sign_in(post(tree.jinshui, Role.KEEPER)).post(address, {"people": "7"}).status_code == 404
    assert sign_in(post(tree.zhongyuan, Role.READER)).post(address, {"people": "7"}).status_code == 403
    assert not Occupancy.objects.with_scopes_disabled().exists()


def test_a_number_beyond_any_place_is_refused_by_the_service_and_the_database(
    place: Place, post: PostMaker, tree: UnionTree
) -> None:
    with pytest.raises(RuleBroken):
        services.tell_occupancy(place, people=2001, actor=post(tree.zhongyuan))
    with pytest.raises(IntegrityError), transaction.atomic():
        Occupancy.objects.with_scopes_disabled().create(place=place, people=2001, told_at=timezone.now())


def test_partners_read_it_in_the_fast_feed_while_it_holds_and_are_not_pushed_to(
    place: Place, make_place: PlaceMaker, post: PostMaker, tree: UnionTree
) -> None:
    other = make_place(tree.zhongyuan, name="碧沙岗驿站", lon=113.63, lat=34.75, hours="24/7")
    keeper = SimpleNamespace(current=Prepared(PlaceIndex(load_snapshot())))
    revision, trail = place.revision, AuditEntry.objects.with_scopes_disabled().count()
    services.tell_occupancy(place, people=7, actor=post(tree.zhongyuan))

    def told() -> dict[str, int | None]:
        entries = get("status.json", keeper=keeper).json()["data"]["places"]
        return {entry["place_id"]: entry["occupancy"] for entry in entries}

    assert told() == {str(place.public_id): 7, str(other.public_id): None}
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert set(told().values()) == {None}
    assert Place.objects.with_scopes_disabled().get(pk=place.pk).revision == revision
    assert AuditEntry.objects.with_scopes_disabled().count() == trail
