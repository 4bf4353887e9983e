"""The reminder log: nothing goes out before it is in there, and it is the stream's whole state."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
import time_machine
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django_scopes import scope

from tests.conftest import UnionTree
from tests.passage.conftest import Clock, Desk, bearer
from tests.passage.test_pings_door import passing
from yizhan.passage import models as passage_models
from yizhan.passage.models import Reminder
from yizhan.passage.runtime import stream as streams
from yizhan.passage.runtime import writer as writers
from yizhan.passage.runtime.batches import Answers, Judged, Reminding
from yizhan.passage.runtime.world import PlaceSeen
from yizhan.passage.runtime.writer import NotWritten, Writer
from yizhan.passage.services.log import Passed, record_reminders, record_those_that_fit
from yizhan.passage.services.sources import NewKey
from yizhan.places.models import Place


@pytest.fixture
def passed(place: Place, source: NewKey) -> Passed:
    return Passed(
        public_id=uuid4(),
        vehicle=-17,
        place=place.pk,
        union=place.union_id,
        source=source.source.pk,
        passed_at=datetime(2025, 11, 27, 4, tzinfo=UTC),
        distance_m=111.5,
        is_simulated=False,
    )


def test_the_same_passage_recorded_twice_is_one_reminder(passed: Passed) -> None:
    record_reminders([passed])
    record_reminders([replace(passed, public_id=uuid4()), replace(passed, vehicle=18, public_id=uuid4())])

    assert sorted(Reminder.log.values_list("vehicle", flat=True)) == [-17, 18]


def test_a_restart_reminds_nobody_twice(desk: Desk, source: NewKey, clock: Clock) -> None:
    assert len(desk.post(source.key, passing(clock)).json()["reminders"]) == 1
    record_reminders(desk.kept.passed)

    clock.now += 1800
    restarted = Desk(clock).read()
    assert restarted.post(source.key, passing(clock)).json()["reminders"] == []

    clock.now += 4 * 3600
    assert len(restarted.post(source.key, passing(clock)).json()["reminders"]) == 1


def test_without_the_log_the_restarted_stream_would_have_reminded_again(
    desk: Desk, source: NewKey, clock: Clock
) -> None:
    desk.post(source.key, passing(clock))

    clock.now += 1800
    assert len(Desk(clock).read().post(source.key, passing(clock)).json()["reminders"]) == 1


def test_reminders_of_a_neighbour_cannot_be_read(passed: Passed, tree: UnionTree) -> None:
    record_reminders([passed])

    with scope(union=tree.zhongyuan.path):
        assert Reminder.objects.count() == 1
    for neighbour in (tree.jinshui, tree.shifo, tree.shenzhen):
        with scope(union=neighbour.path):
            assert Reminder.objects.count() == 0


@pytest.mark.django_db
def test_there_is_no_column_that_could_hold_where_a_vehicle_was() -> None:
    telling = ("lon", "lat", "lng", "position", "point", "geo", "coord", "path", "trail")
    for model in (passage_models.Reminder, passage_models.PingSource, passage_models.PassageSettings):
        names = [
            column.name
            for column in connection.introspection.get_table_description(connection.cursor(), model._meta.db_table)
        ]
        assert not [name for name in names if any(word in name.split("_") for word in telling)]
        assert not [f for f in model._meta.get_fields() if isinstance(f, models.JSONField | models.BinaryField)]


def test_no_position_and_no_vehicle_reaches_the_logs(
    desk: Desk, source: NewKey, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    desk.post(source.key, [*passing(clock), ["甲-17", clock.ms, 34.751234, 113.6251234], ["甲-17", clock.ms, 0, 0]])
    desk.post(source.key, "nonsense 113.6251234")
    desk.stream.read_world()

    text = " ".join(str(vars(record)) for record in caplog.records)
    assert not any(telling in text for telling in ("113.6", "34.75", "甲-17", source.key))


@pytest.mark.parametrize("distance", [-1, 5_001, float("nan")])
def test_the_database_refuses_an_implausible_distance(passed: Passed, distance: float) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        record_reminders([replace(passed, distance_m=distance)])


def test_a_reminder_whose_place_is_gone_takes_no_other_of_its_batch_with_it(passed: Passed) -> None:
    good, gone = replace(passed, vehicle=1), replace(passed, vehicle=2, place=10**9, public_id=uuid4())

    assert record_those_that_fit([gone, good]) == {good.public_id}
    assert list(Reminder.log.values_list("vehicle", flat=True)) == [1]


def test_a_commit_of_which_nobody_knows_can_be_repeated(passed: Passed) -> None:
    assert record_reminders([passed]) == record_reminders([passed]) == {passed.public_id}
    assert record_reminders([replace(passed, public_id=uuid4())]) == set()


class Failing:
    """Fails so many times, then keeps."""

    def __init__(self, times: int, error: type[Exception] = OperationalError) -> None:
        self.times, self.error = times, error
        self.kept: list[Passed] = []

    def __call__(self, passed: Sequence[Passed]) -> set[UUID]:
        if self.times > 0:
            self.times -= 1
            raise self.error
        self.kept.extend(passed)
        return {each.public_id for each in passed}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(writers, "close_old_connections", lambda: None)
    monkeypatch.setattr(writers.connection, "close", lambda: None)


@pytest.mark.usefixtures("quick")
def test_the_writer_tries_again_until_the_database_is_back(passed: Passed) -> None:
    record = Failing(3)
    writer = Writer(record)
    writer.start()

    assert writer.put([passed]).result(10) == {passed.public_id}
    writer.stop()
    assert record.kept == [passed]


@pytest.mark.usefixtures("quick")
def test_one_reminder_that_the_database_refuses_takes_no_other_with_it(passed: Passed) -> None:
    good, bad = replace(passed, vehicle=1, public_id=uuid4()), replace(passed, vehicle=2, public_id=uuid4())
    other = replace(passed, vehicle=3, public_id=uuid4())

    def record_singly(batch: Sequence[Passed]) -> set[UUID]:
        return {each.public_id for each in batch if each is not bad}

    writer = Writer(Failing(10**9, IntegrityError), record_singly)
    writer.start()
    written = [writer.put([good, bad]), writer.put([other])]

    assert [each.result(10) for each in written] == [{good.public_id}, {other.public_id}]
    writer.stop()


@pytest.mark.usefixtures("quick")
def test_what_came_during_a_commit_is_committed_together_and_in_order(passed: Passed) -> None:
    hold, entered = threading.Event(), threading.Event()
    commits: list[list[int]] = []

    def record(batch: Sequence[Passed]) -> set[UUID]:
        entered.set()
        hold.wait(10)
        commits.append([each.vehicle for each in batch])
        return {each.public_id for each in batch}

    writer = Writer(record, most_waiting=4)
    writer.start()
    writer.put([replace(passed, vehicle=0)])
    assert entered.wait(10)
    written = [writer.put([replace(passed, vehicle=number)] * 2) for number in (1, 2)]
    assert writer.is_full
    assert not any(each.done() for each in written)
    hold.set()
    for each in written:
        each.result(10)

    assert commits == [[0], [1, 1, 2, 2]]
    assert not writer.is_full
    writer.stop()


@pytest.mark.usefixtures("quick")
def test_a_writer_that_ends_writes_what_is_waiting(passed: Passed) -> None:
    record = Failing(0)
    writer = Writer(record)
    written = [writer.put([replace(passed, vehicle=number)] * 10) for number in range(2000)]
    writer.start()
    writer.stop()

    assert len(record.kept) == 20_000
    assert all(each.done() for each in written)


@pytest.mark.usefixtures("quick")
def test_a_writer_that_ends_does_not_wait_for_ever_for_a_dead_database(passed: Passed) -> None:
    writer = Writer(Failing(10**9))
    writer.start()
    written = writer.put([passed])
    writer.stop(timeout_s=0.2)

    assert not writer._thread.is_alive()
    with pytest.raises(NotWritten):
        written.result(0)


class Slow:
    """A writer whose commits the test makes."""

    def __init__(self) -> None:
        self.is_full = False
        self.units: list[tuple[Sequence[Passed], Future[set[UUID]]]] = []

    def put(self, passed: Sequence[Passed]) -> Future[set[UUID]]:
        written: Future[set[UUID]] = Future()
        if passed:
            self.units.append((passed, written))
        else:
            written.set_result(set())
        return written

    def commit(self) -> None:
        for passed, written in self.units:
            written.set_result(record_reminders(passed))
        self.units.clear()


def test_nothing_goes_out_before_it_is_in_the_log(
    desk: Desk, source: NewKey, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = desk.stream.writer = Slow()  # type: ignore[assignment]
    monkeypatch.setattr(streams, "LONGEST_COMMIT_S", 0.05)
    watcher = desk.stream.watch("")
    rows = passing(clock)

    refused = desk.post(source.key, rows)
    assert (refused.status_code, refused.json()["code"]) == (503, "log")
    assert refused.headers["retry-after"]
    assert b"reminder" not in b"".join(event.frame for event in watcher.waiting)

    slow.commit()
    again = desk.post(source.key, rows)
    assert len(again.json()["reminders"]) == Reminder.log.count() == 1
    assert desk.post(source.key, [["elsewhere", clock.ms, 113.0, 34.0]]).status_code == 200


def test_a_full_queue_turns_batches_away_before_they_are_judged(desk: Desk, source: NewKey, clock: Clock) -> None:
    desk.kept.is_full = True
    assert desk.post(source.key, passing(clock)).json()["code"] == "busy"

    desk.kept.is_full = False
    assert len(desk.post(source.key, passing(clock)).json()["reminders"]) == 1


def test_a_batch_that_is_repeated_after_a_restart_gets_the_reminders_that_the_log_holds(
    desk: Desk, source: NewKey, clock: Clock
) -> None:
    rows = [*passing(clock), ["nowhere", clock.ms, 0, 0]]
    before = desk.post(source.key, rows).json()
    with time_machine.travel(clock.now, tick=False):
        record_reminders(desk.kept.passed)

    restarted = Desk(clock).read()
    after = restarted.post(source.key, rows).json()

    assert before["reminders"]
    assert after == before
    assert restarted.kept.passed == []


def test_a_key_of_the_senders_own_names_the_batch_in_and_across_restarts(
    desk: Desk, source: NewKey, clock: Clock
) -> None:
    def post(at: Desk, key: str, rows: list[list[object]]) -> httpx.Response:
        content = json.dumps({"datum": "WGS-84", "pings": rows}).encode()
        headers = bearer(source.key) | {"Idempotency-Key": key}
        return at.ask("POST", "/api/pings", content=content, headers=headers)

    first = post(desk, "batch 1", passing(clock)).json()
    assert post(desk, "batch 1", passing(clock)).json() == first
    other = post(desk, "batch 1", passing(clock, "乙"))
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert post(desk, "x" * 256, []).json()["code"] == "key_too_long"
    with time_machine.travel(clock.now, tick=False):
        record_reminders(desk.kept.passed)

    restarted = Desk(clock).read()
    assert post(restarted, "batch 1", passing(clock, "乙")).status_code == 422
    assert post(restarted, "batch 1", passing(clock)).json()["reminders"] == first["reminders"]


def test_answers_are_kept_within_bounds_and_none_that_still_waits_is_forgotten(passed: Passed, place: Place) -> None:
    seen = PlaceSeen(place.pk, place.public_id, place.name, place.union_id, "", 113.6, 34.7)
    answers = Answers(most_reminders=3, most_without=2)
    done: Future[set[UUID]] = Future()
    done.set_result(set())

    def judged(written: Future[set[UUID]], reminders: int = 1) -> Judged:
        return Judged(b"", 1, [], 0, [Reminding(passed, seen, "甲")] * reminders, written)

    keys = [uuid4() for _ in range(5)]
    for key in keys:
        answers.keep(key, judged(done))
        answers.keep(uuid4(), judged(done, reminders=0))
    assert [answers.get(key) is not None for key in keys] == [False, False, True, True, True]

    held, waiting = uuid4(), Future[set[UUID]]()
    answers.keep(held, judged(waiting))
    for _ in range(5):
        answers.keep(uuid4(), judged(done))
    assert answers.get(held) is not None
    waiting.set_exception(NotWritten())
    assert answers.get(held) is None
