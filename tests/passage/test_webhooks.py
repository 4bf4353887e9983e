"""Delivery to a source's own address: signed, batched, tried again, and never in the stream's way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_pages import signed_in
from tests.passage.test_pings_door import passing
from yizhan.passage.commands import app
from yizhan.passage.models import Delivery, PingSource
from yizhan.passage.runtime import delivery
from yizhan.passage.runtime.delivery import PAUSES_S, Deliverer
from yizhan.passage.services.log import record_reminders
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.passage.services.webhooks import forget_dead_letters, rotate_webhook_secret, send_again, set_webhook
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry
from yizhan.unions.rights import NotAllowed, Role
from yizhan.unions.webhooks import Reach, Receivers, is_public, receivers

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Receiver:
    """A company's server: keeps what it was sent, and answers as the test says."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hold: threading.Event | None = None
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def events(self) -> list[dict[str, Any]]:
        return [event for _headers, body in self.got for event in json.loads(body)]


def serve(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.hold:
                receiver.hold.wait(20)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/reminders"
    return server


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    made = Receiver()
    server = serve(made)
    yield made
    if made.hold:
        made.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret(receiver: Receiver, source: NewKey, post: PostMaker, tree: UnionTree) -> str:
    made = set_webhook(staff=post(tree.henan), source=source.source, url=receiver.url)
    assert made is not None
    return made.secret


@pytest.fixture
def waiting(secret: str, desk: Desk, source: NewKey) -> list[dict[str, Any]]:
    """Three reminders that were told in an answer and wait for delivery."""
    return remind(desk, source, "甲", "乙", "丙")


def remind(desk: Desk, source: NewKey, *vehicles: str) -> list[dict[str, Any]]:
    before = len(desk.kept.passed)
    rows = [row for vehicle in vehicles for row in passing(desk.clock, vehicle)]
    told: list[dict[str, Any]] = desk.post(source.key, rows).json()["reminders"]
    with time_machine.travel(desk.clock.now, tick=False):
        record_reminders(desk.kept.passed[before:])
    return told


def deliver(clock: Clock) -> None:
    asyncio.run(Deliverer(clock=clock).once())


def test_reminders_are_delivered_as_they_were_told_signed_and_in_one_batch(
    waiting: list[dict[str, Any]], receiver: Receiver, secret: str, clock: Clock
) -> None:
    with time_machine.travel(clock.now, tick=False):
        deliver(clock)
        ((headers, body),) = receiver.got
        Webhook(secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + b" ", headers)

    assert headers["content-type"] == "application/cloudevents-batch+json"
    events = receiver.events()
    assert [event["data"] for event in events] == waiting
    assert [event["id"] for event in events] == [each["id"] for each in waiting]
    assert {(event["specversion"], event["type"]) for event in events} == {("1.0", "org.yizhan.reminder.made")}
    assert not Delivery.every.exists()
    deliver(clock)
    assert len(receiver.got) == 1


def test_what_waits_is_encrypted_and_goes_with_the_reminder_in_one_transaction(
    waiting: list[dict[str, Any]],
) -> None:
    assert Delivery.every.count() == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM passage_delivery")
        assert "vehicle" not in str(cursor.fetchall())
    assert json.loads(Delivery.every.order_by("pk")[0].payload)["vehicle"] == "甲"


def test_a_source_without_an_address_leaves_nothing_to_deliver(desk: Desk, source: NewKey) -> None:
    assert remind(desk, source, "甲")
    assert not Delivery.every.exists()


def test_a_receiver_that_fails_is_tried_again_later_each_time_and_then_no_more(
    waiting: list[dict[str, Any]], receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    ids = set()
    for number, pause_s in enumerate(PAUSES_S, 1):
        deliver(clock)
        assert len(receiver.got) == number
        ids.add(receiver.got[-1][0]["webhook-id"])
        due = {(each.due_at.timestamp() - clock.now) / pause_s for each in Delivery.every.all()}
        assert all(0.99 <= share <= 1.51 for share in due)
        deliver(clock)
        assert len(receiver.got) == number  # not before its time
        clock.now += pause_s * 1.6
    deliver(clock)
    clock.now += 10**6
    deliver(clock)

    assert len(receiver.got) == len(PAUSES_S) + 1
    assert len(ids) == 1  # the same message has the same id in every attempt
    assert {(each.attempts, each.last_answer, each.died_at is None) for each in Delivery.every.all()} == {
        (len(PAUSES_S) + 1, "HTTP 500", False)
    }


def test_a_receiver_may_ask_for_time_and_say_that_it_is_gone(
    waiting: list[dict[str, Any]], receiver: Receiver, clock: Clock
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "900"}
    deliver(clock)
    assert all(each.due_at.timestamp() >= clock.now + 900 for each in Delivery.every.all())

    clock.now += 1_000
    receiver.status = 410
    deliver(clock)
    assert not Delivery.every.filter(died_at=None).exists()


@pytest.mark.parametrize("how", ["desk", "command"])
def test_dead_letters_are_sent_again_from_the_desk_and_the_command_line(
    waiting: list[dict[str, Any]],
    receiver: Receiver,
    source: NewKey,
    clock: Clock,
    post: PostMaker,
    tree: UnionTree,
    how: str,
) -> None:
    receiver.status = 410
    deliver(clock)
    page = reverse("passage:source", args=[source.source.public_id])
    staff = post(tree.henan)
    assert "HTTP 410" in signed_in(staff).get(page).content.decode()

    receiver.status = 200
    with time_machine.travel(clock.now, tick=False):
        if how == "desk":
            assert signed_in(staff).post(page + "webhook/again/")["Location"] == page
        else:
            result = CliRunner().invoke(app, ["deliveries", "--again", str(source.source.public_id), "--json"])
            assert result.exit_code == 0
            (row,) = json.loads(result.stdout[result.stdout.index("{") :])["sources"]
            assert (row["waiting"], row["dead"]) == (3, 0)
    deliver(clock)

    assert [event["id"] for event in receiver.events()[3:]] == [each["id"] for each in waiting]
    with scope(union=tree.henan.path):
        assert AuditEntry.objects.filter(action="passage.deliveries_replayed").count() == 1


def test_dead_letters_are_forgotten_after_a_month(waiting: list[dict[str, Any]]) -> None:
    now = timezone.now()
    Delivery.every.update(died_at=now)

    assert forget_dead_letters(now=now + timedelta(days=29)) == 0
    assert forget_dead_letters(now=now + timedelta(days=31)) == 3


def test_a_slow_receiver_holds_up_neither_another_nor_the_stream(
    waiting: list[dict[str, Any]],
    receiver: Receiver,
    desk: Desk,
    post: PostMaker,
    tree: UnionTree,
    source: NewKey,
    clock: Clock,
) -> None:
    receiver.hold = threading.Event()
    quick, other = Receiver(), create_source(staff=post(tree.henan), union=tree.henan, name="另一平台")
    server = serve(quick)
    set_webhook(staff=post(tree.henan), source=other.source, url=quick.url)
    desk.stream.read_keys()
    deliverer = Deliverer(clock=clock)
    deliverer.start()
    try:
        until(lambda: receiver.got)
        remind(desk, other, "丁")
        deliverer.wake()
        until(lambda: quick.got)
        assert len(remind(desk, source, "戊")) == 1
        assert len(receiver.got) == 1
        receiver.hold.set()
        until(lambda: not Delivery.every.exists())
        assert len(receiver.events()) == 4
    finally:
        receiver.hold.set()
        deliverer.stop()
        server.shutdown()
        server.server_close()


def until(true: Any) -> None:
    for _ in range(400):
        if true():
            return
        threading.Event().wait(0.05)
    pytest.fail("waited in vain")


def test_what_was_not_delivered_before_a_kill_is_delivered_after_it(
    waiting: list[dict[str, Any]], receiver: Receiver, clock: Clock
) -> None:
    deliver(clock)  # another deliverer, which knows nothing but the database

    assert len(receiver.events()) == 3


def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    waiting: list[dict[str, Any]],
    receiver: Receiver,
    secret: str,
    source: NewKey,
    post: PostMaker,
    tree: UnionTree,
    desk: Desk,
    clock: Clock,
) -> None:
    with time_machine.travel(clock.now, tick=False):
        fresh = rotate_webhook_secret(staff=post(tree.henan), source=source.source).secret
        deliver(clock)
        ((headers, body),) = receiver.got
        for each in (secret, fresh):
            Webhook(each).verify(body, headers)
    assert fresh != secret

    clock.now += 25 * 3600
    remind(desk, source, "丁")
    with time_machine.travel(clock.now, tick=False):
        deliver(clock)
        headers, body = receiver.got[-1]
        Webhook(fresh).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_no_redirect_is_followed_and_an_endless_answer_is_not_read(
    waiting: list[dict[str, Any]], receiver: Receiver, clock: Clock
) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    deliver(clock)
    assert len(receiver.got) == 1
    assert {each.last_answer for each in Delivery.every.all()} == {"HTTP 302"}

    clock.now += 100
    receiver.status, receiver.headers, receiver.body = 200, {}, b"x" * 1_000_000
    deliver(clock)
    assert not Delivery.every.exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://10.255.255.1/"]
)
def test_a_private_address_is_never_connected_to(receiver: Receiver, url: str) -> None:
    port = receiver.url.split(":")[2].split("/")[0]

    async def post() -> receivers.Answer:
        pool = Receivers()
        try:
            return await pool.post(url.format(port=port), b"[]", {})
        finally:
            await pool.close()

    assert asyncio.run(post()) == receivers.Answer(None, "not a public address")
    assert receiver.got == []


