"""A snapshot brought up to date by reading only what changed since: of 200,000 places, reading all takes seconds.

Every write to a place, or to what hangs at it, moves the place's `changed_at` (`services.notification`). So the places
that changed since the newest change that the last reading saw are all that can differ: their rows replace the old ones,
those that are not published any more go, and the others keep their columns, which are not copied when nothing in them
changed, so that an index can keep what it made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from yizhan.geo.open_intervals import OpenIntervals
from yizhan.unions.models import Union

from .models import Place
from .snapshot import REFRESH, Snapshot, load_snapshot, newest_change

# A transaction that began before another's but ended later can hide behind it: so far back is read again.
OVERLAP = timedelta(minutes=15)
MOST_CHANGED = 5_000  # beyond, reading all is no slower
_COLUMNS = (
    "public_ids",
    "names",
    "kinds",
    "addresses",
    "hours",
    "union_ids",
    "union_paths",
    "districts",
)


def refreshed(before: Snapshot | None) -> Snapshot:
    """The directory as it is now: `before` with what changed since, or read as a whole where that is no slower.

    It is read as a whole, too, when `before` is so old that its opening hours soon end, and when unions moved, ceased
    or came: that concerns all places below them.
    """
    if before is None or before.newest_change is None or timezone.now() - before.taken_at > REFRESH:
        return load_snapshot()
    unions = dict(Union.objects.values_list("public_id", "path"))
    if unions != before.unions:
        return load_snapshot()
    newest = newest_change()  # before the rows are read: what comes in between is read again next time
    changed = list(
        Place.objects.with_scopes_disabled()
        .filter(changed_at__gt=before.newest_change - OVERLAP)
        .order_by("pk")
        .values_list("pk", flat=True)[: MOST_CHANGED + 1]
    )
    if len(changed) > MOST_CHANGED:
        return load_snapshot()
    now = load_snapshot(at=before.taken_at, only=changed)
    if now.offer_codes != before.offer_codes or now.inactive != before.inactive:
        return load_snapshot()
    return replace(_merged(before, now, np.array(changed, np.int64)), newest_change=newest)


def _merged(before: Snapshot, now: Snapshot, changed: NDArray[np.int64]) -> Snapshot:
    """`before`, with the rows of `changed` places replaced by those in `now`, in which the unpublished are missing."""
    if np.array_equal(np.intersect1d(before.ids, changed), now.ids):
        return _replaced(before, now)
    kept = np.flatnonzero(~np.isin(before.ids, changed))
    ids = np.concatenate([before.ids[kept], now.ids])
    order = np.argsort(ids, kind="stable")
    values: dict[str, Any] = {"ids": ids[order]}
    for name in _COLUMNS:
        old, new = getattr(before, name), getattr(now, name)
        together = [*(old[row] for row in kept.tolist()), *new]
        values[name] = tuple(together[row] for row in order.tolist())
    for name in ("lon", "lat", "radius_m"):
        values[name] = np.concatenate([getattr(before, name)[kept], getattr(now, name)])[order]
    values["offers"] = np.concatenate([before.offers[:, kept], now.offers], axis=1)[:, order]
    rows = np.concatenate([kept, np.full(len(now), -1)])[order]
    fresh = np.concatenate([np.full(len(kept), -1), np.arange(len(now))])[order]
    for name in ("open", "unknown"):
        values[name] = _chosen(getattr(before, name), rows, getattr(now, name), fresh)
    return replace(before, **values)


def _replaced(before: Snapshot, now: Snapshot) -> Snapshot:
    """The same places as before, some with other values; a column in which nothing changed stays the very same."""
    at = np.searchsorted(before.ids, now.ids)
    values: dict[str, Any] = {}
    for name in _COLUMNS:
        old: Sequence[Any] = getattr(before, name)
        differing = [(row, new) for row, new in zip(at.tolist(), getattr(now, name), strict=True) if old[row] != new]
        if differing:
            column = list(old)
            for row, new in differing:
                column[row] = new
            values[name] = tuple(column)
    for name in ("lon", "lat", "radius_m"):
        numbers: NDArray[np.float64] = getattr(before, name)
        if not np.array_equal(numbers[at], getattr(now, name)):
            values[name] = numbers.copy()
            values[name][at] = getattr(now, name)
    if not np.array_equal(before.offers[:, at], now.offers):
        values["offers"] = before.offers.copy()
        values["offers"][:, at] = now.offers
    rows = np.arange(len(before))
    rows[at] = -1
    fresh = np.full(len(before), -1)
    fresh[at] = np.arange(len(now))
    for name in ("open", "unknown"):
        values[name] = _chosen(getattr(before, name), rows, getattr(now, name), fresh)
    return replace(before, **values)


def _chosen(old: OpenIntervals, rows: NDArray[np.int64], new: OpenIntervals, fresh: NDArray[np.int64]) -> OpenIntervals:
    """For each place the intervals of row `rows[i]` of `old`, or, where that is -1, of row `fresh[i]` of `new`."""
    is_new = rows < 0
    lengths = np.where(is_new, _lengths(new, fresh), _lengths(old, rows))
    begins = np.where(is_new, _begins(new, fresh) + len(old.starts_s), _begins(old, rows))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(begins - offsets[:-1], lengths) + np.arange(offsets[-1])
    starts, ends = np.concatenate([old.starts_s, new.starts_s]), np.concatenate([old.ends_s, new.ends_s])
    return OpenIntervals(starts[places], ends[places], offsets)


def _lengths(intervals: OpenIntervals, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(intervals):
        return np.zeros(len(rows), np.int64)
    return np.diff(intervals.offsets)[rows]


def _begins(intervals: OpenIntervals, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(intervals):
        return np.zeros(len(rows), np.int64)
    return intervals.offsets[:-1][rows]


def same_columns(one: Snapshot, other: Snapshot, *names: str) -> bool:
    """Whether these columns are the very same objects in both, so that what was made of them can be kept."""
    return all(getattr(one, name) is getattr(other, name) for name in names)
