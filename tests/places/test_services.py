"""Writes: who may, what is refused, what the trail keeps, who is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone, translation
from django_scopes import scope
from django_scopes.exceptions import ScopeError

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.geo import Datum, haversine_m
from yizhan.places.index import PlaceIndex
from yizhan.places.keeper import Keeper
from yizhan.places.models import Offer, OfferKind, Place, PlaceStatus
from yizhan.places.services import (
    ChangedMeanwhile,
    PlaceFacts,
    change_place,
    close_place,
    create_place,
    facts_of,
    publish_place,
    vocabulary,
    withdraw_place,
)
from yizhan.places.vocabulary import OFFER_KINDS
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry
from yizhan.unions.rights import NotAllowed, Role

FACTS = PlaceFacts(name="石佛镇工会驿站", lon=113.564525, lat=34.819187, datum=Datum.GCJ02)


def trail() -> list[str]:
    return list(AuditEntry.objects.with_scopes_disabled().order_by("pk").values_list("action", flat=True))


def broken_fields(facts: PlaceFacts, tree: UnionTree, post: PostMaker) -> set[str]:
    with pytest.raises(RuleBroken) as refusal:
        create_place(facts, union=tree.zhongyuan, actor=post(tree.zhongyuan))
    assert not Place.objects.with_scopes_disabled().exists()
    assert trail() == []
    return {problem.field for problem in refusal.value.problems}


def test_a_place_is_stored_in_wgs84_and_remembers_the_datum_it_came_in(tree: UnionTree, post: PostMaker) -> None:
    place = create_place(FACTS, union=tree.shifo, actor=post(tree.zhongyuan, Role.KEEPER))
    assert haversine_m(place.lon, place.lat, FACTS.lon, FACTS.lat) == pytest.approx(570, abs=60)
    assert place.datum_given == "GCJ-02"
    back = place.position(Datum.GCJ02)
    assert haversine_m(*back, FACTS.lon, FACTS.lat) < 0.001
    assert trail() == ["places.created"]


def test_every_broken_value_is_named_at_once(tree: UnionTree, post: PostMaker) -> None:
    facts = replace(FACTS, name=" ", kind="palace", hours="25:00", lon=float("inf"), contact="1" * 101)
    assert broken_fields(facts, tree, post) == {"name", "kind", "hours", "position", "contact"}


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (34.8, 113.5), (-113.5, 34.8), (113.5, 95.0)])
def test_a_position_outside_china_is_refused(tree: UnionTree, post: PostMaker, lon: float, lat: float) -> None:
    assert broken_fields(replace(FACTS, lon=lon, lat=lat), tree, post) == {"position"}


def test_an_offer_nobody_knows_is_refused(tree: UnionTree, post: PostMaker) -> None:
    assert broken_fields(replace(FACTS, offers=("sauna",)), tree, post) == {"offers"}


def test_a_union_may_add_words_that_its_neighbours_cannot_use(tree: UnionTree, post: PostMaker) -> None:
    OfferKind.objects.create(code="sauna", name_zh="桑拿", name_en="Sauna", union=tree.zhengzhou)
    place = create_place(replace(FACTS, offers=("sauna",)), union=tree.shifo, actor=post(tree.shifo))
    assert [offer.kind.code for offer in Offer.objects.with_scopes_disabled().filter(place=place)] == ["sauna"]
    assert "sauna" not in {kind.code for kind in vocabulary(tree.shenzhen)}
    assert len(vocabulary(tree.shenzhen)) == len(OFFER_KINDS)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_enter_and_who_may_publish(tree: UnionTree, post: PostMaker, role: Role) -> None:
    actor = post(tree.zhongyuan, role)
    enters = role in {Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER}
    publishes = role in {Role.ADMINISTRATOR, Role.CADRE}
    if not enters:
        with pytest.raises(NotAllowed):
            create_place(FACTS, union=tree.shifo, actor=actor)
    place = create_place(FACTS, union=tree.shifo, actor=post(tree.shifo))
    for step in (publish_place, withdraw_place, close_place):
        if publishes:
            step(place, actor=actor)
        else:
            with pytest.raises(NotAllowed):
                step(place, actor=actor)


@pytest.mark.parametrize("union", ["zhengzhou", "jinshui", "shenzhen"])
def test_nobody_writes_above_or_beside_their_union(tree: UnionTree, post: PostMaker, union: str) -> None:
    there = getattr(tree, union)
    place = create_place(FACTS, union=there, actor=post(there))
    actor = post(tree.zhongyuan)
    with pytest.raises(NotAllowed):
        create_place(replace(FACTS, name="别的"), union=there, actor=actor)
    with pytest.raises(NotAllowed):
        change_place(place, FACTS, revision=place.revision, actor=actor)
    with pytest.raises(NotAllowed):
        publish_place(place, actor=actor)


def test_a_change_is_kept_with_old_and_new_values_but_not_the_telephone(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, contact="0371-11111111", offers=("water",))
    facts = replace(facts_of(place, offers=("rest",)), address="新址", contact="0371-22222222", hours="08:00-20:00")
    changed = change_place(place, facts, revision=place.revision, actor=post(tree.zhongyuan, Role.KEEPER))
    assert changed.revision == place.revision + 1
    details = AuditEntry.objects.with_scopes_disabled().get(action="places.changed").details
    assert details["address"] == ["", "新址"]
    assert details["hours"] == ["", "08:00-20:00"]
    assert details["offers"] == [["water"], ["rest"]]
    assert "0371" not in str(details)


@pytest.mark.parametrize("datum", list(Datum))
def test_a_change_that_changes_nothing_writes_nothing(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, datum: Datum
) -> None:
    place = make_place(tree.zhongyuan, hours="24/7", offers=("water",))
    before = len(trail())
    facts = facts_of(place, offers=("water",), datum=datum)
    facts = replace(facts, lon=round(facts.lon, 6), lat=round(facts.lat, 6))
    assert change_place(place, facts, revision=place.revision, actor=post(tree.zhongyuan)).revision == place.revision
    assert len(trail()) == before


def test_a_closed_place_cannot_be_changed_published_or_closed_again(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    actor = post(tree.zhongyuan)
    place = close_place(make_place(tree.zhongyuan), actor=actor, reason="搬迁")
    for attempt in (
        lambda: change_place(place, FACTS, revision=place.revision, actor=actor),
        lambda: publish_place(place, actor=actor),
        lambda: close_place(place, actor=actor),
        lambda: withdraw_place(place, actor=actor),
    ):
        with pytest.raises(RuleBroken):
            attempt()


def test_a_published_place_keeps_the_time_of_its_first_publication(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    actor = post(tree.zhongyuan)
    place = make_place(tree.zhongyuan)
    again = publish_place(withdraw_place(place, actor=actor), actor=actor)
    assert again.published_at == place.published_at
    with pytest.raises(RuleBroken):
        publish_place(again, actor=actor)


@pytest.mark.parametrize(
    "columns",
    [
        {"lon": 0.0},
        {"lat": 60.0},
        {"lon": float("nan")},
        {"name": ""},
        {"status": "lost"},
        {"kind": "palace"},
        {"status": "published", "published_at": None},
        {"status": "closed", "closed_at": None},
    ],
)
def test_the_database_itself_refuses_what_cannot_be(
    tree: UnionTree, make_place: PlaceMaker, columns: dict[str, Any]
) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(DatabaseError), transaction.atomic():
        Place.objects.with_scopes_disabled().filter(pk=place.pk).update(**columns)


def test_a_number_at_a_source_names_one_place_of_a_union(tree: UnionTree, post: PostMaker) -> None:
    actor = post(tree.zhongyuan)
    create_place(FACTS, union=tree.zhongyuan, actor=actor, source="表", source_id="1")
    create_place(FACTS, union=tree.shifo, actor=actor, source="表", source_id="1")
    create_place(FACTS, union=tree.zhongyuan, actor=actor, source="表")
    create_place(FACTS, union=tree.zhongyuan, actor=actor, source="表")
    with pytest.raises(IntegrityError), transaction.atomic():
        create_place(FACTS, union=tree.zhongyuan, actor=actor, source="表", source_id="1")


def test_places_are_not_readable_without_a_scope_and_only_below_it(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, offers=("water",))
    make_place(tree.shenzhen)
    for model in (Place, Offer):
        with pytest.raises(ScopeError):
            model.objects.count()
    with scope(union=tree.zhengzhou.path):
        assert Place.objects.count() == 1
    with scope(union=tree.shenzhen.path):
        assert Offer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_keepers_who_save_at_once_one_is_told_and_nothing_is_lost(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    actor = post(tree.zhongyuan, Role.KEEPER)
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def save(address: str) -> None:
        try:
            together.wait(10)
            facts = replace(facts_of(place, offers=()), address=address)
            change_place(place, facts, revision=place.revision, actor=actor)
            outcomes.append(address)
        except ChangedMeanwhile:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(address,)) for address in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes.count("told") == 1
    (kept,) = (outcome for outcome in outcomes if outcome != "told")
    again = Place.objects.with_scopes_disabled().get()
    assert (again.address, again.revision) == (kept, place.revision + 1)


@pytest.mark.django_db(transaction=True)
def test_readers_are_told_once_a_transaction_and_only_of_what_is_public(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute("LISTEN places_changed")

        def heard() -> int:
            return len(list(listener.notifies(timeout=0.2)))

        draft = make_place(tree.zhongyuan, publish=False)
        change_place(draft, replace(FACTS, name="改"), revision=1, actor=post(tree.zhongyuan))
        assert heard() == 0
        with transaction.atomic():
            first = make_place(tree.zhongyuan)
            make_place(tree.zhongyuan)
        assert heard() == 1
        withdraw_place(first, actor=post(tree.zhongyuan))
        assert heard() == 1


@pytest.mark.django_db(transaction=True)
def test_the_keeper_of_the_index_follows_what_is_published(tree: UnionTree, make_place: PlaceMaker) -> None:
    swapped = threading.Condition()

    def build(snapshot: Any, before: PlaceIndex | None) -> PlaceIndex:
        with swapped:
            swapped.notify_all()
        return PlaceIndex(snapshot, like=before)

    keeper: Keeper[PlaceIndex] = Keeper(build)
    keeper.start()
    try:
        assert wait_for(swapped, lambda: keeper.current is not None)
        before = keeper.current
        make_place(tree.zhongyuan)
        assert wait_for(swapped, lambda: keeper.current is not None and len(keeper.current) == 1)
        assert before is not None
        assert len(before) == 0  # whoever was reading goes on with what they had
    finally:
        keeper.stop()


def wait_for(condition: threading.Condition, what: Any) -> bool:
    deadline = timezone.now().timestamp() + 20
    with condition:
        while not what() and timezone.now().timestamp() < deadline:
            condition.wait(0.2)
    return bool(what())


def test_the_life_of_a_place_is_complete_for_what_comes_next() -> None:
    assert list(PlaceStatus.values) == ["draft", "verified", "published", "suspended", "closed"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_step_works_in_every_language(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, language: str
) -> None:
    place = make_place(tree.zhongyuan, publish=False)
    actor = post(tree.zhongyuan)
    with translation.override(language):
        for step in (publish_place, withdraw_place, close_place):
            step(place, actor=actor)
    assert trail()[-3:] == ["places.published", "places.withdrawn", "places.closed"]
