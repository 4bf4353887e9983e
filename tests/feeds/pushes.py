"""Partners to push to, and receivers that behave as they are told."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import time_machine

from yizhan.feeds.models import Listing, Partner
from yizhan.feeds.presets import PRESETS
from yizhan.feeds.pushing.pusher import Pusher
from yizhan.feeds.services.partner_rules import PartnerFacts, facts_of
from yizhan.feeds.services.partners import NewKey, create_partner
from yizhan.feeds.services.sequence import sequence_changes
from yizhan.places.models import Place
from yizhan.unions.models import Union
from yizhan.unions.rights import OPERATOR
from yizhan.unions.webhooks import Reach

HERE = Reach(networks=(ip_network("127.0.0.0/8"),))
NOW = 1_795_600_000.0  # 25 November 2026


@dataclass
class Receiver:
    """A server of a partner: keeps what it got, answers what it is told to."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes, str]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    fails: float = 0.0  # share of requests that are answered 500
    loses: float = 0.0  # share that is answered as told, but lost
    hold: threading.Event | None = None
    answer: Callable[[str, dict[str, str], bytes], tuple[int, bytes]] | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        with self.lock:
            if self.chance.random() < self.fails:
                return 500, b"try again"
            if self.answer is not None:
                status, said = self.answer(path, headers, body)
            else:
                status, said = self.status, self.body
            if self.chance.random() >= self.loses:
                self.got.append((headers, body, path))
            return status, said

    def events(self) -> list[dict[str, Any]]:
        return [event for _headers, body, _path in self.got for event in json.loads(body)]

    def shown(self) -> dict[str, dict[str, Any]]:
        """What a receiver shows that keeps, of each place, what bears the largest number."""
        latest: dict[str, dict[str, Any]] = {}
        for event in self.events():
            if "subject" not in event:
                continue  # a test
            known = latest.get(event["subject"])
            if known is None or int(event["sequence"]) >= int(known["sequence"]):
                latest[event["subject"]] = event
        return {key: event["data"] for key, event in latest.items() if event["type"].endswith("shown")}


@contextmanager
def serving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if receiver.hold is not None:
                receiver.hold.wait(30)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = receiver.take(self.path, headers, body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/places"
    try:
        yield receiver
    finally:
        if receiver.hold:
            receiver.hold.set()
        server.shutdown()
        server.server_close()


class Clock:
    """Seconds since 1970, moved by the test."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def a_partner(union: Union, *, preset: str = "generic", name: str = "某地图", **facts: Any) -> NewKey:
    """A partner of `union`, made as the desk makes it."""
    known = facts_of(PRESETS[preset], name=name)
    values = {name: getattr(known, name) for name in PartnerFacts.__slots__}
    return create_partner(staff=OPERATOR, union=union, preset=preset, facts=PartnerFacts(**{**values, **facts}))


def verify(*places: Place) -> None:
    """Somebody has looked at the places; what that writes."""
    from django.utils import timezone

    Place.objects.with_scopes_disabled().filter(pk__in=[place.pk for place in places]).update(
        verified_at=timezone.now()
    )


def push(clock: Clock, *, rounds: int = 1) -> int:
    """Send what is due, as one worker does, at the time of `clock`; the number of requests."""
    requests = 0
    with time_machine.travel(clock.now, tick=True):
        sequence_changes()
        for _round in range(rounds):
            requests += Pusher(clock=clock, reach=HERE).once()
    return requests


def listing(partner: Partner, place: Place) -> Listing:
    found: Listing = Listing.every.get(partner=partner, place=place)
    return found
