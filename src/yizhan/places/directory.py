"""The index of published places inside a Django process.

Every answer asks the database a small question: when was a place last changed, or a union deactivated? Only when that
moved is the index built anew: at once where places are few, in the background where they are many and readers go on
with the one they have. (The hot application does without the question: it listens for `NOTIFY places_changed`.)
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from .index import PlaceIndex
from .snapshot import inactive_unions, load_snapshot, newest_change
from .snapshot_changes import refreshed

log = logging.getLogger("yizhan.places.directory")

# A change whose transaction began before another's but ended later can hide behind it; this heals it.
LONGEST_AGE = timedelta(minutes=10)
MOST_AT_ONCE = 5_000  # places that are read in a tenth of a second; nobody is kept waiting for more

Version = tuple[datetime | None, tuple[int, datetime | None]]


@dataclass(frozen=True, slots=True)
class _Held:
    """An index, and the state of the directory that it shows."""

    version: Version
    index: PlaceIndex

    def shows(self, version: Version) -> bool:
        return self.version == version and timezone.now() - self.index.snapshot.taken_at < LONGEST_AGE


_lock = threading.Lock()
_held: _Held | None = None


def current_index() -> PlaceIndex:
    """The index as the database stands now; of a large directory, the last one that is ready."""
    version = last_change()
    held = _held
    if held is not None and held.shows(version):
        return held.index
    if held is not None and len(held.index) > MOST_AT_ONCE:
        if _lock.acquire(blocking=False):
            threading.Thread(target=_build_behind, args=(version,), name="places-index", daemon=True).start()
        return held.index
    with _lock:
        held = _held
        if held is None or not held.shows(version):
            held = _build(version)
    return held.index


def last_change() -> Version:
    """What moves whenever the directory does: places are never deleted, and a deactivated union hides its own."""
    return newest_change(), inactive_unions()


def _build(version: Version) -> _Held:
    """Read the places and hold their index; the caller has the lock."""
    global _held
    before = _held.index if _held is not None else None
    recent = before is not None and timezone.now() - before.snapshot.taken_at < LONGEST_AGE
    snapshot = refreshed(before.snapshot) if before is not None and recent else load_snapshot()
    index = PlaceIndex(snapshot, like=before)
    if len(index) > MOST_AT_ONCE:
        index.text.ranks("a")  # else the first reader who searches would wait for it
    _held = held = _Held(version, index)
    return held


def _build_behind(version: Version) -> None:
    """As `_build`, in a thread of its own, which was started with the lock held."""
    try:
        _build(version)
    except Exception:  # readers keep the index they have, and the next one tries again
        log.exception("the places cannot be read")
    finally:
        connection.close()
        _lock.release()
