"""Keeps what the stream holds in memory up to date: places, rules, keys."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, connection

from yizhan.passage.services.announcements import CHANNEL as PASSAGE_CHANNEL
from yizhan.passage.services.announcements import SOURCES, WISHES
from yizhan.places.snapshot import CHANNEL as PLACES_CHANNEL
from yizhan.places.snapshot import REFRESH
from yizhan.unions.services.tree import TREE_CHANNEL

from . import metrics

log = logging.getLogger("yizhan.passage.keeper")

LISTEN_S = 0.5  # how long one look for announcements lasts, and so how long it takes to stop
SETTLE_S = 0.2  # announcements that come in a flock are answered once
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Keeper:
    """A thread that listens to the database and reads anew what was announced as changed.

    While the database cannot be reached, the stream goes on with what it has.

    Args:
        read_world: reads places and rules; called first of all, too.
        read_keys: reads the keys; called first of all, too.
        read_wishes: reads what drivers want to hear; called first of all, too.
        tree_changed: called when unions moved in the tree, before all is read anew.
        every_hour: called now and then.
    """

    def __init__(
        self,
        *,
        read_world: Callable[[], None],
        read_keys: Callable[[], None],
        read_wishes: Callable[[], None],
        tree_changed: Callable[[], None],
        every_hour: Callable[[], None],
    ) -> None:
        self._read_world, self._read_keys, self._read_wishes = read_world, read_keys, read_wishes
        self._tree_changed, self._every_hour = tree_changed, every_hour
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="passage-keeper", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._listen()
                pause_s = FIRST_PAUSE_S
            except DatabaseError as failure:
                log.warning("places and keys cannot be read", extra={"error": type(failure).__name__})
                metrics.REBUILDS.labels("failed").inc()
            except Exception:
                # Whatever is wrong with one reading must not leave the stream blind for good.
                log.exception("places and keys cannot be read")
                metrics.REBUILDS.labels("failed").inc()
            connection.close()
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        connection.close()

    def _listen(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        for channel in (PLACES_CHANNEL, PASSAGE_CHANNEL, TREE_CHANNEL):
            raw.execute(f"LISTEN {channel}")
        self._read(world=True, keys=True, wishes=True)
        read_at = hour_at = time.monotonic()
        while not self._stopping.is_set():
            heard = list(raw.notifies(timeout=LISTEN_S, stop_after=1))
            if heard:
                heard += list(raw.notifies(timeout=SETTLE_S))
            tree = any(note.channel == TREE_CHANNEL for note in heard)
            if tree:
                self._tree_changed()
            told = {note.payload for note in heard if note.channel == PASSAGE_CHANNEL}
            keys, wishes = tree or SOURCES in told, WISHES in told
            old = time.monotonic() - read_at > REFRESH.total_seconds()
            world = old or any(note.payload not in {SOURCES, WISHES} for note in heard)
            if world or keys or wishes:
                self._read(world=world, keys=keys, wishes=wishes)
                read_at = time.monotonic() if world else read_at
            if time.monotonic() - hour_at > 3600:
                self._every_hour()
                hour_at = time.monotonic()

    def _read(self, *, world: bool, keys: bool, wishes: bool) -> None:
        if keys:
            self._read_keys()
        if wishes:
            self._read_wishes()
        if world:
            self._read_world()
        metrics.REBUILDS.labels("done").inc()
