"""The index of published places inside a Django process.

Every answer asks the database one small question: when was a place last changed? Only when that moved is the index
built anew: at once where places are few, in the background where they are many and readers go on with the one they
have. (The hot application does without the question: it listens for `NOTIFY places_changed`.)
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from .index import PlaceIndex
from .models import Place
from .snapshot import load_snapshot

log = logging.getLogger("yizhan.places.directory")

# A change whose transaction began before another's but ended later can hide behind it; this heals it.
LONGEST_AGE = timedelta(minutes=10)
MOST_AT_ONCE = 5_000  # places that are read in a tenth of a second; nobody is kept waiting for more


@dataclass(frozen=True, slots=True)
class _Held:
    """An index, and the state of the directory that it shows."""

    version: datetime | None
    index: PlaceIndex

    def shows(self, version: datetime | None) -> bool:
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


def last_change() -> datetime | None:
    """When any place was last changed; places are never deleted, so this only grows."""
    changed: datetime | None = Place.objects.with_scopes_disabled().aggregate(last=Max("changed_at"))["last"]
    return changed


def _build(version: datetime | None) -> _Held:
    """Read the places and hold their index; the caller has the lock."""
    global _held
    index = PlaceIndex(load_snapshot())
    if len(index) > MOST_AT_ONCE:
        index.text.ranks("a")  # else the first reader who searches would wait for it
    _held = held = _Held(version, index)
    return held


def _build_behind(version: datetime | None) -> None:
    """As `_build`, in a thread of its own, which was started with the lock held."""
    try:
        _build(version)
    except Exception:  # readers keep the index they have, and the next one tries again
        log.exception("the places cannot be read")
    finally:
        connection.close()
        _lock.release()
