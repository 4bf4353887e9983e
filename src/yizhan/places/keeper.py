"""Keeps something built from the published places up to date, in a thread of its own.

It listens for `NOTIFY places_changed`, waits a moment for more of the same, reads the places anew and swaps what it
holds by one assignment, so that readers never wait. While the database cannot be reached, it keeps what it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from yizhan.unions.services.tree import TREE_CHANNEL

from .listening import Announcements, Listener
from .snapshot import CHANNEL, REFRESH, Snapshot
from .snapshot_changes import refreshed

T = TypeVar("T")
SETTLE_S = 0.3  # an import and its neighbours are answered once


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
        self._read_at = 0.0
        # A place's union may move, too.
        self._listener = Listener(
            "places-keeper", (CHANNEL, TREE_CHANNEL), begin=self.read, hear=self._hear, settle_s=SETTLE_S
        )

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """End; the last reading stays."""
        self._listener.stop()

    def read(self) -> None:
        """Read what changed of the places and swap what is held; until then readers go on with what they have."""
        self._snapshot = refreshed(self._snapshot)
        self.current = self._build(self._snapshot, self.current)
        self.readings += 1
        self._read_at = time.monotonic()

    def _hear(self, heard: Announcements) -> None:
        if heard or time.monotonic() - self._read_at > REFRESH.total_seconds():
            self.read()
