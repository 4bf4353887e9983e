"""What the hot application answers for this room, without the database on the way: nearest places, and all for the map.

Positions come with their datum (`datum=` is required) and answers say theirs: the same, unless `answer_datum=` asks for
another. Errors are problem details (RFC 9457) that name field, value and rule.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from starlette.routing import BaseRoute, Match, Route

from yizhan.geo import Datum

from .index import PlaceIndex
from .keeper import Keeper
from .parameters import (
    QueryRefused,
    box_of,
    codes_of,
    datum_of,
    kinds_of,
    number_of,
    open_now,
    position_of,
    query_of,
    whole_number,
)
from .prepared import Prepared, for_the_map

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_NEAREST = 50

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_PRIVATE = (b"cache-control", b"private, max-age=10")
_SHARED = (b"cache-control", b"public, max-age=15")
_encode = msgspec.json.Encoder().encode


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
            body = self.answer(ready, query_of(scope))
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
        datum = datum_of(query, "datum", None)
        shown_in = datum_of(query, "answer_datum", datum)
        lon, lat = position_of(query, datum)
        count = whole_number(query, "count", 10, 1, MOST_NEAREST)
        radius = number_of(query, "radius_m", 1.0, 1e7) if "radius_m" in query else None
        found = ready.index.nearest(
            lon,
            lat,
            at_s=int(time.time()) if at_s is None else at_s,
            count=count,
            open_now=open_now(query),
            kinds=kinds_of(query) if query.get("kinds") else (),
            offers=codes_of(query["offers"]) if query.get("offers") else (),
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
            body, tag = self.answer(ready, query_of(scope), zipped=zipped)
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
        datum = datum_of(query, "datum", None)
        moment = ready.index.moment(int(time.time()) if at_s is None else at_s)
        box = box_of(query, datum) if query.get("bbox") else None
        key = (moment.from_s, datum, zipped)
        if box is None and key in ready.maps:
            return ready.maps[key]
        chosen = ready.index.within_box(*box).tolist() if box else range(len(ready.ids))
        body = _encode(for_the_map(ready, moment, datum, list(chosen)))
        tag = b'W/"%08x"' % zlib.crc32(body)
        if zipped:
            body = gzip.compress(body, 5)
        if box is None:
            if len(ready.maps) > 4 * len(Datum):
                ready.maps.clear()
            ready.maps[key] = (body, tag)
        return body, tag


async def _answer(scope: Scope, send: Send, body: bytes, tag: bytes, *headers: tuple[bytes, bytes]) -> None:
    status = 200
    for name, value in scope["headers"]:
        if name == b"if-none-match" and (value == b"*" or tag in value):
            status, body = 304, b""
    length = [] if status == 304 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, (b"etag", tag), *length, *headers]})
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
    headers = [_PROBLEM, (b"cache-control", b"no-store"), (b"content-length", b"%d" % len(body))]
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
