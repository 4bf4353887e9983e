"""The reminder log: written beside the stream, and the stream's whole state."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django_scopes import scope

from tests.conftest import UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_pings_door import passing
from yizhan.passage import models as passage_models
from yizhan.passage.models import Reminder
from yizhan.passage.runtime import metrics
from yizhan.passage.runtime import writer as writers
from yizhan.passage.runtime.writer import Writer
from yizhan.passage.services.log import Passed, record_reminders
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


class Failing:
    """Fails so many times, then keeps."""

    def __init__(self, times: int, error: type[Exception] = OperationalError) -> None:
        self.times, self.error = times, error
        self.kept: list[Passed] = []

    def __call__(self, passed: Sequence[Passed]) -> int:
        if self.times > 0:
            self.times -= 1
            raise self.error
        self.kept.extend(passed)
        return len(passed)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(writers, "close_old_connections", lambda: None)
    monkeypatch.setattr(writers.connection, "close", lambda: None)


def written_by(record: Failing | object, passed: Sequence[Passed], *, most_waiting: int = 1000) -> None:
    writer = Writer(record, most_waiting=most_waiting)  # type: ignore[arg-type]
    writer.start()
    writer.put(passed)
    assert writer.wait_until_written()
    writer.stop()


@pytest.mark.usefixtures("quick")
def test_the_writer_tries_again_until_the_database_is_back(passed: Passed) -> None:
    record = Failing(3)

    written_by(record, [passed])

    assert record.kept == [passed]


@pytest.mark.usefixtures("quick")
def test_one_reminder_that_the_database_refuses_takes_no_other_with_it(passed: Passed) -> None:
    good, bad = replace(passed, vehicle=1), replace(passed, vehicle=2)
    kept: list[Passed] = []

    def record(batch: Sequence[Passed]) -> int:
        if bad in batch:
            raise IntegrityError
        kept.extend(batch)
        return len(batch)

    written_by(record, [good, bad, replace(good, vehicle=3)])

    assert [each.vehicle for each in kept] == [1, 3]


@pytest.mark.usefixtures("quick")
def test_a_full_queue_drops_what_comes_and_counts_it(passed: Passed) -> None:
    hold, entered = threading.Event(), threading.Event()
    kept: list[Passed] = []

    def record(batch: Sequence[Passed]) -> int:
        entered.set()
        hold.wait(10)
        kept.extend(batch)
        return len(batch)

    before = metrics.DROPPED.labels("queue_full")._value.get()
    writer = Writer(record, most_waiting=3)
    writer.start()
    writer.put([passed])
    assert entered.wait(10)
    writer.put([passed] * 5)
    hold.set()
    assert writer.wait_until_written()
    writer.stop()

    assert len(kept) == 4
    assert metrics.DROPPED.labels("queue_full")._value.get() - before == 2


@pytest.mark.usefixtures("quick")
def test_a_writer_that_ends_writes_what_is_waiting(passed: Passed) -> None:
    record = Failing(0)
    writer = Writer(record)
    writer.put([replace(passed, vehicle=number) for number in range(5000)])
    writer.start()
    writer.stop()

    assert len(record.kept) == 5000


@pytest.mark.usefixtures("quick")
def test_a_writer_that_ends_does_not_wait_for_ever_for_a_dead_database(passed: Passed) -> None:
    writer = Writer(Failing(10**9))
    writer.start()
    writer.put([passed])
    writer.stop(timeout_s=0.2)

    assert not writer._thread.is_alive()
