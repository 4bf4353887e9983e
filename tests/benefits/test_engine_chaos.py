"""Many clients, a nearly spent budget, requests repeated, reordered and lost, a server killed again and again.

The server is a real one (Granian) in processes of its own, the database a real one with commits. Sizes come from the
environment: YIZHAN_TEST_CHAOS_CLIENTS, YIZHAN_TEST_CHAOS_KILLS, YIZHAN_TEST_CHAOS_MEALS.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.benefits.conftest import Kitchen, spent
from tests.database import database_url
from yizhan.benefits.books import verify_books
from yizhan.benefits.models import BenefitOffer, Entry, LedgerTransaction, Redemption, Span
from yizhan.benefits.refusals import Refused
from yizhan.benefits.services.redeeming import redeem
from yizhan.benefits.services.sealing import seal_all
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import OPERATOR, Role

CLIENTS = int(os.environ.get("YIZHAN_TEST_CHAOS_CLIENTS", "8"))
KILLS = int(os.environ.get("YIZHAN_TEST_CHAOS_KILLS", "2"))
MEALS = int(os.environ.get("YIZHAN_TEST_CHAOS_MEALS", "60"))
FEN = 400
PATIENCE_S = 900.0  # a restart takes long where the machine is busy with other tests
LOCK = threading.Lock()


class Server:
    """Granian with two workers; killed with SIGKILL, children and all, and started again."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "yizhan.site.settings",
            "YIZHAN_BASE_URL": f"http://127.0.0.1:{self.port}",
            "YIZHAN_REQUIRE_SECOND_FACTOR": "0",
        }
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--no-ws"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "critical"]
        self.process = subprocess.Popen(
            [*command, "yizhan.site.wsgi:application"], env=self.environment, start_new_session=True
        )

    def wait(self) -> None:
        end = time.monotonic() + 180
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        pytest.fail("the server does not come up")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


class Counter(threading.Thread):
    """One client: asks again until it is answered, now and then twice at once, or walks away before the answer."""

    def __init__(self, number: int, server: Server, todo: list[dict[str, Any]], cookie: str) -> None:
        super().__init__(daemon=True)
        self.server, self.todo, self.cookie = server, todo, cookie
        self.chance = random.Random(number)  # noqa: S311 - a test, not a secret
        self.answers: dict[UUID, tuple[int, dict[str, Any]]] = {}

    def run(self) -> None:
        while True:
            with LOCK:
                if not self.todo:
                    return
                asked = self.todo.pop(self.chance.randrange(len(self.todo)))
            if self.chance.random() < 0.15:
                self.send(asked, wait=False)
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                answer = self.send(asked)
                if answer is not None and answer[0] in {200, 409}:
                    self.answers[UUID(asked["request_id"])] = answer
                    break
                time.sleep(0.1)

    def send(self, asked: dict[str, Any], *, wait: bool = True) -> tuple[int, dict[str, Any]] | None:
        line = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        token = "t" * 32
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"sessionid={self.cookie}; csrftoken={token}",
            "X-CSRFToken": token,
        }
        try:
            line.request("POST", "/api/benefits/redemptions", json.dumps(asked), headers)
            if not wait:
                return None
            answer = line.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else {}
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            line.close()


@pytest.mark.django_db(transaction=True)
def test_exactly_the_affordable_meals_come_out_whatever_is_repeated_lost_or_killed(kitchen: Kitchen) -> None:
    offer, budget, riders, keeper = _town(kitchen)
    client = Client()
    client.force_login(keeper.user)
    cookie = client.cookies["sessionid"].value
    todo = [
        {
            "offer": str(offer.public_id),
            "worker": str(riders[number % len(riders)].public_id),
            "request_id": str(uuid4()),
            "device": f"counter-{number % 5}",
        }
        for number in range(MEALS + MEALS // 2)
    ]
    todo += [dict(asked) for asked in todo[::3]]  # sent by two counters, perhaps at once
    expected = {UUID(asked["request_id"]) for asked in todo}
    server = Server()
    try:
        server.wait()
        counters = [Counter(number, server, todo, cookie) for number in range(CLIENTS)]
        for counter in counters:
            counter.start()
        chance = random.Random(7)  # noqa: S311 - a test, not a secret
        for _kill in range(KILLS):
            time.sleep(0.2 + chance.random() * 0.8)
            server.kill()
            server.start()
            server.wait()
        for counter in counters:
            counter.join(PATIENCE_S + 60)
            assert not counter.is_alive()
    finally:
        server.kill()
    _nothing_lost_or_doubled(counters, expected, offer)
    assert spent(budget) == MEALS * FEN
    seal_all()
    found = verify_books()
    assert found.problems == []
    assert found.transactions == MEALS


def _town(kitchen: Kitchen) -> tuple[BenefitOffer, Any, list[Worker], Staff]:
    offer = kitchen.offer()
    budget = kitchen.budget(offer, MEALS * FEN + FEN - 1, shards=16)
    kitchen.budget(offer, MEALS * FEN * 2, span=Span.DAY, shards=7)
    riders = [kitchen.worker(kitchen.tree.shifo) for _rider in range(24)]
    return offer, budget, riders, kitchen.post(kitchen.tree.zhongyuan, Role.KEEPER)


def _nothing_lost_or_doubled(counters: list[Counter], expected: set[UUID], offer: BenefitOffer) -> None:
    told: dict[UUID, set[str]] = {}
    refused: set[UUID] = set()
    for counter in counters:
        for request, (status, body) in counter.answers.items():
            if status == 200:
                told.setdefault(request, set()).add(body["id"])
            else:
                assert body["code"] == "not_eligible", body
                refused.add(request)
    rows = Redemption.objects.with_scopes_disabled().filter(programme=offer.programme)
    kept = {row.request_id: str(row.public_id) for row in rows}
    assert rows.count() == len(kept) == MEALS
    assert set(told) | refused == expected  # everyone was answered in the end
    assert all(names == {kept[request]} for request, names in told.items())  # and always with the same redemption
    assert set(kept) <= set(told) | refused
    booked = LedgerTransaction.objects.with_scopes_disabled().filter(programme=offer.programme)
    assert booked.count() == MEALS
    assert Entry.objects.with_scopes_disabled().filter(transaction__in=booked).count() == MEALS * 4


@pytest.mark.django_db(transaction=True)
def test_the_last_meal_of_a_budget_in_many_shares_goes_to_exactly_one_of_many_at_once(kitchen: Kitchen) -> None:
    """No request is refused while money is left: 16 threads, a budget for 40 meals in 32 shares, 64 asking."""
    offer = kitchen.offer()
    budget = kitchen.budget(offer, 40 * FEN + 3, shards=32)
    riders = [kitchen.worker() for _rider in range(16)]
    granted: list[int] = []
    refusals: list[str] = []
    barrier = threading.Barrier(16)

    def eat(rider: Worker) -> None:
        barrier.wait(60)
        for _meal in range(4):
            try:
                redeem(offer=offer, worker=rider, request_id=uuid4(), device="d", actor=OPERATOR, at=timezone.now())
                granted.append(1)
            except Refused as refused:
                refusals.append(refused.code)
        connection.close()

    threads = [threading.Thread(target=eat, args=(rider,)) for rider in riders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(granted) == 40
    assert refusals == ["budget"] * 24
    assert spent(budget) == 40 * FEN
    assert verify_books().problems == []
