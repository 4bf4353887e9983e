"""The stream is killed at random moments under load; its reminders are those of a run that nobody killed.

`YIZHAN_TEST_KILLS` says how often: 3 unless it is set, 50 for the long run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_hot_process import Hot
from tests.places.conftest import PlaceMaker
from yizhan.passage.models import Reminder
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import NewKey, create_source

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = int(os.environ.get("YIZHAN_TEST_KILLS", "3"))
PLACES, VEHICLES = 6, 40
EVERY_S, MPS, METRES_PER_LON = 5, 15.0, 91_300.0


def cohort(name: str, began_ms: int, seed: int) -> Iterator[bytes]:
    """Bodies of batches: vehicles that drive past all places in a row, and back."""
    numbers = np.random.default_rng(seed)
    beside = numbers.uniform(-0.0022, 0.0022, VEHICLES)  # degrees of latitude: within 250 m of the places
    ahead = numbers.uniform(0, 600, VEHICLES)  # metres
    length = (PLACES + 1) * 1_800.0
    steps = int(2 * length / MPS / EVERY_S)
    for step in range(0, steps, 2):
        rows: list[list[Any]] = []
        for now in (step, step + 1):
            driven = now * EVERY_S * MPS + ahead
            metres = np.where(driven < length, driven, 2 * length - driven) - 1_800.0
            for k in range(VEHICLES):
                lon, lat = 113.62 + metres[k] / METRES_PER_LON, 34.75 + beside[k]
                rows.append(
                    [f"{name}-{k}", began_ms + now * EVERY_S * 1000, round(float(lon), 6), round(float(lat), 6)]
                )
        yield json.dumps({"datum": "WGS-84", "pings": rows}).encode()


class Sender(threading.Thread):
    """A fleet's server: one batch after another, each until it is answered."""

    def __init__(self, address: str, key: str, name: str, began_ms: int) -> None:
        super().__init__(daemon=True)
        self._address, self._key, self._name, self._began_ms = address, key, name, began_ms
        self.enough = threading.Event()
        self.sent: list[bytes] = []
        self.told: list[str] = []
        self.repeated = 0

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            number += 1
            for body in cohort(f"{self._name}{number}", self._began_ms, number):
                self.sent.append(body)
                self.told += [each["id"] for each in self._answer(body)["reminders"]]

    def _answer(self, body: bytes) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        while True:
            try:
                answer = httpx.post(self._address + "/api/pings", content=body, headers=headers, timeout=30)
                if answer.status_code == 200:
                    return answer.json()  # type: ignore[no-any-return]
                assert answer.status_code == 503, answer.text
            except httpx.TransportError:
                self.repeated += 1
            time.sleep(0.05)


@pytest.mark.parametrize("longest_silence_s", [0, 120], ids=["points", "paths"])
def test_reminders_are_those_of_a_run_that_nobody_killed(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, longest_silence_s: int
) -> None:
    administrator = post(tree.henan)
    for k in range(PLACES):
        make_place(tree.zhongyuan, name=f"驿站{k}", lon=113.62 + k * 1_800 / METRES_PER_LON, lat=34.75, hours="24/7")
    values = {"radius_m": 300, "cool_down_s": 4 * 3600, "gap_s": 0, "max_speed_kmh": 150}
    values |= {"still_open_s": 0, "silent_above_kmh": 0, "quiet_from_min": 0, "quiet_until_min": 0}
    values["max_segment_gap_s"] = longest_silence_s
    set_rules(staff=administrator, union=tree.henan, reminders_on=True, unknown_hours_remind=False, values=values)
    sources = [create_source(staff=administrator, union=tree.henan, name=name) for name in ("甲", "乙")]
    now = time.time()

    senders = _kill_under_load(sources, round((now - 20 * 3600) * 1000))

    rows = list(Reminder.log.all())
    logged = {(row.vehicle, row.place_id): (row.passed_at, row.distance_m) for row in rows}
    Reminder.log.all().delete()  # the other run begins with nothing, too
    uninterrupted = Desk(Clock(now)).read()
    for source, sender in zip(sources, senders, strict=True):
        for body in sender.sent:
            headers = {"Authorization": f"Bearer {source.key}"}
            assert uninterrupted.ask("POST", "/api/pings", content=body, headers=headers).status_code == 200
    expected = {(each.vehicle, each.place): (each.passed_at, each.distance_m) for each in uninterrupted.kept.passed}

    # No reminder twice, none missing: neither in the log nor among what the senders were told.
    assert len(uninterrupted.kept.passed) == len(expected) > 0
    assert len(rows) == len(logged)
    assert logged.keys() == expected.keys()
    told = [each for sender in senders for each in sender.told]
    assert sorted(told) == sorted(str(row.public_id) for row in rows)
    if longest_silence_s == 0:
        assert logged == expected
    else:
        # Positions are not stored: the first ping after a restart counts alone, so a passage may lie a ping later.
        late = [logged[key][0] - expected[key][0] for key in logged if logged[key] != expected[key]]
        assert all(abs(each) <= timedelta(seconds=EVERY_S) for each in late)
        assert len(late) <= (KILLS + 1) * VEHICLES * len(senders)


def _kill_under_load(sources: list[NewKey], began_ms: int) -> list[Sender]:
    """Senders that were answered all their batches by a process that was killed again and again."""
    hot = Hot()
    chance = random.Random(KILLS)  # noqa: S311 - not a secret
    names = ("甲", "乙")
    senders = [Sender(hot.address, made.key, name, began_ms) for made, name in zip(sources, names, strict=True)]
    try:
        for sender in senders:
            sender.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.7))
            hot.stop(signal.SIGKILL)
            hot.start()
        for sender in senders:
            sender.enough.set()
        for sender in senders:
            sender.join(120)
            assert not sender.is_alive()
    finally:
        hot.stop()
    assert sum(sender.repeated for sender in senders) >= KILLS
    return senders