def test_a_receiver_that_never_answers_is_given_up(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "LONGEST_S", 0.1)
    receiver.hold = threading.Event()

    async def post(url: str) -> receivers.Answer:
        pool = Receivers(Reach(anywhere=True))
        try:
            return await pool.post(url, b"[]", {})
        finally:
            await pool.close()

    assert asyncio.run(post(receiver.url)).words == "no answer in time"
    assert asyncio.run(post("http://127.0.0.1:1/")).words == "ConnectError"
    assert asyncio.run(post("nonsense")).status is None


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - not bound to
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://fleet.example.cn/",
        "ftp://fleet.example.cn/",
        "https://",
        "https://user:pass@fleet.example.cn/",
        "https://fleet.example.cn/#a",
        "https://fleet.example.cn:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://intranet/",
        "https://fleet.example.cn/\n",
        "https://fleet .cn/",
        "https://fleet.example.cn/" + "x" * 500,
        "nonsense",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_its_field(
    url: str, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    staff = post(tree.henan)
    page = signed_in(staff).post(
        reverse("passage:set_webhook", args=[source.source.public_id]), {"webhook_url": url.replace("\n", "x y")}
    )

    assert list(page.context["webhook"].errors) == ["webhook_url"]
    assert PingSource.every.get().webhook_url == ""


def test_the_secret_is_shown_once_and_kept_encrypted(source: NewKey, post: PostMaker, tree: UnionTree) -> None:
    desk = signed_in(post(tree.henan))
    address = reverse("passage:set_webhook", args=[source.source.public_id])
    shown = desk.post(address, {"webhook_url": "https://fleet.example.cn/yizhan"})
    secret = shown.context["made"].secret

    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert secret not in repr(shown.context["made"])
    page = desk.get(reverse("passage:source", args=[source.source.public_id])).content.decode()
    assert secret not in page
    assert "https://fleet.example.cn/yizhan" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_secret FROM passage_pingsource")
        assert secret not in str(cursor.fetchall())
    again = desk.post(reverse("passage:rotate_secret", args=[source.source.public_id]))
    assert again.context["made"].secret != secret
    assert desk.post(address, {"webhook_url": "https://fleet.example.cn/other"})["Location"]


def test_switching_off_leaves_dead_letters(
    waiting: list[dict[str, Any]], source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    staff = post(tree.henan)
    set_webhook(staff=staff, source=source.source, url="")

    assert {each.last_answer for each in Delivery.every.exclude(died_at=None)} == {"switched off"}
    with pytest.raises(RuleBroken):
        send_again(staff=staff, source=source.source)
    result = CliRunner().invoke(app, ["deliveries", "--again", str(source.source.public_id)])
    assert result.exit_code == 1
    assert CliRunner().invoke(app, ["deliveries", "--again", str(uuid4())]).exit_code == 2
    assert CliRunner().invoke(app, ["deliveries", "--again", "nonsense"]).exit_code == 2
    assert "某外卖平台" in CliRunner().invoke(app, ["deliveries"]).output


def test_a_neighbour_neither_sees_nor_changes_deliveries(
    waiting: list[dict[str, Any]], source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    neighbour, keeper = post(tree.shenzhen), post(tree.henan, Role.KEEPER)
    for name in ("set_webhook", "rotate_secret", "send_again"):
        address = reverse(f"passage:{name}", args=[source.source.public_id])
        assert signed_in(neighbour).post(address, {"webhook_url": ""}).status_code == 404
        assert signed_in(keeper).post(address, {"webhook_url": ""}).status_code == 403
    for staff in (neighbour, keeper):
        with pytest.raises(NotAllowed):
            set_webhook(staff=staff, source=source.source, url="")
        with pytest.raises(NotAllowed):
            rotate_webhook_secret(staff=staff, source=source.source)
        with pytest.raises(NotAllowed):
            send_again(staff=staff, source=source.source)
    with scope(union=tree.shenzhen.path):
        assert Delivery.objects.count() == 0
    with scope(union=tree.henan.path):
        assert Delivery.objects.count() == 3


def test_the_same_reminder_waits_once_however_often_it_is_recorded(waiting: list[dict[str, Any]], desk: Desk) -> None:
    record_reminders(desk.kept.passed)
    record_reminders([replace(each, public_id=uuid4()) for each in desk.kept.passed])

    assert Delivery.every.count() == 3
    assert delivery.BATCH >= 3
