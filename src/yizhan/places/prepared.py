"""An index of places with what its answers over HTTP are made of, encoded ahead as far as it can be."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np

from yizhan.geo import Datum

from .hours import Openness
from .index import Moment, PlaceIndex
from .snapshot_changes import same_columns

MOST_ON_MAP = 5_000
MAP_FIELDS = ("id", "name", "kind", "lon", "lat", "state", "changes_at", "offers")
_encode = msgspec.json.Encoder().encode
_STATE = {state: state.encode() for state in Openness}


class PlaceFacts(msgspec.Struct):
    """What an answer says of a place and does not change from one moment to the next."""

    id: str
    name: str
    kind: str
    address: str
    lon: float
    lat: float
    offers: tuple[str, ...]
    url: str


class Prepared:
    """An index with what its answers are made of.

    What is said of a place is encoded when first found, its state once a moment: encoding took most of an answer's
    time. Only the distance differs from one asker to the next.
    """

    def __init__(self, index: PlaceIndex, *, like: Prepared | None = None) -> None:
        self.index = index
        snapshot = index.snapshot
        if like is not None and same_columns(like.index.snapshot, snapshot, "public_ids"):
            self.ids: list[str] = like.ids
        else:
            self.ids = [str(public_id) for public_id in snapshot.public_ids]
        if like is not None and like.index.positions is index.positions:
            self.columns: dict[Datum, tuple[list[float], list[float]]] = like.columns
        else:
            self.columns = {
                datum: (np.round(lon, 6).tolist(), np.round(lat, 6).tolist())
                for datum, (lon, lat) in index.positions.items()
            }
        self._facts: dict[Datum, list[bytes | None]] = {datum: [None] * len(self.ids) for datum in Datum}
        self._said: dict[Datum, tuple[Moment | None, dict[int, bytes]]] = {}
        self.maps: dict[tuple[int, Datum, str], tuple[bytes, bytes]] = {}
        # The first search of a process loads the kernels; that must not be a driver's.
        index.nearest(105.0, 35.0, at_s=int(time.time()))
        index.text.ranks("a")
        index.identifier_order, index.by_identifier  # noqa: B018 - made now, in the keeper's thread

    def facts(self, place: int, datum: Datum) -> bytes:
        """The members of a place's JSON object that stay, without braces; its position in `datum`."""
        encoded = self._facts[datum][place]
        if encoded is None:
            snapshot, (lon, lat) = self.index.snapshot, self.columns[datum]
            public_id = self.ids[place]
            encoded = self._facts[datum][place] = _encode(
                PlaceFacts(
                    public_id,
                    snapshot.names[place],
                    snapshot.kinds[place],
                    snapshot.addresses[place],
                    lon[place],
                    lat[place],
                    self.index.offers[place],
                    f"/places/{public_id}/",
                )
            )[1:-1]
        return encoded

    def said(self, moment: Moment, datum: Datum) -> dict[int, bytes]:
        """By place, what is said of it at a moment, ready to stand after a distance; filled by `say`."""
        held, by_place = self._said.get(datum, (None, {}))
        if held is not moment:
            by_place = {}
            self._said[datum] = (moment, by_place)
        return by_place

    def times(self, place: int) -> bytes:
        """When a place is certainly open in the days ahead: pairs of UTC epoch seconds."""
        opens = self.index.snapshot.open
        first, last = int(opens.offsets[place]), int(opens.offsets[place + 1])
        pairs = zip(opens.starts_s[first:last].tolist(), opens.ends_s[first:last].tolist(), strict=True)
        return _encode(list(pairs))

    def say(self, place: int, moment: Moment, datum: Datum) -> bytes:
        """What is said of one place at a moment."""
        changes = b"%d" % moment.changes_s[place] if moment.changes_s[place] else b"null"
        return b'%s,"state":"%s","changes_at":%s}' % (self.facts(place, datum), _STATE[moment.state(place)], changes)


def for_the_map(ready: Prepared, moment: Moment, datum: Datum, chosen: list[int]) -> dict[str, Any]:
    """The chosen places as compact rows: `fields` names the columns, positions are degrees of `datum`."""
    lons, lats = ready.columns[datum]
    snapshot = ready.index.snapshot
    number = {code: position for position, code in enumerate(snapshot.offer_codes)}
    return {
        "datum": datum,
        "fields": MAP_FIELDS,
        "offer_codes": snapshot.offer_codes,
        "total": len(chosen),
        "places": [
            (
                ready.ids[i],
                snapshot.names[i],
                snapshot.kinds[i],
                lons[i],
                lats[i],
                moment.state(i),
                int(moment.changes_s[i]) or None,
                [number[code] for code in ready.index.offers[i]],
            )
            for i in chosen[:MOST_ON_MAP]
        ],
    }
