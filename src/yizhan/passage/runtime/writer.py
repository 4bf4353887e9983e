"""Writes reminders to the log, and tells when they are in it: only then may they go out."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, DataError, IntegrityError, close_old_connections, connection

from yizhan.passage.services.log import Passed, record_reminders, record_those_that_fit

from . import metrics

log = logging.getLogger("yizhan.passage.writer")

MOST_WAITING = 200_000
GROUP = 5_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class NotWritten(Exception):
    """The reminders did not reach the log, and will not: the process ends."""


@dataclass(slots=True)
class _Unit:
    """The reminders of one batch of pings: they are written together or not at all."""

    passed: Sequence[Passed]
    written: Future[set[UUID]] = field(default_factory=Future)


class Writer:
    """A thread with a queue. What came while it wrote is written next, in one transaction: many batches, one commit.

    Batches are committed in the order in which they came. A failing database is tried again and again; nothing is
    dropped, and who hands over asks `is_full` before they make more.

    Args:
        record: writes reminders, all or nothing, and returns the ids that the log holds; repeats must do no harm.
        record_singly: as `record`, but leaves out those that the database refuses.
        most_waiting: how many reminders may wait before `is_full`.
    """

    def __init__(
        self,
        record: Callable[[Sequence[Passed]], set[UUID]] = record_reminders,
        record_singly: Callable[[Sequence[Passed]], set[UUID]] = record_those_that_fit,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._record, self._record_singly = record, record_singly
        self._most_waiting = most_waiting
        self._waiting: deque[_Unit] = deque()
        self._rows = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._stop_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="passage-writer", daemon=True)

    @property
    def is_full(self) -> bool:
        """Whether so many reminders wait that no more should be made."""
        return self._rows >= self._most_waiting

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, passed: Sequence[Passed]) -> Future[set[UUID]]:
        """Hand over the reminders of one batch; returns at once.

        Returns:
            Done once they are in the log, with the ids that are: a passage that another id stands for is not among
            them. Fails with `NotWritten` if the process ends before.
        """
        unit = _Unit(passed)
        if not passed:
            unit.written.set_result(set())
            return unit.written
        with self._wake:
            self._waiting.append(unit)
            self._rows += len(passed)
            metrics.WAITING.set(self._rows)
            self._wake.notify_all()
        return unit.written

    def stop(self, timeout_s: float = 8.0) -> None:
        """Write what waits, as far as the time allows, and end."""
        with self._wake:
            self._stopping = True
            self._stop_by = time.monotonic() + timeout_s
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 1)

    def _run(self) -> None:
        while group := self._next_group():
            self._write(group)
        connection.close()

    def _next_group(self) -> list[_Unit]:
        """What waits, whole batches, about `GROUP` reminders; empty when it is time to end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping)
            group: list[_Unit] = []
            rows = 0
            while self._waiting and (not group or rows + len(self._waiting[0].passed) <= GROUP):
                group.append(self._waiting.popleft())
                rows += len(group[-1].passed)
            return group

    def _write(self, group: list[_Unit]) -> None:
        passed = [each for unit in group for each in unit.passed]
        record, pause_s = self._record, FIRST_PAUSE_S
        while True:
            close_old_connections()
            try:
                began = time.perf_counter()
                recorded = record(passed)
            except (IntegrityError, DataError) as refusal:
                if record is self._record:
                    # One row that the database refuses (its place is gone) must not take the others with it.
                    record = self._record_singly
                    continue
                self._settle(group, refusal=refusal)
                return
            except DatabaseError as failure:
                metrics.WRITE_FAILURES.inc()
                log.warning("the reminder log cannot be written", extra={"error": type(failure).__name__})
                connection.close()
                if self._pause(pause_s):
                    self._settle(group, refusal=NotWritten())
                    return
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            except Exception as failure:
                log.exception("the reminder log cannot be written")
                self._settle(group, refusal=failure)
                return
            else:
                metrics.COMMIT_SECONDS.observe(time.perf_counter() - began)
                self._settle(group, recorded=recorded)
                return

    def _settle(
        self, group: list[_Unit], *, recorded: set[UUID] | None = None, refusal: Exception | None = None
    ) -> None:
        for unit in group:
            with self._wake:
                self._rows -= len(unit.passed)
                metrics.WAITING.set(self._rows)
            if recorded is None:
                metrics.DROPPED.labels("stopped" if isinstance(refusal, NotWritten) else "refused").inc(
                    len(unit.passed)
                )
                unit.written.set_exception(refusal or NotWritten())
                continue
            own = {each.public_id for each in unit.passed} & recorded
            metrics.WRITTEN.inc(len(own))
            if left := len(unit.passed) - len(own):
                metrics.DROPPED.labels("refused").inc(left)
                log.warning("the reminder log does not take every reminder", extra={"left_out": left})
            unit.written.set_result(own)

    def _pause(self, seconds: float) -> bool:
        """Wait; whether it is time to give up because the process ends."""
        end = time.monotonic() + seconds
        with self._wake:
            while (left := min(end, self._stop_by) - time.monotonic()) > 0:
                self._wake.wait(left)
            return time.monotonic() >= self._stop_by
