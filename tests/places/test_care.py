"""Looking after places: equipment, closures, verification, words and rules; who may, what is refused, who is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker, shanghai
from tests.places.test_pictures import drawn, with_position
from yizhan.geo import haversine_m
from yizhan.places import services
from yizhan.places.care import CareTree, months_before
from yizhan.places.hours import Openness, state_at
from yizhan.places.models import (
    Closure,
    Equipment,
    Offer,
    OfferKind,
    Place,
    PlacePhoto,
    PlaceStatus,
    Verification,
)
from yizhan.places.services import EquipmentFacts, Look
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, InboxMessage
from yizhan.unions.rights import NotAllowed, Role


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def anew(place: Place) -> Place:
    return Place.objects.with_scopes_disabled().get(pk=place.pk)


def fields_of(refusal: pytest.ExceptionInfo[RuleBroken]) -> set[str]:
    return {problem.field for problem in refusal.value.problems}


def told() -> list[str]:
    return list(InboxMessage.objects.with_scopes_disabled().order_by("pk").values_list("title", flat=True))


def trail() -> list[str]:
    return list(AuditEntry.objects.with_scopes_disabled().order_by("pk").values_list("action", flat=True))


# Equipment


def test_a_keeper_says_that_a_microwave_broke_and_since_when(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, offers=("microwave",))
    keeper = post(tree.zhongyuan, Role.KEEPER)
    thing = services.add_equipment(place, EquipmentFacts(name="微波炉", offer="microwave"), actor=keeper)
    assert thing.is_usable
    broken = services.set_state(thing, works=False, actor=keeper)
    assert (broken.is_broken, broken.broken_since) == (True, timezone.localdate())
    again = services.set_state(broken, works=True, actor=keeper)
    assert (again.is_usable, again.broken_since) == (True, None)
    services.remove_equipment(again, actor=keeper)
    assert trail()[-4:] == ["places.equipment_changed"] * 4


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "药箱"}, "name"),
        ({"name": "灭火器", "offer": "sauna"}, "offer"),
        ({"name": "灭火器", "state": "ill"}, "state"),
        ({"name": "灭火器", "state": "broken", "broken_since": date(2999, 1, 1)}, "broken_since"),
        ({"name": "灭火器", "expires_on": date(1026, 1, 1)}, "expires_on"),
        ({"name": "灭火器", "note": "x" * 121}, "note"),
    ],
)
def test_equipment_that_breaks_a_rule_is_refused_at_its_field(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, facts: dict[str, Any], field: str
) -> None:
    place = make_place(tree.zhongyuan)
    actor = post(tree.zhongyuan)
    services.add_equipment(place, EquipmentFacts(name="药箱"), actor=actor)
    with pytest.raises(RuleBroken) as refusal:
        services.add_equipment(place, EquipmentFacts(**facts), actor=actor)
    assert fields_of(refusal) == {field}
    assert Equipment.objects.with_scopes_disabled().count() == 1


def test_medicine_may_not_be_used_from_its_date_on() -> None:
    today = timezone.localdate()
    assert Equipment(name="药箱", expires_on=today).is_expired
    assert not Equipment(name="药箱", expires_on=today + timedelta(days=1)).is_expired


@pytest.mark.parametrize("union", ["jinshui", "shifo", "shenzhen"])
def test_a_neighbour_changes_nothing_of_a_place(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, union: str
) -> None:
    place = make_place(tree.zhongyuan)
    own, neighbour = post(tree.zhongyuan), post(getattr(tree, union))
    thing = services.add_equipment(place, EquipmentFacts(name="药箱"), actor=own)
    now = timezone.now()
    closure = services.shut_place(place, starts_at=now, ends_at=now + timedelta(days=1), reason="停水", actor=own)
    photo = services.add_photo(place, drawn(), alt="门口", actor=own)
    word = services.add_word(tree.zhongyuan, name_zh="理发", name_en="Haircuts", actor=own)
    before = len(trail())
    for act in (
        lambda: services.add_equipment(place, EquipmentFacts(name="冰箱"), actor=neighbour),
        lambda: services.set_state(thing, works=False, actor=neighbour),
        lambda: services.remove_equipment(thing, actor=neighbour),
        lambda: services.shut_place(
            place, starts_at=now + timedelta(days=3), ends_at=now + timedelta(days=4), reason="x", actor=neighbour
        ),
        lambda: services.lift_closure(closure, actor=neighbour),
        lambda: services.add_photo(place, drawn(), alt="门口", actor=neighbour),
        lambda: services.remove_photo(photo, actor=neighbour),
        lambda: services.verify_place(place, Look(findings={"door": "ok"}), actor=neighbour),
        lambda: services.withdraw_place(place, actor=neighbour, reason="x"),
        lambda: services.add_word(tree.zhongyuan, name_zh="针灸", name_en="Acupuncture", actor=neighbour),
        lambda: services.remove_word(word, actor=neighbour),
        lambda: services.set_care_rules(tree.zhongyuan, verify_months=1, warn_days=1, actor=neighbour),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert len(trail()) == before


# Closures


def test_a_closure_shuts_an_open_place_and_says_when_it_opens_again(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, hours="08:00-22:00")
    services.shut_place(
        place,
        starts_at=shanghai(2027, 3, 1, 12, 0),
        ends_at=shanghai(2027, 3, 3, 7, 0),
        reason="停电检修",
        actor=post(tree.zhongyuan, Role.KEEPER),
    )
    snapshot = load_snapshot(at=shanghai(2027, 3, 1, 9, 0))

    def is_open(*moment: int) -> bool:
        return bool(snapshot.open.is_open_at(int(shanghai(2027, 3, *moment).timestamp()))[0])

    assert [is_open(1, 11, 59), is_open(1, 12, 0), is_open(2, 12, 0), is_open(3, 7, 30), is_open(3, 8, 0)] == [
        True, False, False, False, True,
    ]  # fmt: skip
    shut = [(shanghai(2027, 3, 1, 12, 0), shanghai(2027, 3, 3, 7, 0))]
    state = state_at("08:00-22:00", shanghai(2027, 3, 1, 13, 0), shut=shut)
    assert (state.state, state.changes_at) == (Openness.NO, shanghai(2027, 3, 3, 8, 0))
    before = state_at("08:00-22:00", shanghai(2027, 3, 1, 9, 0), shut=shut)
    assert (before.state, before.changes_at) == (Openness.YES, shanghai(2027, 3, 1, 12, 0))


def test_a_place_of_unknown_hours_is_certainly_closed_while_it_is_shut() -> None:
    at = shanghai(2027, 3, 1, 12, 0)
    state = state_at("", at, shut=[(at, at + timedelta(days=40))])
    assert (state.state, state.changes_at) == (Openness.NO, at + timedelta(days=40))


_START = datetime(2026, 11, 20, tzinfo=UTC)
_moments = st.integers(0, 14 * 24 * 4).map(lambda quarter: _START + timedelta(minutes=15 * quarter))
_stretches = st.tuples(_moments, st.integers(1, 300)).map(lambda s: (s[0], s[0] + timedelta(minutes=15 * s[1])))


@given(
    hours=st.sampled_from(["24/7", "08:00-22:00", "22:00-06:00", "Mo-Fr 09:00-12:00,14:00-17:00; PH off", ""]),
    shut=st.lists(_stretches, max_size=3),
    at=_moments,
)
def test_closed_wins_over_hours_and_the_state_holds_until_it_changes(
    hours: str, shut: list[tuple[datetime, datetime]], at: datetime
) -> None:
    state = state_at(hours, at, shut=shut)
    is_shut = any(start <= at < end for start, end in shut)
    assert state.state is (Openness.NO if is_shut else state_at(hours, at).state)
    if state.changes_at is not None:
        assert state.changes_at > at
        just_before = state.changes_at - timedelta(seconds=1)
        assert state_at(hours, just_before, shut=shut).state is state.state
        assert state_at(hours, state.changes_at, shut=shut).state is not state.state


@pytest.mark.parametrize(
    ("start", "end", "reason", "field"),
    [
        (1, 0, "停水", "ends_at"),
        (-3, -1, "停水", "ends_at"),
        (0, 400, "停水", "ends_at"),
        (0, 1, " ", "reason"),
        (0, 1, "x" * 121, "reason"),
        (10, 12, "停水", "starts_at"),
    ],
)
def test_a_closure_that_breaks_a_rule_is_refused(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, start: int, end: int, reason: str, field: str
) -> None:
    place, actor, now = make_place(tree.zhongyuan), post(tree.zhongyuan), timezone.now()
    day = timedelta(days=1)
    services.shut_place(place, starts_at=now + 11 * day, ends_at=now + 13 * day, reason="装修", actor=actor)
    with pytest.raises(RuleBroken) as refusal:
        services.shut_place(place, starts_at=now + start * day, ends_at=now + end * day, reason=reason, actor=actor)
    assert fields_of(refusal) == {field}
    assert Closure.objects.with_scopes_disabled().count() == 1


def test_a_lifted_closure_opens_the_place_at_once(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place, actor, now = make_place(tree.zhongyuan, hours="24/7"), post(tree.zhongyuan), timezone.now()
    closure = services.shut_place(place, starts_at=now, ends_at=now + timedelta(days=2), reason="停水", actor=actor)
    at = int(now.timestamp()) + 60
    assert not load_snapshot().open.is_open_at(at)[0]
    services.lift_closure(closure, actor=actor)
    assert load_snapshot().open.is_open_at(at)[0]


# Photos


def test_a_photo_is_stored_clean_under_a_name_that_nobody_guesses(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, media: Path
) -> None:
    place = make_place(tree.zhongyuan)
    photo = services.add_photo(place, with_position(), alt="东门", actor=post(tree.zhongyuan, Role.KEEPER))
    files = sorted(path.relative_to(media).as_posix() for path in media.rglob("*.jpg"))
    assert sorted([photo.file.name, photo.small.name]) == files
    assert all(name.startswith("places/") and len(Path(name).stem) == 32 for name in files)
    assert all(b"Exif" not in path.read_bytes() for path in media.rglob("*.jpg"))


def test_a_refused_photo_leaves_no_file_behind(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, actor = make_place(tree.zhongyuan), post(tree.zhongyuan)
    for content, alt in ((b"no picture", "门"), (drawn(), "")):
        with pytest.raises(RuleBroken):
            services.add_photo(place, content, alt=alt, actor=actor)

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr("yizhan.places.services.photos.record", broken)
    with pytest.raises(IntegrityError):
        services.add_photo(place, drawn(), alt="门", actor=actor)
    assert list(media.rglob("*.jpg")) == []
    assert not PlacePhoto.objects.with_scopes_disabled().exists()


def test_the_files_of_a_removed_photo_go_on_commit(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    place, actor = make_place(tree.zhongyuan), post(tree.zhongyuan)
    photo = services.add_photo(place, drawn(), alt="门", actor=actor)
    with django_capture_on_commit_callbacks(execute=False):
        services.remove_photo(photo, actor=actor)
    assert len(list(media.rglob("*.jpg"))) == 2
    photo = services.add_photo(place, drawn(), alt="门", actor=actor)
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_photo(photo, actor=actor)
    assert len(list(media.rglob("*.jpg"))) == 2  # those of the first, whose removal was not committed here


# Verification


def test_a_verifier_stands_before_the_door_and_a_draft_becomes_verified(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, publish=False, lon=113.62, lat=34.75)
    cadre = post(tree.zhongyuan, Role.CADRE)
    look = Look(
        findings={"name": "ok", "door": "ok"}, standing=(113.6205, 34.75), accuracy_m=12.4, photo=with_position()
    )
    made = services.verify_place(place, look, actor=cadre)
    place = anew(place)
    assert (place.status, place.verified_by, place.verified_at) == (PlaceStatus.VERIFIED, cadre, made.at)
    assert made.metres == pytest.approx(46, abs=1)
    assert (made.accuracy_m, made.is_sound, made.findings["address"]) == (12, True, "not_seen")
    assert made.photo.name.startswith("verifications/")
    stored = Verification.objects.with_scopes_disabled().values().get()
    assert not any("113.6205" in str(value) for value in stored.values())  # only the distance is kept
    entry = AuditEntry.objects.with_scopes_disabled().get(action="places.verified")
    assert "113.62" not in str(entry.details)


def test_what_a_verifier_finds_wrong_is_mended_by_the_same_step(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, name="旧名", offers=("water", "aed"), lon=113.62, lat=34.75)
    cadre = post(tree.zhongyuan, Role.CADRE)
    works = services.add_equipment(place, EquipmentFacts(name="饮水机", offer="water"), actor=cadre)
    broken = services.add_equipment(place, EquipmentFacts(name="冰箱", state="broken"), actor=cadre)
    look = Look(
        findings={
            "name": "wrong", "address": "wrong", "position": "wrong", "door": "ok",
            "offer:aed": "wrong", "offer:water": "ok", "equipment:饮水机": "wrong", "equipment:冰箱": "ok",
        },
        name="新名", address="中原路9号", standing=(113.63, 34.75), accuracy_m=8, move_here=True,
    )  # fmt: skip
    made = services.verify_place(place, look, actor=cadre)
    place = anew(place)
    assert (place.name, place.address, place.position_source) == ("新名", "中原路9号", "survey")
    assert haversine_m(place.lon, place.lat, 113.63, 34.75) < 0.01
    assert [offer.kind.code for offer in Offer.objects.with_scopes_disabled().filter(place=place)] == ["water"]
    states = dict(Equipment.objects.with_scopes_disabled().values_list("pk", "state"))
    assert states == {works.pk: "broken", broken.pk: "works"}
    assert not made.is_sound
    assert place.verified_at == made.at  # nothing remains wrong
    assert told() == []


def test_what_remains_wrong_keeps_the_place_unverified_and_reaches_the_keeper(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, name="甲站", publish=False)
    keeper = post(tree.zhongyuan, Role.KEEPER)
    services.verify_place(place, Look(findings={"door": "wrong"}), actor=post(tree.zhengzhou, Role.CADRE))
    place = anew(place)
    assert (place.status, place.verified_at) == (PlaceStatus.DRAFT, None)
    message = InboxMessage.objects.with_scopes_disabled().get(post=keeper)
    assert "甲站" in message.title
    assert str(place.public_id) in message.link


@pytest.mark.parametrize(
    ("look", "field"),
    [
        ({"findings": {}}, ""),
        ({"findings": {"door": "perhaps"}}, "door"),
        ({"findings": {"offer:sauna": "ok"}}, "offer:sauna"),
        ({"findings": {"position": "wrong"}, "move_here": True}, "move_here"),
        ({"findings": {"position": "wrong"}, "move_here": True, "standing": (113.62, 34.75),
          "accuracy_m": 900}, "move_here"),
        ({"findings": {"position": "wrong"}, "move_here": True, "standing": (114.62, 34.75),
          "accuracy_m": 9}, "move_here"),
        ({"findings": {"door": "ok"}, "standing": (0.0, 0.0)}, "position"),
        ({"findings": {"door": "ok"}, "photo": b"no picture"}, "photo"),
    ],
)  # fmt: skip
def test_a_look_that_breaks_a_rule_writes_nothing(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, look: dict[str, Any], field: str
) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(RuleBroken) as refusal:
        services.verify_place(place, Look(**look), actor=post(tree.zhongyuan))
    assert fields_of(refusal) == {field}
    assert not Verification.objects.with_scopes_disabled().exists()
    assert anew(place).revision == place.revision


def test_a_keeper_does_not_verify_the_own_place(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(NotAllowed):
        services.verify_place(place, Look(findings={"door": "ok"}), actor=post(tree.zhongyuan, Role.KEEPER))


# Life cycle


def test_a_suspended_place_is_resumed_with_a_reason(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place, cadre = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.CADRE)
    suspended = services.withdraw_place(place, actor=cadre, reason="漏水")
    assert (suspended.status, suspended.status_note) == (PlaceStatus.SUSPENDED, "漏水")
    resumed = services.resume_place(suspended, actor=cadre, reason="修好了")
    assert (resumed.status, resumed.status_note) == (PlaceStatus.PUBLISHED, "")
    with pytest.raises(RuleBroken):
        services.resume_place(resumed, actor=cadre, reason="再来")
    entry = AuditEntry.objects.with_scopes_disabled().get(action="places.resumed")
    assert entry.details == {"reason": "修好了"}


# Words


def test_a_word_of_a_union_is_usable_there_and_below_and_nowhere_else(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    word = services.add_word(tree.zhongyuan, name_zh="理发", name_en="Haircuts", actor=post(tree.zhongyuan))
    assert word.code == "haircuts"
    make_place(tree.shifo, offers=("haircuts",))
    with pytest.raises(RuleBroken):
        make_place(tree.jinshui, offers=("haircuts",))
    with pytest.raises(RuleBroken) as refusal:
        services.remove_word(word, actor=post(tree.zhongyuan))
    assert refusal.value.problems[0].code == "in_use"
    other = services.add_word(tree.shenzhen, name_zh="剪头发", name_en="Haircuts", actor=post(tree.shenzhen))
    assert other.code == "haircuts_2"  # a code means one thing in the whole country
    renamed = services.rename_word(word, name_zh="义务理发", name_en="Free haircuts", actor=post(tree.zhongyuan))
    assert (renamed.code, renamed.name_zh) == ("haircuts", "义务理发")


def test_a_word_that_means_something_already_is_refused(tree: UnionTree, post: PostMaker) -> None:
    with pytest.raises(RuleBroken) as refusal:
        services.add_word(tree.zhongyuan, name_zh="微波炉", name_en=" ", actor=post(tree.zhongyuan))
    assert fields_of(refusal) == {"name_zh", "name_en"}
    shared = OfferKind.objects.get(code="water", union=None)
    with pytest.raises(RuleBroken):
        services.remove_word(shared, actor=post(tree.zhongyuan))


# Rules and who is told


def test_rules_are_inherited_down_the_tree(tree: UnionTree, post: PostMaker) -> None:
    assert CareTree.load().at(tree.shifo.path).verify_months == 6
    services.set_care_rules(tree.zhengzhou, verify_months=3, warn_days=None, actor=post(tree.zhengzhou))
    services.set_care_rules(tree.zhongyuan, verify_months=None, warn_days=7, actor=post(tree.zhongyuan))
    care = CareTree.load()
    assert (care.at(tree.shifo.path).verify_months, care.at(tree.shifo.path).warn_days) == (3, 7)
    assert (care.at(tree.jinshui.path).verify_months, care.at(tree.jinshui.path).warn_days) == (3, 30)
    assert care.at(tree.shenzhen.path).verify_months == 6
    with pytest.raises(RuleBroken) as refusal:
        services.set_care_rules(tree.zhengzhou, verify_months=0, warn_days=999, actor=post(tree.zhengzhou))
    assert fields_of(refusal) == {"verify_months", "warn_days"}


def test_each_union_counts_its_months_itself(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    services.set_care_rules(tree.zhongyuan, verify_months=1, warn_days=None, actor=post(tree.zhongyuan))
    services.set_care_rules(tree.shifo, verify_months=12, warn_days=None, actor=post(tree.zhongyuan))
    looked = timezone.now() - timedelta(days=100)
    places = [make_place(union) for union in (tree.zhongyuan, tree.shifo, tree.jinshui)]
    Place.objects.with_scopes_disabled().update(verified_at=looked)
    never = make_place(tree.jinshui)

    def due(path: str) -> list[int]:
        every = Place.objects.with_scopes_disabled()
        return list(every.filter(CareTree.load().verification_due(path)).order_by("pk").values_list("pk", flat=True))

    assert due("") == [places[0].pk, never.pk]
    assert due(tree.zhengzhou.path) == [places[0].pk, never.pk]
    assert due(tree.zhongyuan.path) == [places[0].pk]
    assert due(tree.shifo.path) == []


def test_a_month_ago_is_the_same_day_or_the_months_last() -> None:
    assert months_before(shanghai(2026, 3, 31, 9, 0), 1).date() == date(2026, 2, 28)
    assert months_before(shanghai(2026, 3, 31, 9, 0), 6).date() == date(2025, 9, 30)
    assert months_before(shanghai(2026, 11, 24, 9, 0), 11).date() == date(2025, 12, 24)


def test_keepers_are_told_once_of_each_thing_and_again_when_it_gets_worse(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan, name="甲站"), post(tree.zhongyuan, Role.KEEPER)
    Place.objects.with_scopes_disabled().update(verified_at=timezone.now())
    today = timezone.localdate()
    for name, expires, state in (
        ("药箱", today + timedelta(days=10), "works"),
        ("灭火器", today + timedelta(days=400), "works"),
        ("微波炉", None, "broken"),
    ):
        services.add_equipment(place, EquipmentFacts(name=name, expires_on=expires, state=state), actor=keeper)
    receivers = services.tell_of_neglect()
    assert receivers > 0
    (message,) = InboxMessage.objects.with_scopes_disabled().filter(post=keeper)
    assert "药箱" in message.body
    assert "微波炉" in message.body
    assert "灭火器" not in message.body
    assert services.tell_of_neglect() == 0
    Equipment.objects.with_scopes_disabled().filter(name="药箱").update(expires_on=today)
    assert services.tell_of_neglect() == receivers
    assert InboxMessage.objects.with_scopes_disabled().filter(post=keeper).count() == 2


def test_verifiers_are_told_once_which_places_are_due(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan, name="甲站")
    make_place(tree.zhongyuan, publish=False)
    cadre, keeper = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.KEEPER)
    changed_at = anew(place).changed_at
    assert services.tell_of_neglect() > 0
    assert InboxMessage.objects.with_scopes_disabled().get(post=cadre).body == "甲站"
    assert not InboxMessage.objects.with_scopes_disabled().filter(post=keeper).exists()
    assert services.tell_of_neglect() == 0
    assert anew(place).changed_at == changed_at
    services.verify_place(place, Look(findings={"door": "ok"}), actor=cadre)
    assert anew(place).stale_told_at is None


# What the database itself refuses


@pytest.mark.parametrize(
    "columns",
    [
        {"stars": 6},
        {"entrance_lon": 113.0},
        {"parking_lon": 0.0, "parking_lat": 0.0},
        {"users": "occupations"},
        {"users": "everyone", "occupations": ["courier"]},
        {"access": "magic"},
    ],
)
def test_the_database_refuses_what_no_place_can_be(
    tree: UnionTree, make_place: PlaceMaker, columns: dict[str, Any]
) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(IntegrityError), transaction.atomic():
        Place.objects.with_scopes_disabled().filter(pk=place.pk).update(**columns)
