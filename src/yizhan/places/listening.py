"""Listening to what the database announces (`LISTEN`), in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from django.db import DatabaseError, connection
from psycopg import Notify

log = logging.getLogger("yizhan.places.listening")

Announcements: TypeAlias = Sequence[Notify]
LISTEN_S = 0.5  # how long one look for announcements lasts, and so how long it takes to stop
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Listener:
    """A thread that tells what is announced, and begins anew when the database cannot be reached for a while.

    Args:
        name: Of the thread, and of what stands still while nothing can be heard, in the log.
        channels: What to listen to.
        begin: Called as soon as it listens, each time anew: what was announced before may have been missed.
        hear: Called with what was announced, and with nothing when nothing was for half a second.
        settle_s: What comes in a flock, within so long of its first, is told in one.
        failed: Called when a reading failed, in addition to what is logged.
    """

    def __init__(
        self,
        name: str,
        channels: Sequence[str],
        *,
        begin: Callable[[], None],
        hear: Callable[[Announcements], None],
        settle_s: float = 0.0,
        failed: Callable[[], None] | None = None,
    ) -> None:
        self._name, self._channels, self._settle_s = name, tuple(channels), settle_s
        self._begin, self._hear, self._failed = begin, hear, failed
        self._pause_s = FIRST_PAUSE_S
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the thread has ended."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as failure:  # whatever is wrong with one reading must not end all later ones
                if isinstance(failure, DatabaseError):
                    log.warning("%s cannot read", self._name, extra={"error": type(failure).__name__})
                else:
                    log.exception("%s cannot read", self._name)
                if self._failed is not None:
                    self._failed()
            connection.close()
            self._stopping.wait(self._pause_s)
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        connection.close()

    def _listen(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        for channel in self._channels:
            raw.execute(f"LISTEN {channel}")
        self._begin()
        self._pause_s = FIRST_PAUSE_S  # the next loss of the connection is another one
        while not self._stopping.is_set():
            heard = list(raw.notifies(timeout=LISTEN_S, stop_after=1))
            if heard and self._settle_s:
                heard += list(raw.notifies(timeout=self._settle_s))
            self._hear(heard)
