"""The hot application as a process of its own, asked over loopback, with the database behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import PostMaker, UnionTree
from tests.database import database_url
from tests.places.conftest import PlaceMaker
from yizhan.passage.live_tokens import Watcher, make_token
from yizhan.passage.models import Reminder
from yizhan.passage.services.sources import NewKey, revoke_source
from yizhan.places.models import Place
from yizhan.unions.services.tree import move_union

pytestmark = pytest.mark.django_db(transaction=True)


def until(true: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := true():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail("waited in vain")


class Hot:
    """The process."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws"]
        command += [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--log-level",
            "warning",
            "yizhan.site.hot:application",
        ]
        self.process = subprocess.Popen(command, env=self.environment(), start_new_session=True)
        try:
            until(lambda: self.get("/hot/readyz").status_code == 200)
        except BaseException:
            self.stop(signal.SIGKILL)  # nobody else would
            raise

    @staticmethod
    def environment() -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "DATABASE_URL": database_url(),
        }

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            if how == signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
            self.process.wait(30)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=10)

    def post(self, key: str, vehicle: str) -> httpx.Response:
        rows = [[vehicle, int(time.time() * 1000), 113.62, 34.7505, 5]]
        return httpx.post(
            self.address + "/api/pings",
            json={"datum": "WGS-84", "pings": rows},
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )


@pytest.fixture
def hot(place: Place, source: NewKey) -> Iterator[Hot]:
    process = Hot()
    yield process
    process.stop()


def test_a_day_in_the_life_of_the_hot_process(
    hot: Hot, place: Place, source: NewKey, post: PostMaker, tree: UnionTree, make_place: PlaceMaker
) -> None:
    # Staff watch while a vehicle passes, and the log is written beside it.
    token = make_token(Watcher(tree.zhongyuan.path))
    with httpx.stream("GET", f"{hot.address}/api/live/events?token={token}", timeout=20) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: hello"
        answer = hot.post(source.key, "甲")
        (reminder,) = answer.json()["reminders"]
        assert next(line for line in lines if line.startswith("event:")) == "event: reminder"
        shown = json.loads(next(lines).removeprefix("data: "))
    assert shown["id"] == reminder["id"]
    row = until(lambda: Reminder.log.filter(public_id=reminder["id"]).first())
    assert (row.place, row.union, row.source) == (place, tree.zhongyuan, source.source)
    assert "passage_reminders_total 1.0" in hot.get("/hot/metrics").text

    # Killed at once and started anew, it reminds nobody twice.
    hot.stop(signal.SIGKILL)
    hot.start()
    assert hot.post(source.key, "甲").json()["reminders"] == []
    assert len(hot.post(source.key, "乙").json()["reminders"]) == 1

    # A new place reminds as soon as it is published; a revoked key ends.
    make_place(tree.jinshui, lon=113.70, lat=34.75, hours="24/7")

    def reminded_of_the_new_place() -> list[dict[str, Any]]:
        rows = [[f"丙{time.monotonic_ns()}", int(time.time() * 1000), 113.70, 34.75]]
        body = {"datum": "WGS-84", "pings": rows}
        return httpx.post(
            hot.address + "/api/pings", json=body, headers={"Authorization": f"Bearer {source.key}"}
        ).json()["reminders"]

    until(reminded_of_the_new_place)
    revoke_source(staff=post(tree.henan), source=source.source)
    until(lambda: hot.post(source.key, "甲").status_code == 401)

    # A union that moves in the tree takes its reminders with it: who watched its old place sees them no more.
    assert hot.get(f"/api/live/roads.geojson?token={token}").json()["code"] == "no_roads"
    move_union(actor=post(tree.henan), union=tree.shifo, to=tree.jinshui)
    until(lambda: hot.get(f"/api/live/roads.geojson?token={token}").json()["code"] == "token_expired")

    # It ends in order, and what waited has been written.
    hot.stop()
    assert hot.process.returncode in (0, -signal.SIGTERM)
    assert Reminder.log.filter(place=place).count() == 2
