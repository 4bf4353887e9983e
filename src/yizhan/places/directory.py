"""The index of published places inside a Django process.

Every answer asks the database one small question: when was a place last changed? Only when that moved is the index
built anew. (The hot application does without: it listens for `NOTIFY places_changed`.)
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from .index import PlaceIndex
from .models import Place
from .snapshot import load_snapshot

# A change whose transaction began before another's but ended later can hide behind it; this heals it.
LONGEST_AGE = timedelta(minutes=10)

_lock = threading.Lock()
_held: tuple[datetime | None, PlaceIndex] | None = None


def current_index() -> PlaceIndex:
    """The index as the database stands now."""
    global _held
    version = last_change()
    held = _held
    if held is not None and held[0] == version and timezone.now() - held[1].snapshot.taken_at < LONGEST_AGE:
        return held[1]
    with _lock:
        held = _held
        if held is None or held[0] != version or timezone.now() - held[1].snapshot.taken_at >= LONGEST_AGE:
            held = _held = (version, PlaceIndex(load_snapshot()))
    return held[1]


def last_change() -> datetime | None:
    """When any place was last changed; places are never deleted, so this only grows."""
    changed: datetime | None = Place.objects.with_scopes_disabled().aggregate(last=Max("changed_at"))["last"]
    return changed
