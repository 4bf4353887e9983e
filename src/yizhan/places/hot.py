"""What the hot application answers for this room, without the database on the way: nearest places, and all for the map.

Positions come with their datum (`datum=` is required) and answers say theirs: the same, unless `answer_datum=` asks for
another. Errors are problem details (RFC 9457) that name field, value and rule.
"""

from __future__ import annotations

import gzip
import math
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from starlette.routing import BaseRoute, Match, Route

from yizhan.geo import Datum, UnknownDatum, convert

from .hours import Openness
from .index import Moment, PlaceIndex
from .keeper import Keeper
from .models import EAST, NORTH, SOUTH, WEST, PlaceKind

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_NEAREST = 50
MOST_ON_MAP = 5_000
MAP_FIELDS = ("id", "name", "kind", "lon", "lat", "state", "changes_at", "offers")

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_PRIVATE = (b"cache-control", b"private, max-age=10")
_SHARED = (b"cache-control", b"public, max-age=15")
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


class QueryRefused(Exception):
    """A parameter breaks a rule."""

    def __init__(self, field: str, value: str, rule: Any) -> None:
        super().__init__(field, value)
        self.field, self.value, self.rule = field, value[:120], rule


class Prepared:
    """An index with what its answers are made of.

    What is said of a place is encoded when first found, its state once a moment: encoding took most of an answer's
    time. Only the distance differs from one asker to the next.
    """

    def __init__(self, index: PlaceIndex) -> None:
        self.index = index
        snapshot = index.snapshot
        self.ids = [str(public_id) for public_id in snapshot.public_ids]
        self.columns = {
            datum: (np.round(lon, 6).tolist(), np.round(lat, 6).tolist())
            for datum, (lon, lat) in index.positions.items()
        }
        self._facts: dict[Datum, list[bytes | None]] = {datum: [None] * len(self.ids) for datum in Datum}
        self._said: dict[Datum, tuple[Moment | None, dict[int, bytes]]] = {}
        self.maps: dict[tuple[int, Datum, bool], tuple[bytes, bytes]] = {}
        # The first search of a process loads the kernels; that must not be a driver's.
        index.nearest(105.0, 35.0, at_s=int(time.time()))

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

    def say(self, place: int, moment: Moment, datum: Datum) -> bytes:
        """What is said of one place at a moment."""
        changes = b"%d" % moment.changes_s[place] if moment.changes_s[place] else b"null"
        return b'%s,"state":"%s","changes_at":%s}' % (self.facts(place, datum), _STATE[moment.state(place)], changes)


class NearestPlaces:
    """`GET /api/places/nearest?lon=&lat=&datum=`.

    Further: `open=now|any`, `kinds=`, `offers=` (all of them), `count=`, `radius_m=`, `answer_datum=`.
    """

    def __init__(self, keeper: Keeper[Prepared]) -> None:
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.keeper.current
        if ready is None:
            await _not_ready(scope, send)
            return
        try:
            body = self.answer(ready, _query(scope))
        except QueryRefused as refused:
            await _refuse(scope, send, refused)
            return
        tag = b'W/"%08x"' % zlib.crc32(body)
        await _answer(scope, send, body, tag, _PRIVATE)

    @staticmethod
    def answer(ready: Prepared, query: dict[str, str], *, at_s: int | None = None) -> bytes:
        """The JSON for a query.

        Raises:
            QueryRefused: a parameter is missing or breaks a rule.
        """
        datum = _datum(query, "datum", None)
        shown_in = _datum(query, "answer_datum", datum)
        lon, lat = _position(query, datum)
        count = _whole_number(query, "count", 10, 1, MOST_NEAREST)
        radius = _number(query, "radius_m", 1.0, 1e7) if "radius_m" in query else None
        found = ready.index.nearest(
            lon,
            lat,
            at_s=int(time.time()) if at_s is None else at_s,
            count=count,
            open_now=_open(query),
            kinds=_kinds(query) if query.get("kinds") else (),
            offers=_codes(query["offers"]) if query.get("offers") else (),
            radius_m=radius,
        )
        said = ready.said(found.moment, shown_in)
        objects = []
        for place, metres in zip(found.places.tolist(), found.metres.tolist(), strict=True):
            text = said.get(place)
            if text is None:
                text = said[place] = ready.say(place, found.moment, shown_in)
            objects.append(b'{"distance_m":%d,%s' % (metres + 0.5, text))
        return b'{"datum":"%s","count":%d,"places":[%s]}' % (shown_in.encode(), len(objects), b",".join(objects))


class MapOfPlaces:
    """`GET /api/places/index.json?datum=`: every published place in a few columns, for the map; `bbox=` narrows it."""

    def __init__(self, keeper: Keeper[Prepared]) -> None:
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.keeper.current
        if ready is None:
            await _not_ready(scope, send)
            return
        zipped = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        try:
            body, tag = self.answer(ready, _query(scope), zipped=zipped)
        except QueryRefused as refused:
            await _refuse(scope, send, refused)
            return
        extra = [(b"content-encoding", b"gzip")] if zipped else []
        await _answer(scope, send, body, tag, _SHARED, (b"vary", b"accept-encoding"), *extra)

    @staticmethod
    def answer(
        ready: Prepared, query: dict[str, str], *, zipped: bool = False, at_s: int | None = None
    ) -> tuple[bytes, bytes]:
        """The JSON for a query, and its entity tag; without `bbox` it is made once a moment.

        Raises:
            QueryRefused: a parameter is missing or breaks a rule.
        """
        datum = _datum(query, "datum", None)
        moment = ready.index.moment(int(time.time()) if at_s is None else at_s)
        box = _box(query, datum) if query.get("bbox") else None
        key = (moment.from_s, datum, zipped)
        if box is None and key in ready.maps:
            return ready.maps[key]
        chosen = ready.index.within_box(*box).tolist() if box else range(len(ready.ids))
        body = _encode(_map(ready, moment, datum, list(chosen)))
        tag = b'W/"%08x"' % zlib.crc32(body)
        if zipped:
            body = gzip.compress(body, 5)
        if box is None:
            if len(ready.maps) > 4 * len(Datum):
                ready.maps.clear()
            ready.maps[key] = (body, tag)
        return body, tag


