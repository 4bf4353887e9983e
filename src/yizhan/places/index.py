"""An index in memory over all published places: nearest open now, in a box, along a route, and by text.

A `PlaceIndex` never changes, so any number of requests read it without a lock; a newer one replaces it as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo import Datum, NearestIndex, convert, haversine_m
from yizhan.geo.open_intervals import FOREVER_S

from .hours import Openness
from .models import PlaceKind
from .snapshot import Snapshot
from .snapshot_changes import same_columns
from .text import NO_MATCH, TextIndex

MOST_MASKS = 256


class Narrowing(NamedTuple):
    """Which places are asked for.

    Attributes:
        open_now: Only those that are certainly open.
        kinds: Only these kinds; empty: all. Sorted.
        offers: Only those that offer all of these codes. Sorted.
        any_offers: Only those that offer any of these codes; empty: all. Sorted.
        union_path: Only those of the union that hangs there in the tree, and of those below; empty: all.
    """

    open_now: bool = False
    kinds: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    any_offers: tuple[str, ...] = ()
    union_path: str = ""


EVERYTHING = Narrowing()


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
    masks: dict[Narrowing, NDArray[np.bool_] | None] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Line:
    """Places of a list, unordered, by their index in the snapshot, at a moment.

    `first` and then `second` say in which order they come: the rank and the metres away of a search, metres along a
    route and those from it; after them comes the identifier.
    """

    places: NDArray[np.int64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    moment: Moment


class PlaceIndex:
    """All places of a snapshot, ready to be searched.

    `positions` are longitude and latitude in degrees of each datum, `offers` the codes of what each place offers.

    Args:
        snapshot: The places.
        like: An index of earlier places: what was made of columns that are still the very same is taken over.
    """

    positions: dict[Datum, tuple[NDArray[np.float64], NDArray[np.float64]]]
    offers: Sequence[tuple[str, ...]]
    _index: NearestIndex

    def __init__(self, snapshot: Snapshot, *, like: PlaceIndex | None = None) -> None:
        self.snapshot = snapshot
        if like is not None and same_columns(like.snapshot, snapshot, "lon", "lat"):
            self.positions, self._index = like.positions, like._index
        else:
            self.positions = {
                datum: convert(snapshot.lon, snapshot.lat, source=Datum.WGS84, target=datum) for datum in Datum
            }
            self._index = NearestIndex(snapshot.lon, snapshot.lat)
        if like is not None and same_columns(like.snapshot, snapshot, "offers", "offer_codes"):
            self.offers = like.offers
        else:
            self.offers = _codes_of(snapshot)
        if like is not None:
            self._take_over(like)
        kinds = np.array(list(snapshot.kinds), dtype=object)
        self._kinds: dict[str, NDArray[np.bool_]] = {kind: kinds == kind for kind in PlaceKind.values}
        self._horizon_s = int(snapshot.valid_until.timestamp())
        self._moment: Moment | None = None

    def _take_over(self, like: PlaceIndex) -> None:
        """What an earlier index made when it was first asked for, of columns that are still the very same."""
        for name, columns in _MADE_OF.items():
            if name in like.__dict__ and same_columns(like.snapshot, self.snapshot, *columns):
                self.__dict__[name] = like.__dict__[name]

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
        return self.nearest_of(lon, lat, Narrowing(open_now, kinds, offers), at_s=at_s, count=count, radius_m=radius_m)

    def nearest_of(
        self,
        lon: float,
        lat: float,
        narrowing: Narrowing,
        *,
        at_s: int,
        count: int = 10,
        radius_m: float | None = None,
    ) -> Found:
        """As `nearest`, of the places asked for."""
        moment = self.moment(at_s)
        mask = self._mask(moment, narrowing)
        places, metres = self._index.nearest(lon, lat, count=count, allowed=mask, radius_m=radius_m)
        return Found(places, metres, moment)

    def within_box(self, west: float, south: float, east: float, north: float) -> NDArray[np.int64]:
        """All places in a box of WGS-84 degrees."""
        return self._index.within_box(west, south, east, north)

    def in_box(self, west: float, south: float, east: float, north: float, narrowing: Narrowing, *, at_s: int) -> Line:
        """The places asked for in a box of WGS-84 degrees; both columns are zero."""
        moment = self.moment(at_s)
        places = self._index.within_box(west, south, east, north, allowed=self._mask(moment, narrowing))
        nothing = np.zeros(len(places))
        return Line(places, nothing, nothing, moment)

    def along(
        self,
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        corridor_m: float,
        narrowing: Narrowing,
        *,
        at_s: int,
    ) -> Line:
        """The places asked for within `corridor_m` of a route: metres along it, and metres from it.

        Raises:
            ValueError: the route cannot be searched; see `NearestIndex.along`.
        """
        moment = self.moment(at_s)
        places, away, ahead = self._index.along(lon, lat, corridor_m, allowed=self._mask(moment, narrowing))
        return Line(places, ahead, away, moment)

    def search(self, text: str, narrowing: Narrowing, *, at_s: int, origin: tuple[float, float] | None = None) -> Line:
        """The places asked for whose name, district or address answers a text: rank, and metres from `origin`.

        `origin` is WGS-84 degrees; without one the metres are zero. A text of no letters finds nothing.
        """
        moment = self.moment(at_s)
        ranks = self.text.ranks(text)
        mask = self._mask(moment, narrowing)
        chosen = ranks != NO_MATCH if mask is None else (ranks != NO_MATCH) & mask
        places = np.flatnonzero(chosen)
        first = ranks[places].astype(np.float64)
        if origin is None:
            return Line(places, first, np.zeros(len(places)), moment)
        return Line(places, first, haversine_m(*origin, self.snapshot.lon[places], self.snapshot.lat[places]), moment)

    def all_of(self, narrowing: Narrowing, *, at_s: int) -> Line:
        """All places asked for; both columns are zero."""
        moment = self.moment(at_s)
        mask = self._mask(moment, narrowing)
        places = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        nothing = np.zeros(len(places))
        return Line(places, nothing, nothing, moment)

    def in_listing_order(self, narrowing: Narrowing, *, at_s: int) -> NDArray[np.int64]:
        """All places asked for, in the order in which a list shows them that knows no position: by union, by name."""
        mask = self._mask(self.moment(at_s), narrowing)
        order = self._listing_order
        return order if mask is None else order[mask[order]]

    def in_district_order(self, narrowing: Narrowing, *, at_s: int) -> NDArray[np.int64]:
        """The same by stated district, then by name."""
        mask = self._mask(self.moment(at_s), narrowing)
        order = self._district_order
        return order if mask is None else order[mask[order]]

    @cached_property
    def _district_order(self) -> NDArray[np.int64]:
        districts, names = self.snapshot.districts or [""] * len(self), self.snapshot.names
        return np.array(sorted(range(len(self)), key=lambda place: (districts[place], names[place])), np.int64)

    @cached_property
    def _listing_order(self) -> NDArray[np.int64]:
        paths, names = self.snapshot.union_paths, self.snapshot.names
        return np.array(sorted(range(len(self)), key=lambda place: (paths[place], names[place])), np.int64)

    @cached_property
    def text(self) -> TextIndex:
        """The index of names, districts and addresses; made when first asked for."""
        snapshot = self.snapshot
        districts = snapshot.districts or [""] * len(snapshot)
        return TextIndex(snapshot.names, districts, snapshot.addresses)

    @cached_property
    def by_identifier(self) -> list[str]:
        """All public identifiers, ascending."""
        return sorted(str(public_id) for public_id in self.snapshot.public_ids)

    @cached_property
    def identifier_order(self) -> NDArray[np.int64]:
        """For each place, how many identifiers come before its own."""
        texts = [str(public_id) for public_id in self.snapshot.public_ids]
        given = sorted(range(len(self)), key=texts.__getitem__)
        order = np.empty(len(self), np.int64)
        order[given] = np.arange(len(self))
        return order

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

    def _mask(self, moment: Moment, narrowing: Narrowing) -> NDArray[np.bool_] | None:
        if narrowing in moment.masks:
            return moment.masks[narrowing]
        masks = [moment.is_open] if narrowing.open_now else []
        if narrowing.kinds:
            masks.append(np.logical_or.reduce([self._kinds[kind] for kind in narrowing.kinds]))
        masks += [self._offered(code) for code in narrowing.offers]
        if narrowing.any_offers:
            masks.append(np.logical_or.reduce([self._offered(code) for code in narrowing.any_offers]))
        if narrowing.union_path:
            masks.append(self._of_union(narrowing.union_path))
        mask = np.logical_and.reduce(masks) if masks else None
        if len(moment.masks) < MOST_MASKS:
            moment.masks[narrowing] = mask
        return mask

    @cached_property
    def _paths(self) -> tuple[list[str], NDArray[np.int64]]:
        """The different places in the tree of unions, and for each place of ours which of them is its union's."""
        known = {path: number for number, path in enumerate(dict.fromkeys(self.snapshot.union_paths))}
        return list(known), np.array([known[path] for path in self.snapshot.union_paths], np.int64)

    def _of_union(self, path: str) -> NDArray[np.bool_]:
        known, numbers = self._paths
        return np.array([each.startswith(path) for each in known] or [False], np.bool_)[numbers]

    def _offered(self, code: str) -> NDArray[np.bool_]:
        try:
            row = list(self.snapshot.offer_codes).index(code)
        except ValueError:
            return np.zeros(len(self), np.bool_)
        return np.ascontiguousarray(self.snapshot.offers[row])


# Of which columns the parts are made that are made when first asked for.
_MADE_OF = {
    "text": ("names", "districts", "addresses"),
    "by_identifier": ("public_ids",),
    "identifier_order": ("public_ids",),
    "_district_order": ("districts", "names"),
    "_listing_order": ("union_paths", "names"),
    "_paths": ("union_paths",),
}


def _codes_of(snapshot: Snapshot) -> list[tuple[str, ...]]:
    """For each place the codes of what it offers. Many places offer the same: each combination is made once."""
    if not len(snapshot):
        return []
    codes = np.array(list(snapshot.offer_codes), dtype=object)
    patterns, which = np.unique(np.packbits(snapshot.offers, axis=0), axis=1, return_inverse=True)
    chosen = np.unpackbits(patterns, axis=0, count=len(codes)).astype(bool) if len(codes) else patterns.astype(bool)
    named = [tuple(codes[column]) for column in chosen.T]
    return [named[number] for number in which.reshape(-1).tolist()]


def as_utc(seconds: int) -> datetime | None:
    """Epoch seconds as a time; 0 as None."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
