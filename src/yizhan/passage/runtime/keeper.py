"""Keeps what the stream holds in memory up to date: places, rules, keys."""

from __future__ import annotations

import time
from collections.abc import Callable

from yizhan.passage.services.announcements import CHANNEL as PASSAGE_CHANNEL
from yizhan.passage.services.announcements import REMINDED, SOURCES, WISHES
from yizhan.places.listening import Announcements, Listener
from yizhan.places.snapshot import CHANNEL as PLACES_CHANNEL
from yizhan.places.snapshot import REFRESH
from yizhan.unions.services.tree import TREE_CHANNEL

from . import metrics

SETTLE_S = 0.2  # announcements that come in a flock are answered once
HOUR_S = 3600.0


class Keeper:
    """Listens to the database and reads anew what was announced as changed, in a thread of its own.

    While the database cannot be reached, the stream goes on with what it has.

    Args:
        read_world: reads places and rules; called first of all, too.
        read_keys: reads the keys; called first of all, too.
        read_wishes: reads what drivers want to hear; called first of all, too.
        reminded: called when another worker has written reminders.
        tree_changed: called when unions moved in the tree, before all is read anew.
        every_hour: called now and then.
    """

    def __init__(
        self,
        *,
        read_world: Callable[[], None],
        read_keys: Callable[[], None],
        read_wishes: Callable[[], None],
        reminded: Callable[[], None],
        tree_changed: Callable[[], None],
        every_hour: Callable[[], None],
    ) -> None:
        self._read_world, self._read_keys, self._read_wishes = read_world, read_keys, read_wishes
        self._reminded = reminded
        self._tree_changed, self._every_hour = tree_changed, every_hour
        self._read_at = self._hour_at = 0.0
        self._listener = Listener(
            "passage-keeper",
            (PLACES_CHANNEL, PASSAGE_CHANNEL, TREE_CHANNEL),
            begin=self._begin,
            hear=self._hear,
            settle_s=SETTLE_S,
            failed=metrics.REBUILDS.labels("failed").inc,
        )

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """End."""
        self._listener.stop()

    def _begin(self) -> None:
        self._read(world=True, keys=True, wishes=True)
        self._hour_at = time.monotonic()

    def _hear(self, heard: Announcements) -> None:
        tree = any(note.channel == TREE_CHANNEL for note in heard)
        if tree:
            self._tree_changed()
        told = {note.payload for note in heard if note.channel == PASSAGE_CHANNEL}
        keys, wishes = tree or SOURCES in told, WISHES in told
        old = time.monotonic() - self._read_at > REFRESH.total_seconds()
        world = old or any(note.payload not in {SOURCES, WISHES, REMINDED} for note in heard)
        if REMINDED in told:
            self._reminded()
        if world or keys or wishes:
            self._read(world=world, keys=keys, wishes=wishes)
        if time.monotonic() - self._hour_at > HOUR_S:
            self._every_hour()
            self._hour_at = time.monotonic()

    def _read(self, *, world: bool, keys: bool, wishes: bool) -> None:
        if keys:
            self._read_keys()
        if wishes:
            self._read_wishes()
        if world:
            self._read_world()
            self._read_at = time.monotonic()
        metrics.REBUILDS.labels("done").inc()
