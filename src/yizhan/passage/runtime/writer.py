"""Writes reminders to the log, beside the stream and never in its way."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from django.db import DatabaseError, DataError, IntegrityError, close_old_connections, connection

from yizhan.passage.services.log import Passed, record_reminders

from . import metrics

log = logging.getLogger("yizhan.passage.writer")

MOST_WAITING = 200_000
BATCH = 2_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class Writer:
    """A thread with a bounded queue. A full queue drops what comes, counted; a failing database is tried again.

    Args:
        record: writes a batch, all or nothing; repeats must do no harm.
        most_waiting: how many reminders may wait.
    """

    def __init__(
        self, record: Callable[[Sequence[Passed]], int] = record_reminders, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._record = record
        self._most_waiting = most_waiting
        self._waiting: deque[Passed] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._stop_by = float("inf")
        self._idle = True
        self._thread = threading.Thread(target=self._run, name="passage-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, passed: Sequence[Passed]) -> None:
        """Hand over reminders; returns at once."""
        with self._wake:
            room = self._most_waiting - len(self._waiting)
            self._waiting.extend(passed[: max(room, 0)])
            if len(passed) > room:
                metrics.DROPPED.labels("queue_full").inc(len(passed) - max(room, 0))
            metrics.WAITING.set(len(self._waiting))
            self._wake.notify()

    def wait_until_written(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing waits any more; whether that came to pass in time."""
        with self._wake:
            return self._wake.wait_for(lambda: self._idle and not self._waiting, timeout_s)

    def stop(self, timeout_s: float = 8.0) -> None:
        """Write what waits, as far as the time allows, and end."""
        with self._wake:
            self._stopping = True
            self._stop_by = time.monotonic() + timeout_s
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 1)

    def _run(self) -> None:
        while batch := self._next_batch():
            self._write(batch)
            with self._wake:
                self._idle = True
                self._wake.notify_all()
        connection.close()

    def _next_batch(self) -> list[Passed]:
        """What waits, at most `BATCH`; empty when it is time to end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping)
            self._idle = False
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            metrics.WAITING.set(len(self._waiting))
            return batch

    def _write(self, batch: list[Passed]) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            close_old_connections()
            try:
                self._record(batch)
            except (IntegrityError, DataError):
                self._write_one_by_one(batch)
                return
            except DatabaseError as failure:
                metrics.WRITE_FAILURES.inc()
                log.warning("the reminder log cannot be written", extra={"error": type(failure).__name__})
                connection.close()
                if self._pause(pause_s):
                    metrics.DROPPED.labels("stopped").inc(len(batch))
                    return
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                metrics.WRITTEN.inc(len(batch))
                return

    def _write_one_by_one(self, batch: list[Passed]) -> None:
        # One row that the database refuses (its place is gone) must not take the others with it.
        if len(batch) == 1:
            metrics.DROPPED.labels("refused").inc()
            log.warning("the reminder log refuses a reminder")
            return
        for each in batch:
            self._write([each])

    def _pause(self, seconds: float) -> bool:
        """Wait; whether it is time to give up because the process ends."""
        end = time.monotonic() + seconds
        with self._wake:
            while (left := min(end, self._stop_by) - time.monotonic()) > 0:
                self._wake.wait(left)
            return time.monotonic() >= self._stop_by
