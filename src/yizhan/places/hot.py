"""What the hot application answers for this room, without the database on the way: nearest places, lists, the map.

Positions come with their datum (`datum=` is required) and answers say theirs: the same, unless `answer_datum=` asks for
another. Errors are problem details (RFC 9457) that name field, value and rule.
"""

from __future__ import annotations

import time

import msgspec
from starlette.routing import BaseRoute, Match, Route

from yizhan.geo import Datum

from .codings import BROTLI, GZIP, IDENTITY, coded, preferred
from .index import PlaceIndex
from .keeper import Keeper
from .lookups import lists
from .parameters import (
    QueryRefused,
    box_of,
    datum_of,
    flag_of,
    narrowing_of,
    number_of,
    position_of,
    query_of,
    whole_number,
)
from .prepared import Prepared, for_the_map
from .responses import PRIVATE, SHARED, Receive, Scope, Send, answer, not_ready, refuse, tag_of
from .snapshot import Snapshot

MOST_NEAREST = 50

_encode = msgspec.json.Encoder().encode


class NearestPlaces:
    """`GET /api/places/nearest?lon=&lat=&datum=`.

    Further: `open=now|any`, `kinds=`, `offers=` (all of them), `any_offers=`, `union=`, `count=`, `radius_m=`,
    `answer_datum=`, `times=1` (also when each is open in the days ahead).
    """

    def __init__(self, keeper: Keeper[Prepared]) -> None:
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.keeper.current
        if ready is None:
            await not_ready(scope, send)
            return
        try:
            body = self.answer(ready, query_of(scope))
        except QueryRefused as refused:
            await refuse(scope, send, refused)
            return
        tag = tag_of(body)
        await answer(scope, send, body, tag, PRIVATE)

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
        found = ready.index.nearest_of(
            lon,
            lat,
            narrowing_of(query, ready.index.snapshot.unions, open_now=True),
            at_s=int(time.time()) if at_s is None else at_s,
            count=count,
            radius_m=radius,
        )
        said = ready.said(found.moment, shown_in)
        with_times = flag_of(query, "times")
        objects = []
        for place, metres in zip(found.places.tolist(), found.metres.tolist(), strict=True):
            text = said.get(place)
            if text is None:
                text = said[place] = ready.say(place, found.moment, shown_in)
            if with_times:
                text = b'%s,"times":%s}' % (text[:-1], ready.times(place))
            objects.append(b'{"distance_m":%d,%s' % (metres + 0.5, text))
        return b'{"datum":"%s","count":%d,"places":[%s]}' % (shown_in.encode(), len(objects), b",".join(objects))


class MapOfPlaces:
    """`GET /api/places/index.json?datum=`: every published place in a few columns, for the map; `bbox=` narrows it."""

    def __init__(self, keeper: Keeper[Prepared]) -> None:
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.keeper.current
        if ready is None:
            await not_ready(scope, send)
            return
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1")
        coding = preferred(accepted, (BROTLI, GZIP))
        try:
            body, tag = self.answer(ready, query_of(scope), coding=coding)
        except QueryRefused as refused:
            await refuse(scope, send, refused)
            return
        extra = [(b"content-encoding", coding.encode())] if coding != IDENTITY else []
        await answer(scope, send, body, tag, SHARED, (b"vary", b"accept-encoding"), *extra)

    @staticmethod
    def answer(
        ready: Prepared, query: dict[str, str], *, coding: str = IDENTITY, at_s: int | None = None
    ) -> tuple[bytes, bytes]:
        """The JSON for a query, and its entity tag; without `bbox` it is made once a moment.

        Raises:
            QueryRefused: a parameter is missing or breaks a rule.
        """
        datum = datum_of(query, "datum", None)
        moment = ready.index.moment(int(time.time()) if at_s is None else at_s)
        box = box_of(query, datum) if query.get("bbox") else None
        key = (moment.from_s, datum, coding)
        if box is None and key in ready.maps:
            return ready.maps[key]
        chosen = ready.index.within_box(*box).tolist() if box else range(len(ready.ids))
        body = _encode(for_the_map(ready, moment, datum, list(chosen)))
        tag = tag_of(body)
        body = coded(body, coding)
        if box is None:
            if len(ready.maps) > 6 * len(Datum):
                ready.maps.clear()
            ready.maps[key] = (body, tag)
        return body, tag


def _prepared(snapshot: Snapshot, before: Prepared | None) -> Prepared:
    return Prepared(PlaceIndex(snapshot, like=before.index if before else None), like=before)


keeper: Keeper[Prepared] = Keeper(_prepared)


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
        *(ExactRoute(path, of, methods=list(of.methods)) for path, of in lists(keeper)),
    ]


def direct_of(keeper: Keeper[Prepared]) -> dict[str, NearestPlaces]:
    """What is asked so often that it goes past routing."""
    return {"/api/places/nearest": NearestPlaces(keeper)}


routes = routes_of(keeper)
direct = direct_of(keeper)


async def startup() -> None:
    """Read the directory and keep listening."""
    keeper.start()


async def shutdown() -> None:
    """Stop listening."""
    keeper.stop()


def ready() -> bool:
    """Whether the directory has been read."""
    return keeper.current is not None
