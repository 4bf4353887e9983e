"""What changed reaches every partner, in its words and datum, signed, and only what may leave."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.models import Evidence, EvidenceKind, Listing, ListingState, Partner, Push
from yizhan.feeds.services import partners as services
from yizhan.feeds.services.partner_rules import PartnerFacts
from yizhan.geo import Datum, convert
from yizhan.places.models import Place
from yizhan.places.services import close_place, withdraw_place
from yizhan.unions.rights import OPERATOR

from .pushes import Clock, Receiver, a_partner, listing, push, serving, verify


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    made = make_place(
        tree.zhongyuan,
        name="枫杨驿站",
        hours="Mo-Su 08:00-22:00",
        contact="王师傅 13800138000",
        access="code",
        access_note="门锁密码 4711",
        offers=("water",),
    )
    verify(made)
    return made


@pytest.fixture
def partner(tree: UnionTree, receiver: Receiver) -> Partner:
    return a_partner(tree.zhengzhou, address=receiver.url).partner


def test_a_change_reaches_a_partner_signed_and_in_its_words(
    place: Place, receiver: Receiver, clock: Clock, tree: UnionTree
) -> None:
    made = a_partner(
        tree.zhengzhou,
        address=receiver.url,
        datum="BD-09",
        mapping={"poi.no": "id", "title": "name", "type": "category", "x": "lon", "y": "lat", "src": "=工会"},
        categories={"station": "0101"},
    )
    push(clock)

    ((headers, body, _path),) = receiver.got
    assert headers["content-type"] == "application/cloudevents-batch+json"
    with time_machine.travel(clock.now):
        Webhook(made.secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(body + b" ", headers)
    (event,) = json.loads(body)
    assert (event["specversion"], event["type"], event["subject"]) == (
        "1.0",
        "org.yizhan.place.shown",
        str(place.public_id),
    )
    x, y = convert(place.lon, place.lat, source=Datum.WGS84, target=Datum.BD09)
    assert event["data"] == {
        "poi": {"no": str(place.public_id)},
        "title": "枫杨驿站",
        "type": "0101",
        "x": pytest.approx(x, abs=1e-6),
        "y": pytest.approx(y, abs=1e-6),
        "src": "工会",
    }
    found = listing(made.partner, place)
    assert (found.state, found.is_waiting, found.taken_sequence) == (ListingState.ACCEPTED, False, found.sequence)
    (proof,) = Evidence.every.filter(listing=found)
    assert (proof.kind, proof.answer, proof.push.message_id) == (
        EvidenceKind.ACCEPTED,
        "HTTP 200",
        headers["webhook-id"],
    )
    assert push(clock) == 0


def test_a_partner_with_a_key_pair_verifies_with_the_public_key(
    place: Place, receiver: Receiver, clock: Clock, tree: UnionTree
) -> None:
    made = a_partner(tree.zhengzhou, address=receiver.url, signing="ed25519")
    assert made.secret.startswith("whpk_")
    push(clock)

    ((headers, body, _path),) = receiver.got
    version, signature = headers["webhook-signature"].split(",")
    assert version == "v1a"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(made.secret.removeprefix("whpk_")))
    public.verify(base64.b64decode(signature), signed)


def test_personal_data_and_what_opens_doors_never_leave(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    push(clock)
    body = receiver.got[0][1].decode()
    for secret in ("13800138000", "王师傅", "4711"):
        assert secret not in body


def test_only_published_and_verified_places_leave(
    make_place: PlaceMaker, tree: UnionTree, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    make_place(tree.zhongyuan, name="草稿", publish=False)
    unseen = make_place(tree.zhongyuan, name="没人看过")
    push(clock)
    assert receiver.got == []

    verify(unseen)
    push(clock)
    assert list(receiver.shown()) == [str(unseen.public_id)]


def test_filters_narrow_by_kind_union_and_area_and_what_falls_out_is_taken_down(
    make_place: PlaceMaker, tree: UnionTree, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    station = make_place(tree.zhongyuan, name="甲", lon=113.61, lat=34.75)
    meals = make_place(tree.zhongyuan, name="乙", kind="restaurant", lon=113.61, lat=34.75)
    other = make_place(tree.jinshui, name="丙", lon=113.66, lat=34.80)
    foreign = make_place(tree.shenzhen, name="丁", lon=114.05, lat=22.54)
    verify(station, meals, other, foreign)
    push(clock)
    assert set(receiver.shown()) == {str(each.public_id) for each in (station, meals, other)}

    for narrowed, left in (
        ({"kinds": ("restaurant",)}, {meals}),
        ({"unions": (tree.jinshui,)}, {other}),
        ({"areas": ("410102",)}, {station, meals}),
        ({}, {station, meals, other}),
    ):
        change(partner, **narrowed)
        push(clock, rounds=2)
        assert set(receiver.shown()) == {str(each.public_id) for each in left}, narrowed
    assert receiver.events()[-1]["sequence"].isdigit()


def change(partner: Partner, **facts: object) -> None:
    from .pushes import PRESETS, facts_of

    partner.refresh_from_db()
    known = facts_of(PRESETS[partner.preset], name=partner.name)
    values = {name: getattr(known, name) for name in PartnerFacts.__slots__}
    services.change_partner(
        staff=OPERATOR, partner=partner, facts=PartnerFacts(**{**values, "address": partner.address, **facts})
    )


def test_a_place_that_closes_is_taken_down_and_nothing_is_said_but_which(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock, post: PostMaker, tree: UnionTree
) -> None:
    push(clock)
    withdraw_place(place, actor=post(tree.zhongyuan), reason="内部原因")
    push(clock)
    close_place(place, actor=post(tree.zhongyuan), reason="内部原因")
    push(clock)

    assert [(event["type"], event["data"].get("gone")) for event in receiver.events()] == [
        ("org.yizhan.place.shown", None),
        ("org.yizhan.place.gone", "withdrawn"),
    ]
    assert receiver.events()[1]["data"] == {"id": str(place.public_id), "gone": "withdrawn"}
    assert listing(partner, place).state == ListingState.WITHDRAWN


def test_a_place_that_closes_before_it_was_ever_sent_needs_no_word(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock, post: PostMaker, tree: UnionTree
) -> None:
    receiver.status = 500
    services.pause(staff=OPERATOR, partner=partner)
    push(clock)
    services.resume(staff=OPERATOR, partner=partner)
    close_place(place, actor=post(tree.zhongyuan))
    push(clock)
    assert receiver.got == []
    assert not Listing.every.exists()


def test_several_changes_of_a_place_arrive_in_order_and_the_last_one_wins(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    for number in range(4):
        Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name=f"第{number}名")
        receiver.status = 500 if number == 1 else 200
        push(clock)
        clock.now += 60
    sequences = [int(event["sequence"]) for event in receiver.events()]
    assert sequences == sorted(sequences)
    assert receiver.shown()[str(place.public_id)]["name"] == "第3名"


def test_a_change_while_another_is_on_its_way_is_not_lost(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    def meanwhile(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        Listing.every.filter(partner=partner).update(turn=1)  # as if staff asked for it again
        return 200, b""

    from yizhan.feeds.pushing import outbox
    from yizhan.feeds.pushing.loads import Result
    from yizhan.feeds.services.sequence import sequence_changes
    from yizhan.unions.webhooks import Answer

    sequence_changes()
    outbox.follow(partner, now=place.created_at)
    load = outbox.next_load(partner)
    assert load is not None
    Listing.every.filter(partner=partner).update(turn=1)
    outbox.settle(load, Result(Answer(200, "HTTP 200"), load.items), now=place.created_at, took_s=0.1)
    assert listing(partner, place).is_waiting
    push(clock)
    assert [event["id"][-2:] for event in receiver.events()] == ["-1"]


def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    place: Place, receiver: Receiver, clock: Clock, tree: UnionTree
) -> None:
    made = a_partner(tree.zhengzhou, address=receiver.url)
    with time_machine.travel(clock.now):
        fresh = services.rotate_secret(staff=OPERATOR, partner=made.partner).secret
        push(clock)
        headers, body, _path = receiver.got[-1]
        for secret in (made.secret, fresh):
            Webhook(secret).verify(body, headers)
    clock.now += 25 * 3600
    services.send_everything(staff=OPERATOR, partner=made.partner)
    with time_machine.travel(clock.now):
        push(clock)
        headers, body, _path = receiver.got[-1]
        Webhook(fresh).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(body, headers)


def test_two_keys_hold_while_a_partner_changes_over_and_never_three(place: Place, tree: UnionTree) -> None:
    first = a_partner(tree.zhengzhou)
    second = services.rotate_key(staff=OPERATOR, partner=first.partner)
    assert services.authenticate(first.key) == services.authenticate(second.key) == first.partner
    third = services.rotate_key(staff=OPERATOR, partner=first.partner)
    assert services.authenticate(first.key) is None
    assert services.authenticate(second.key) == services.authenticate(third.key) == first.partner
    with time_machine.travel(NEXT_MONTH):
        assert services.authenticate(second.key) is None
        assert services.authenticate(third.key) == first.partner
    assert services.authenticate("yzf_nonsense") is None
    stored = json.dumps(list(Partner.every.values()), default=str)
    assert first.key not in stored
    assert third.key not in stored
    assert third.key not in repr(third)


NEXT_MONTH = "2027-01-20T00:00:00Z"


def test_what_is_refused_by_name_becomes_a_dead_letter_and_the_rest_is_taken(
    make_place: PlaceMaker, tree: UnionTree, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    good, bad = make_place(tree.zhongyuan, name="好"), make_place(tree.zhongyuan, name="坏")
    verify(good, bad)
    receiver.body = json.dumps(
        {
            "results": [
                {"id": str(bad.public_id), "status": "refused", "reason": "no such road"},
                {"id": str(good.public_id), "status": "accepted", "their_id": "B0FF"},
                "nonsense",
            ]
        }
    ).encode()
    push(clock)
    assert (listing(partner, good).their_id, listing(partner, good).state) == ("B0FF", ListingState.ACCEPTED)
    dead = listing(partner, bad)
    assert (dead.died_at is None, dead.last_answer) == (False, "no such road")
    assert push(clock) == 0

    receiver.body = b"<html>\xff garbage"
    assert services.replay_dead_letters(staff=OPERATOR, partner=partner) == 1
    push(clock)
    assert listing(partner, bad).state == ListingState.ACCEPTED


def test_one_place_that_the_receiver_chokes_on_does_not_hold_up_the_others(
    make_place: PlaceMaker, tree: UnionTree, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    places = [make_place(tree.zhongyuan, name=f"站{number}") for number in range(12)]
    verify(*places)
    poison = str(places[5].public_id)
    receiver.answer = lambda _path, _headers, body: (422, b"") if poison.encode() in body else (200, b"")
    push(clock)
    assert Listing.every.filter(state=ListingState.ACCEPTED).count() == 11
    dead = listing(partner, places[5])
    assert dead.died_at is not None
    assert dead.last_answer == "HTTP 422"
    assert Push.every.filter(outcome="refused").count() <= 6