def _map(ready: Prepared, moment: Moment, datum: Datum, chosen: list[int]) -> dict[str, Any]:
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


def _query(scope: Scope) -> dict[str, str]:
    text = scope["query_string"].decode("latin-1")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    pairs = (part.partition("=") for part in text.split("&"))
    return {name: value for name, _sign, value in pairs}


def _datum(query: dict[str, str], field: str, default: Datum | None) -> Datum:
    text = query.get(field, "")
    if not text:
        if default is None:
            raise QueryRefused(field, "", _("Every position says its datum: WGS-84, GCJ-02 or BD-09."))
        return default
    try:
        return _parsed_datum(text)
    except UnknownDatum:
        raise QueryRefused(field, text, _("Choose WGS-84, GCJ-02 or BD-09.")) from None


@lru_cache(maxsize=64)
def _parsed_datum(text: str) -> Datum:
    return Datum.parse(text)


def _position(query: dict[str, str], datum: Datum) -> tuple[float, float]:
    lon, lat = _number(query, "lon", WEST, EAST), _number(query, "lat", SOUTH, NORTH)
    return (lon, lat) if datum is Datum.WGS84 else convert(lon, lat, source=datum, target=Datum.WGS84)


def _number(query: dict[str, str], field: str, low: float, high: float) -> float:
    text = query.get(field, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise QueryRefused(field, text, _("A number from %(low)g to %(high)g is needed.") % {"low": low, "high": high})
    return value


def _whole_number(query: dict[str, str], field: str, default: int, low: int, high: int) -> int:
    text = query.get(field, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and low <= int(text) <= high):
        raise QueryRefused(
            field, text, _("A whole number from %(low)d to %(high)d is needed.") % {"low": low, "high": high}
        )
    return int(text)


def _open(query: dict[str, str]) -> bool:
    text = query.get("open", "now")
    if text not in {"now", "any"}:
        raise QueryRefused("open", text, _("Choose “now” or “any”."))
    return text == "now"


def _kinds(query: dict[str, str]) -> tuple[str, ...]:
    kinds = _codes(query["kinds"])
    for kind in kinds:
        if kind not in PlaceKind.values:
            raise QueryRefused("kinds", kind, _("Choose among: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)})
    return kinds


def _codes(text: str) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for part in text.split(",") if part.strip()}))


def _box(query: dict[str, str], datum: Datum) -> tuple[float, float, float, float]:
    text = query["bbox"]
    rule = _("Write west,south,east,north in degrees.")
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise QueryRefused("bbox", text, rule) from None
    if not (all(map(math.isfinite, (west, south, east, north))) and west <= east and south <= north):
        raise QueryRefused("bbox", text, rule)
    if datum is not Datum.WGS84:
        lon, lat = convert(
            np.array([west, west, east, east]), np.array([south, north, south, north]), source=datum, target=Datum.WGS84
        )
        west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
    return float(west), float(south), float(east), float(north)


async def _answer(scope: Scope, send: Send, body: bytes, tag: bytes, *headers: tuple[bytes, bytes]) -> None:
    status = 200
    for name, value in scope["headers"]:
        if name == b"if-none-match" and (value == b"*" or tag in value):
            status, body = 304, b""
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, (b"etag", tag), *headers]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _refuse(scope: Scope, send: Send, refused: QueryRefused) -> None:
    with translation.override(_language(scope)):
        error = {"field": refused.field, "value": refused.value, "rule": str(refused.rule)}
        title = str(_("Something in the request breaks a rule"))
    await _problem(scope, send, 422, title, errors=[error])


async def _not_ready(scope: Scope, send: Send) -> None:
    with translation.override(_language(scope)):
        title = str(_("The directory is being read; try again in a moment"))
    await _problem(scope, send, 503, title)


async def _problem(scope: Scope, send: Send, status: int, title: str, **more: Any) -> None:
    body = _encode({"type": "about:blank", "title": title, "status": status, "instance": scope["path"], **more})
    headers = [_PROBLEM, (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _language(scope: Scope) -> str:
    """Chinese unless the asker prefers English."""
    for name, value in scope["headers"]:
        if name == b"accept-language" and value[:2].lower() == b"en":
            return "en"
    return "zh-hans"


keeper: Keeper[Prepared] = Keeper(lambda snapshot: Prepared(PlaceIndex(snapshot)))


class ExactRoute(Route):
    """A route without parameters: one comparison instead of a regular expression."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"] == self.path and scope["method"] in (self.methods or ()):
            return Match.FULL, {"endpoint": self.endpoint}
        return super().matches(scope)


def routes_of(keeper: Keeper[Prepared]) -> list[BaseRoute]:
    """The routes that answer from a keeper's index."""
    return [
        ExactRoute("/api/places/nearest", NearestPlaces(keeper), methods=["GET"]),
        ExactRoute("/api/places/index.json", MapOfPlaces(keeper), methods=["GET"]),
    ]


routes = routes_of(keeper)


async def startup() -> None:
    """Read the directory and keep listening."""
    keeper.start()


async def shutdown() -> None:
    """Stop listening."""
    keeper.stop()


def ready() -> bool:
    """Whether the directory has been read."""
    return keeper.current is not None
