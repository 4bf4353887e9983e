"""Receivers that are slow, down, lying, gone or talk nonsense; workers that are killed or many: nothing is lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import formatdate
from ipaddress import ip_network

import httpcore
import pytest
import time_machine
from django_scopes import scope
from pytest_django import Settings

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.models import Listing, ListingState, Partner, PauseReason, Push
from yizhan.feeds.pushing.outbox import GIVEN_UP_AFTER
from yizhan.feeds.pushing.pusher import Pusher
from yizhan.feeds.services import partners as services
from yizhan.feeds.services.reconciling import reconcile
from yizhan.places.models import Place
from yizhan.places.services import close_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage
from yizhan.unions.rights import OPERATOR
from yizhan.unions.webhooks import Reach, Receivers
from yizhan.unions.webhooks.receivers import NotPublic, WithinReach, allowed_addresses

from .pushes import HERE, Clock, Receiver, a_partner, listing, push, serving, verify

DAY = 86_400.0
CHANGES = int(os.environ.get("YIZHAN_TEST_PUSH_CHANGES", "40"))
RECEIVERS = int(os.environ.get("YIZHAN_TEST_PUSH_RECEIVERS", "2"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def partner(tree: UnionTree, receiver: Receiver) -> Partner:
    return a_partner(tree.zhengzhou, address=receiver.url).partner


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    made = make_place(tree.zhongyuan, name="枫杨驿站", lon=113.62, lat=34.75)
    verify(made)
    return made


def rename(place: Place, name: str) -> None:
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name=name)


def until(clock: Clock, end: float) -> int:
    """Let the worker live until then, looking whenever something is due."""
    requests = 0
    while clock.now < end:
        requests += push(clock)
        now = datetime.fromtimestamp(clock.now, UTC)
        due = Partner.every.filter(due_at__gt=now).order_by("due_at").values_list("due_at", flat=True).first()
        clock.now = min(end, due.timestamp() + 1) if due else end
    return requests


def test_a_receiver_that_is_down_for_a_day_gets_everything_when_it_is_back_and_is_not_pestered(
    place: Place,
    partner: Partner,
    receiver: Receiver,
    clock: Clock,
    make_place: PlaceMaker,
    tree: UnionTree,
    post: PostMaker,
) -> None:
    admin = post(tree.zhengzhou)
    receiver.status = 503
    others = []
    for hour in (0, 6, 12, 18):
        others.append(make_place(tree.zhongyuan))
        verify(others[-1])
        rename(place, f"第{hour}时")
        until(clock, clock.now + DAY / 4)
    assert 8 <= len(receiver.got) <= 12
    partner.refresh_from_db()
    assert partner.is_cut_off
    assert Listing.every.filter(died_at__isnull=False).count() == 0
    with scope(union=tree.zhengzhou.path):
        told = InboxMessage.objects.filter(post=admin).count()
    assert told == 1

    receiver.status, receiver.got = 200, []
    until(clock, clock.now + DAY / 2)
    assert {data["name"] for data in receiver.shown().values()} == {"第18时", *(other.name for other in others)}
    partner.refresh_from_db()
    assert (partner.failures, partner.is_cut_off) == (0, False)
    assert not Listing.every.exclude(state=ListingState.ACCEPTED).exists()
    with scope(union=tree.zhengzhou.path):
        assert InboxMessage.objects.filter(post=admin).count() == 2


def test_after_three_days_what_waits_becomes_dead_letters_and_can_be_sent_again(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock, tree: UnionTree
) -> None:
    receiver.status = 500
    until(clock, clock.now + GIVEN_UP_AFTER.total_seconds() + DAY)
    dead = listing(partner, place)
    assert (dead.died_at is None, dead.last_answer) == (False, "HTTP 500")

    rename(place, "新名字")
    receiver.status = 200
    with time_machine.travel(clock.now):
        assert services.replay_dead_letters(staff=OPERATOR, partner=partner) == 1
    push(clock)
    assert receiver.shown()[str(place.public_id)]["name"] == "新名字"  # never an old state


def test_a_receiver_may_ask_for_time_and_say_that_it_is_gone(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "1800"}
    push(clock)
    partner.refresh_from_db()
    assert partner.due_at is not None
    assert partner.due_at.timestamp() >= clock.now + 1_800
    assert push(clock) == 0

    clock.now += 3_600
    receiver.status = 410
    push(clock)
    partner.refresh_from_db()
    assert (partner.is_paused, partner.pause_reason) == (True, PauseReason.GONE)
    clock.now += DAY
    assert push(clock) == 0
    receiver.status = 200
    services.resume(staff=OPERATOR, partner=partner)
    assert push(clock) == 1
    assert listing(partner, place).state == ListingState.ACCEPTED


def test_a_receiver_that_says_yes_and_loses_it_is_found_out_by_its_own_export(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    receiver.loses = 1.0
    push(clock)
    assert listing(partner, place).state == ListingState.ACCEPTED

    empty = b"id,name,lon,lat\nx,\xe5\x88\xab\xe5\xa4\x84,100,30\n"
    with time_machine.travel(clock.now + 60):
        export = reconcile(empty, file_name="a.csv", partner=partner, actor=OPERATOR)
    found = listing(partner, place)
    assert (found.state, found.finding, found.is_waiting) == (ListingState.STALE, "missing", True)
    assert export.right == 0

    receiver.loses, clock.now = 0.0, clock.now + 120
    push(clock)
    (event,) = receiver.events()
    line = f"id,name,lon,lat\n{place.public_id},{event['data']['name']},{place.lon},{place.lat}\n"
    with time_machine.travel(clock.now + 60):
        assert reconcile(line.encode(), file_name="b.csv", partner=partner, actor=OPERATOR).right == 1
    assert listing(partner, place).state == ListingState.LIVE


def test_an_answer_that_is_no_answer_is_a_failure(
    place: Place, tree: UnionTree, settings: Settings, clock: Clock
) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    listener = socket.create_server(("127.0.0.1", 0))
    answers = iter([b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 999\r\n", b""])

    def talk() -> None:
        for said in answers:
            connection, _address = listener.accept()
            connection.recv(65_536)
            connection.sendall(said)
            connection.close()

    threading.Thread(target=talk, daemon=True).start()
    made = a_partner(tree.zhengzhou, address=f"http://127.0.0.1:{listener.getsockname()[1]}/").partner
    for number in range(1, 4):
        push(clock)
        made.refresh_from_db()
        assert made.failures == number
        clock.now += 3_600
    assert {push.outcome for push in Push.every.all()} == {"failed"}
    listener.close()


def test_a_receiver_whose_clock_is_wrong_is_told_apart_from_one_that_is_broken(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 401
    receiver.answer = lambda _path, _headers, _body: (401, b"timestamp too old")
    receiver.headers = {"Date": formatdate(clock.now + 900, usegmt=True)}
    push(clock)
    partner.refresh_from_db()
    assert partner.last_answer.startswith("HTTP 401; its clock is ")


def test_workers_whose_clocks_differ_by_hours_lose_nothing(
    place: Place, partner: Partner, receiver: Receiver, clock: Clock
) -> None:
    ahead, behind = Clock(clock.now + 5 * 3_600), Clock(clock.now - 5 * 3_600)
    receiver.status = 500
    push(ahead)
    receiver.status = 200
    rename(place, "第二名")
    assert push(behind) == 0
    push(Clock(ahead.now + 60))
    rename(place, "第三名")
    push(behind)
    assert receiver.shown()[str(place.public_id)]["name"] == "第三名"


def test_a_place_that_was_sent_by_a_worker_that_died_before_noting_it_is_taken_down_all_the_same(
    place: Place,
    partner: Partner,
    receiver: Receiver,
    clock: Clock,
    post: PostMaker,
    tree: UnionTree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("yizhan.feeds.pushing.outbox.settle", _die)
        with pytest.raises(KeyboardInterrupt):
            push(clock)
    close_place(place, actor=post(tree.zhongyuan))
    push(clock)
    assert [event["type"].rsplit(".", 1)[1] for event in receiver.events()] == ["shown", "gone"]
    assert receiver.shown() == {}


def _die(*_args: object, **_more: object) -> bool:
    raise KeyboardInterrupt


@pytest.mark.parametrize("fault", ["private", "loopback", "redirect", "plain http"])
def test_no_message_is_led_to_where_it_should_not_go(
    fault: str, place: Place, receiver: Receiver, tree: UnionTree, clock: Clock, settings: Settings
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    settings.WEBHOOK_NETWORKS = []
    urls = {"private": "https://10.0.0.8/", "loopback": f"https://127.0.0.1:{port}/", "plain http": "http://1.1.1.1/"}
    if fault in urls:
        with pytest.raises(RuleBroken):
            a_partner(tree.zhengzhou, address=urls[fault])
        answer = asyncio.run(posted(urls[fault], Reach()))
        assert answer == "not a public address"
    else:
        receiver.status, receiver.headers = 302, {"Location": receiver.url + "elsewhere"}
        assert asyncio.run(posted(receiver.url, HERE)) == "HTTP 302"
        assert len(receiver.got) == 1
        return
    assert receiver.got == []


async def posted(url: str, reach: Reach) -> str:
    receivers = Receivers(reach)
    try:
        return (await receivers.post(url, b"[]", {})).words
    finally:
        await receivers.close()


def test_a_name_that_changes_its_address_between_two_looks_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_args, **_more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))],
    )
    connected = []

    class Recorder(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, host: str, port: int, **_options: object) -> httpcore.AsyncNetworkStream:
            connected.append(host)
            raise httpcore.ConnectError("recorded")

    async def connect() -> None:
        with pytest.raises(httpcore.ConnectError):
            await WithinReach(Reach(), backend=Recorder()).connect_tcp("rebind.example.cn", 443)
        with pytest.raises(NotPublic):
            await WithinReach(Reach(), backend=Recorder()).connect_tcp("rebind.example.cn", 443)

    asyncio.run(connect())
    assert connected == ["93.184.216.34"]


def test_an_operator_lists_networks_and_opens_no_other() -> None:
    reach = Reach(networks=(ip_network("10.20.0.0/16"), ip_network("fd00::/8")))

    async def look(host: str, *, plain: bool = False) -> bool:
        try:
            return bool(await allowed_addresses(host, 443, reach, plain=plain))
        except NotPublic:
            return False

    seen = {
        (host, plain): asyncio.run(look(host, plain=plain))
        for host in ("10.20.1.1", "10.21.1.1", "127.0.0.1", "8.8.8.8", "fd00::1")
        for plain in (False, True)
    }
    assert {key for key, allowed in seen.items() if allowed} == {
        ("10.20.1.1", False),
        ("10.20.1.1", True),
        ("fd00::1", False),
        ("fd00::1", True),
        ("8.8.8.8", False),
    }


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_holds_up_no_other_and_two_workers_send_nothing_twice(
    tree: UnionTree, make_place: PlaceMaker, settings: Settings
) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with ExitStack() as stack:
        slow = stack.enter_context(serving(Receiver(hold=threading.Event())))
        quick = [stack.enter_context(serving(Receiver())) for _ in range(3)]
        for number, receiver in enumerate([slow, *quick]):
            a_partner(tree.zhengzhou, name=f"地图{number}", address=receiver.url)
        verify(*(make_place(tree.zhongyuan) for _ in range(6)))
        Partner.every.update(batch=2)
        workers = [Pusher(reach=HERE, paced=False) for _ in range(2)]
        threads = [threading.Thread(target=worker.run, daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: all(len(receiver.shown()) == 6 for receiver in quick))
            assert slow.got == []
            assert slow.hold is not None
            slow.hold.set()
            wait_for(lambda: len(slow.shown()) == 6)
        finally:
            if slow.hold:
                slow.hold.set()
            for worker in workers:
                worker.stop()
            for thread in threads:
                thread.join(20)
        for receiver in [slow, *quick]:
            ids = [event["id"] for event in receiver.events()]
            assert len(ids) == len(set(ids)) == 6


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_and_receivers_that_fail_lose_nothing(
    tree: UnionTree, make_place: PlaceMaker, settings: Settings
) -> None:
    """The size comes from YIZHAN_TEST_PUSH_CHANGES and …_RECEIVERS; 1,000 and 6 were run by hand."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with ExitStack() as stack:
        receivers = [stack.enter_context(serving(Receiver(fails=0.3))) for _ in range(RECEIVERS)]
        for number, receiver in enumerate(receivers):
            a_partner(tree.zhengzhou, name=f"地图{number}", address=receiver.url)
        places = [make_place(tree.zhongyuan, name=f"站{number}") for number in range(CHANGES // 2)]
        verify(*places)
        changes, kills = len(places), 0
        worker = forked()
        try:
            while changes < CHANGES or kills < 2:
                some = places[: len(places) // 2] if changes < CHANGES else []
                for place in some:
                    rename(place, f"{place.name}·{changes}")
                changes += len(some)
                time.sleep(0.3)
                if kills < 2:
                    worker.kill()
                    worker.join(20)
                    kills += 1
                    worker = forked()
            wait_for(lambda: not Listing.every.filter(is_waiting=True).exists() and Listing.every.exists())
            names = dict(Place.objects.with_scopes_disabled().values_list("public_id", "name"))
            wait_for(
                lambda: all(
                    {key: data["name"] for key, data in receiver.shown().items()}
                    == {str(key): name for key, name in names.items()}
                    for receiver in receivers
                )
            )
            # A receiver holds it a moment before we have noted that it does.
            wait_for(lambda: Listing.every.filter(state=ListingState.ACCEPTED).count() == len(places) * RECEIVERS)
        finally:
            worker.kill()
            worker.join(20)
        for receiver in receivers:
            seen: dict[str, int] = {}
            for event in receiver.events():
                assert int(event["sequence"]) >= seen.get(event["subject"], 0)
                seen[event["subject"]] = int(event["sequence"])


def forked() -> multiprocessing.process.BaseProcess:
    """A worker in a process of its own, whose clock runs fast, so that its pauses are short."""
    worker = multiprocessing.get_context("fork").Process(target=_work, daemon=True)
    worker.start()
    return worker


def _work() -> None:
    began = time.time()
    Pusher(clock=lambda: began + (time.time() - began) * 30, reach=HERE, paced=False).run()


def wait_for(true: object) -> None:
    for _ in range(1_200):
        if true():  # type: ignore[operator]
            return
        time.sleep(0.05)
    pytest.fail("waited in vain")
