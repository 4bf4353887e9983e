"""An index in memory over all published places: nearest open now, in a box, by kind and by what is offered.

A `PlaceIndex` never changes, so any number of requests read it without a lock; a newer one replaces it as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from yizhan.geo import Datum, NearestIndex, convert
from yizhan.geo.open_intervals import FOREVER_S

from .hours import Openness
from .models import PlaceKind
from .snapshot import Snapshot

MOST_MASKS = 256


@dataclass(frozen=True, slots=True)
class Moment:
    """Who is open during a stretch of time in which nobody opens or closes.

    `changes_s` says when each place's state changes next, UTC epoch seconds; 0 when not within the days ahead.
    """

    from_s: int
    until_s: int
    is_open: NDArray[np.bool_]
    is_unknown: NDArray[np.bool_]
    changes_s: NDArray[np.int64]
    masks: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], NDArray[np.bool_] | None] = field(default_factory=dict)

    def state(self, place: int) -> Openness:
        """Whether one place is open."""
        if self.is_open[place]:
            return Openness.YES
        return Openness.UNKNOWN if self.is_unknown[place] else Openness.NO


@dataclass(frozen=True, slots=True)
class Found:
    """Places by their index in the snapshot, nearest first, with metres, at a moment."""

    places: NDArray[np.int64]
    metres: NDArray[np.float64]
    moment: Moment


class PlaceIndex:
    """All places of a snapshot, ready to be searched."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.positions: dict[Datum, tuple[NDArray[np.float64], NDArray[np.float64]]] = {
            datum: convert(snapshot.lon, snapshot.lat, source=Datum.WGS84, target=datum) for datum in Datum
        }
        codes = np.array(list(snapshot.offer_codes), dtype=object)
        self.offers: Sequence[tuple[str, ...]] = (
            [tuple(codes[column]) for column in snapshot.offers.T] if len(snapshot) else []
        )
        self._index = NearestIndex(snapshot.lon, snapshot.lat)
        kinds = np.array(list(snapshot.kinds), dtype=object)
        self._kinds: dict[str, NDArray[np.bool_]] = {kind: kinds == kind for kind in PlaceKind.values}
        self._horizon_s = int(snapshot.valid_until.timestamp())
        self._moment: Moment | None = None

    def __len__(self) -> int:
        return len(self.snapshot)

    def nearest(
        self,
        lon: float,
        lat: float,
        *,
        at_s: int,
        count: int = 10,
        open_now: bool = True,
        kinds: tuple[str, ...] = (),
        offers: tuple[str, ...] = (),
        radius_m: float | None = None,
    ) -> Found:
        """The nearest places to a WGS-84 position in degrees.

        Args:
            lon, lat: Degrees of WGS-84.
            at_s: The time, UTC epoch seconds.
            count: How many at most.
            open_now: Only those that are certainly open at that time.
            kinds: Only these kinds; empty: all. Sorted.
            offers: Only those that offer all of these codes. Sorted.
            radius_m: Only within so many metres.
        """
        moment = self.moment(at_s)
        mask = self._mask(moment, open_now, kinds, offers)
        places, metres = self._index.nearest(lon, lat, count=count, allowed=mask, radius_m=radius_m)
        return Found(places, metres, moment)

    def within_box(self, west: float, south: float, east: float, north: float) -> NDArray[np.int64]:
        """All places in a box of WGS-84 degrees."""
        return self._index.within_box(west, south, east, north)

    def moment(self, at_s: int) -> Moment:
        """Who is open at a time; worked out anew only when someone has opened or closed since the last call."""
        moment = self._moment
        if moment is None or not moment.from_s <= at_s < moment.until_s:
            moment = self._moment = self._moment_at(at_s)
        return moment

    def _moment_at(self, at_s: int) -> Moment:
        opens, unknowns = self.snapshot.open, self.snapshot.unknown
        open_until, unknown_until = opens.open_until(at_s), unknowns.open_until(at_s)
        is_open, is_unknown = open_until > at_s, unknown_until > at_s
        opening = np.minimum(opens.next_opening(at_s), unknowns.next_opening(at_s))
        changes = np.where(is_open, open_until, np.where(is_unknown, unknown_until, opening))
        changes[changes >= self._horizon_s] = 0
        ahead = changes[changes > at_s]
        return Moment(at_s, int(ahead.min()) if len(ahead) else FOREVER_S, is_open, is_unknown, changes)

    def _mask(
        self, moment: Moment, open_now: bool, kinds: tuple[str, ...], offers: tuple[str, ...]
    ) -> NDArray[np.bool_] | None:
        key = (open_now, kinds, offers)
        if key in moment.masks:
            return moment.masks[key]
        mask = moment.is_open if open_now else None
        if kinds:
            of_kind = np.logical_or.reduce([self._kinds[kind] for kind in kinds])
            mask = of_kind if mask is None else mask & of_kind
        for code in offers:
            offered = self._offered(code)
            mask = offered if mask is None else mask & offered
        if len(moment.masks) < MOST_MASKS:
            moment.masks[key] = mask
        return mask

    def _offered(self, code: str) -> NDArray[np.bool_]:
        try:
            row = list(self.snapshot.offer_codes).index(code)
        except ValueError:
            return np.zeros(len(self), np.bool_)
        return np.ascontiguousarray(self.snapshot.offers[row])


def as_utc(seconds: int) -> datetime | None:
    """Epoch seconds as a time; 0 as None."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
