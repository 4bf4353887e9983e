"""Reminders pushed to the phones of our own app's users, against a local stand-in of a push service."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone, translation
from py_vapid import Vapid02
from pytest_django import Settings

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk, bearer, run
from tests.passage.test_pings_door import passing
from yizhan.passage.models import Notice, Phone
from yizhan.passage.runtime.pushes import Pusher
from yizhan.passage.services import phones
from yizhan.passage.services.log import record_reminders
from yizhan.passage.services.phones import NoSuchPhone
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.webhooks import Reach, Receivers

pytestmark = pytest.mark.django_db(transaction=True)


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Service:
    """What the browser's maker runs: takes sealed notices, and answers as the test says."""

    url: str = ""
    status: int = 201
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = b"0123456789abcdef"
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def subscription(self) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.url, "keys": {"p256dh": b64(point), "auth": b64(self.secret)}}

    def read(self) -> list[dict[str, Any]]:
        """The notices as the phone opens them."""
        return [
            json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"))
            for _headers, body in self.got
        ]


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/push/abc"
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    yield found
    server.shutdown()
    server.server_close()


def paired(service: Service, source: NewKey, vehicle: str = "甲-17") -> phones.Registered:
    made = phones.register(service.subscription)
    phones.pair(source.source, vehicle, code=made.code)
    return made


def remind(desk: Desk, source: NewKey, vehicle: str = "甲-17") -> None:
    """A passage now, written as the writer writes it."""
    desk.clock.now = timezone.now().timestamp()
    desk.stream.read_wishes()
    assert desk.post(source.key, passing(desk.clock, vehicle)).json()["reminders"]
    record_reminders(desk.kept.passed)
    desk.clock.now += 1


def push(clock: Clock) -> None:
    run(Pusher(clock=clock, receivers=lambda: Receivers(Reach((ip_network("127.0.0.0/8"),)))).once())


def test_a_paired_phone_is_pushed_its_vehicles_reminder_sealed_and_signed(
    desk: Desk, source: NewKey, service: Service, place: Place, clock: Clock
) -> None:
    paired(service, source)
    remind(desk, source)
    remind(desk, source, "乙-3")  # nobody's phone
    assert Notice.every.count() == 1

    push(clock)

    (told,) = service.read()
    assert told["title"] == "枫杨驿站"
    assert told["url"] == f"/places/{place.public_id}/"
    (headers, body), *_ = service.got
    assert "枫杨".encode() not in body
    assert headers["authorization"].startswith("vapid t=")
    assert Vapid02.verify(headers["authorization"])
    assert (headers["content-encoding"], headers["ttl"]) == ("aes128gcm", "600")
    assert not Notice.every.exists()
    push(clock)
    assert len(service.got) == 1


@pytest.mark.parametrize(("language", "said"), [("zh-hans", "路过提醒：距离约 "), ("en", "On your way: about ")])
def test_a_phone_is_told_in_the_language_in_which_it_registered(
    desk: Desk, source: NewKey, service: Service, place: Place, clock: Clock, language: str, said: str
) -> None:
    with translation.override(language):
        paired(service, source)
    remind(desk, source)

    push(clock)

    (told,) = service.read()
    assert told["body"].startswith(said)


def test_a_phone_that_its_browser_withdrew_is_forgotten(
    desk: Desk, source: NewKey, service: Service, clock: Clock
) -> None:
    paired(service, source)
    remind(desk, source)
    service.status = 410

    push(clock)

    assert not Phone.every.exists()
    assert not Notice.every.exists()


def test_a_service_that_fails_is_asked_again_and_a_stale_notice_is_dropped(
    desk: Desk, source: NewKey, service: Service, clock: Clock
) -> None:
    paired(service, source)
    remind(desk, source)
    service.status = 503
    push(clock)
    push(clock)  # not yet due
    assert len(service.got) == 1

    clock.now += 6
    push(clock)
    assert len(service.got) == 2
    clock.now += 11 * 60
    service.status = 201
    push(clock)

    assert len(service.got) == 2
    assert not Notice.every.exists()


def test_the_address_and_the_code_are_not_to_be_read_in_the_database(service: Service, source: NewKey) -> None:
    made = paired(service, source)

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT passage_phone::text FROM passage_phone")
        (row,) = cursor.fetchone()
    for secret in (service.url, made.token, made.code, "甲-17"):
        assert secret not in row


def test_a_code_pairs_one_vehicle_once_and_only_while_it_holds(
    service: Service, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    other = create_source(staff=post(tree.henan), union=tree.henan, name="另一家")
    made = phones.register(service.subscription)
    phones.pair(source.source, "甲-17", code=made.code)
    phones.pair(source.source, "甲-17", code=made.code)  # sent again
    for stranger in (lambda: phones.pair(other.source, "甲-17", code=made.code),
                     lambda: phones.pair(source.source, "乙-3", code=made.code),
                     lambda: phones.pair(source.source, "甲-17", code="00000000")):  # fmt: skip
        with pytest.raises(RuleBroken):
            stranger()

    late = phones.register(service.subscription)
    Phone.every.filter(pk=late.phone.pk).update(code_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(RuleBroken, match="10"):
        phones.pair(source.source, "甲-17", code=late.code)


def test_a_vehicle_has_five_phones_at_most(service: Service, source: NewKey) -> None:
    for _ in range(5):
        paired(service, source)

    with pytest.raises(RuleBroken):
        paired(service, source)


def test_who_never_paired_is_forgotten(service: Service) -> None:
    old = phones.register(service.subscription)
    Phone.every.filter(pk=old.phone.pk).update(created_at=timezone.now() - timedelta(hours=2))

    phones.register(service.subscription)

    with pytest.raises(NoSuchPhone):
        phones.phone_of(old.token)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example.com/a"},
        {"endpoint": "https://127.0.0.1/a"},
        {"endpoint": "javascript:alert(1)"},
        {"endpoint": None},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": None},
    ],
)
def test_what_is_no_subscription_is_refused(change: dict[str, Any]) -> None:
    keys = {"p256dh": b64(b"\x04" + b"1" * 64), "auth": b64(b"1" * 16)}

    with pytest.raises(RuleBroken):
        phones.register({"endpoint": "https://push.example.com/a", "keys": keys, **change})


def test_by_the_api_a_phone_registers_is_paired_by_its_fleet_asks_and_is_forgotten(
    client: Client, service: Service, source: NewKey
) -> None:
    made = client.post("/api/phones", service.subscription, content_type="application/json")
    assert made.status_code == 201, made.content
    mine = {"Authorization": f"Bearer {made.json()['token']}"}
    assert client.get("/api/phones/me", headers=mine).json()["paired"] is False

    fleet = {"content_type": "application/json", "headers": bearer(source.key)}
    body = {"code": made.json()["code"]}
    assert client.post("/api/fleets/vehicles/甲-17/phones", body, **fleet).status_code == 204
    assert client.get("/api/phones/me", headers=mine).json()["paired"] is True
    assert client.post("/api/fleets/vehicles/甲-17/phones", {"code": "12345678"}, **fleet).status_code == 422
    assert client.post("/api/fleets/vehicles/甲-17/phones", body, content_type="application/json").status_code == 401
    assert client.delete("/api/phones/me", headers=mine).status_code == 204
    assert client.get("/api/phones/me", headers=mine).status_code == 401
    assert not Phone.every.exists()
