"""Keeps something built from the published places up to date, in a thread of its own.

It listens for `NOTIFY places_changed`, waits a moment for more of the same, reads the places anew and swaps what it
holds by one assignment, so that readers never wait. While the database cannot be reached, it keeps what it has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError, connection

from yizhan.unions.services.tree import TREE_CHANNEL

from .snapshot import CHANNEL, REFRESH, Snapshot
from .snapshot_changes import refreshed

log = logging.getLogger("yizhan.places.keeper")

T = TypeVar("T")
LISTEN_S = 0.5  # how long one look for announcements lasts, and so how long it takes to stop
SETTLE_S = 0.3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Keeper(Generic[T]):
    """Holds `build(snapshot)` of the newest snapshot in `current`; None until the first is read.

    Args:
        build: Makes what is held from a snapshot and from what was held before; runs in the keeper's thread.
    """

    def __init__(self, build: Callable[[Snapshot, T | None], T]) -> None:
        self.current: T | None = None
        self.readings = 0
        self._build = build
        self._snapshot: Snapshot | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="places-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; the last reading stays."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(10)

    def read(self) -> None:
        """Read what changed of the places and swap what is held; until then readers go on with what they have."""
        self._snapshot = refreshed(self._snapshot)
        self.current = self._build(self._snapshot, self.current)
        self.readings += 1

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._listen()
                pause_s = FIRST_PAUSE_S
            except DatabaseError as failure:
                log.warning("the places cannot be read", extra={"error": type(failure).__name__})
            except Exception:  # whatever is wrong with one reading must not end all later ones
                log.exception("the places cannot be read")
            connection.close()
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        connection.close()

    def _listen(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        for channel in (CHANNEL, TREE_CHANNEL):  # a place's union may move, too
            raw.execute(f"LISTEN {channel}")
        self.read()
        read_at = time.monotonic()
        while not self._stopping.is_set():
            heard = list(raw.notifies(timeout=LISTEN_S, stop_after=1))
            if heard:
                list(raw.notifies(timeout=SETTLE_S))  # an import and its neighbours are answered once
            if heard or time.monotonic() - read_at > REFRESH.total_seconds():
                self.read()
                read_at = time.monotonic()
