"""Lists that the hot application answers in pages: by text, in a box, along a route.

They run in a thread of their own, because a list may take some milliseconds and the event loop has others to serve.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum

from .index import Line
from .keeper import Keeper
from .paging import part_of
from .parameters import (
    QueryRefused,
    box_of,
    cursor_of,
    datum_of,
    narrowing_of,
    number_of,
    position_of,
    query_of,
    text_of,
    whole_number,
)
from .prepared import Prepared
from .responses import PRIVATE, Receive, Scope, Send, answer, not_ready, refuse, tag_of, wrong_method
from .routes import LARGEST_BODY, Route, route_of_geojson, route_of_text

MOST_FOUND = 100
MOST_IN_BOX = 500
NARROWEST_M, WIDEST_M = 10.0, 5_000.0

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="places-lists")


class ListOfPlaces:
    """What the three have in common. A subclass reads its own parameters in `line`, and says what stands first."""

    most = MOST_FOUND
    default = 20
    methods: tuple[str, ...] = ("GET",)

    def __init__(self, keeper: Keeper[Prepared]) -> None:
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.keeper.current
        if ready is None:
            await not_ready(scope, send)
            return
        if scope["method"] not in (*self.methods, "HEAD"):
            await wrong_method(scope, send, ", ".join((*self.methods, "HEAD")).encode())
            return
        try:
            query = query_of(scope)
            sent = await _body_of(receive) if scope["method"] == "POST" else None
            body = await asyncio.get_running_loop().run_in_executor(_thread, self.answer, ready, query, sent)
        except QueryRefused as refused:
            await refuse(scope, send, refused)
            return
        await answer(scope, send, body, tag_of(body), PRIVATE)

    def answer(
        self, ready: Prepared, query: dict[str, str], sent: bytes | None = None, *, at_s: int | None = None
    ) -> bytes:
        """The JSON for a query.

        Raises:
            QueryRefused: a parameter is missing or breaks a rule.
        """
        datum = datum_of(query, "datum", None)
        shown_in = datum_of(query, "answer_datum", datum)
        limit = whole_number(query, "limit", self.default, 1, self.most)
        line = self.line(ready, query, datum, sent, at_s=int(time.time()) if at_s is None else at_s)
        part = part_of(ready.index, line, limit=limit, after=cursor_of(query))
        said = ready.said(line.moment, shown_in)
        objects = []
        for place, first, second in zip(part.places, part.first, part.second, strict=True):
            text = said.get(place)
            if text is None:
                text = said[place] = ready.say(place, line.moment, shown_in)
            objects.append(b"{%s%s" % (self.lead(query, first, second), text))
        following = b'"%s"' % str(part.next).encode() if part.next else b"null"
        return b'{"datum":"%s","total":%d,"count":%d,"next":%s,"places":[%s]}' % (
            shown_in.encode(),
            part.total,
            len(objects),
            following,
            b",".join(objects),
        )

    def line(self, ready: Prepared, query: dict[str, str], datum: Datum, sent: bytes | None, *, at_s: int) -> Line:
        """The places asked for."""
        raise NotImplementedError

    def lead(self, query: dict[str, str], first: float, second: float) -> bytes:
        """What is said of a place before all that is always said, with a comma after it."""
        return b""


class SearchPlaces(ListOfPlaces):
    """`GET /api/places/search?q=&datum=`: by name, district and address, in Chinese, pinyin or initials.

    With `lon` and `lat` places that answer as well come by distance, which is told.
    """

    def line(self, ready: Prepared, query: dict[str, str], datum: Datum, sent: bytes | None, *, at_s: int) -> Line:
        origin = position_of(query, datum) if query.get("lon") or query.get("lat") else None
        narrowing = narrowing_of(query, ready.index.snapshot.unions, open_now=False)
        return ready.index.search(text_of(query), narrowing, at_s=at_s, origin=origin)

    def lead(self, query: dict[str, str], first: float, second: float) -> bytes:
        return b'"distance_m":%d,' % (second + 0.5) if query.get("lon") else b""


class PlacesInBox(ListOfPlaces):
    """`GET /api/places/in-box?bbox=&datum=`: in the order of their identifiers."""

    most = MOST_IN_BOX
    default = 100

    def line(self, ready: Prepared, query: dict[str, str], datum: Datum, sent: bytes | None, *, at_s: int) -> Line:
        if not query.get("bbox"):
            raise QueryRefused("bbox", "", _("Write west,south,east,north in degrees."))
        narrowing = narrowing_of(query, ready.index.snapshot.unions, open_now=False)
        return ready.index.in_box(*box_of(query, datum), narrowing, at_s=at_s)


class PlacesAlongRoute(ListOfPlaces):
    """`GET /api/places/along-route?route=lon,lat;lon,lat&datum=`, or the same with a GeoJSON LineString posted.

    In the order of the ride, with metres along it and the detour: there and back as the crow flies.
    """

    methods = ("GET", "POST")

    def line(self, ready: Prepared, query: dict[str, str], datum: Datum, sent: bytes | None, *, at_s: int) -> Line:
        route: Route = route_of_text(query.get("route", ""), datum) if sent is None else route_of_geojson(sent, datum)
        corridor = number_of(query, "corridor_m", NARROWEST_M, WIDEST_M) if query.get("corridor_m") else 500.0
        narrowing = narrowing_of(query, ready.index.snapshot.unions, open_now=True)
        return ready.index.along(*route, corridor, narrowing, at_s=at_s)

    def lead(self, query: dict[str, str], first: float, second: float) -> bytes:
        return b'"along_m":%d,"distance_m":%d,"detour_m":%d,' % (first + 0.5, second + 0.5, 2 * second + 0.5)


async def _body_of(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise QueryRefused("body", "", _("The body did not arrive whole."))
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise QueryRefused("body", str(size), _("At most %(most)d bytes are read.") % {"most": LARGEST_BODY})
        if not message.get("more_body"):
            return b"".join(parts)


def lists(keeper: Keeper[Prepared]) -> Sequence[tuple[str, ListOfPlaces]]:
    """Each list with its address."""
    return (
        ("/api/places/search", SearchPlaces(keeper)),
        ("/api/places/in-box", PlacesInBox(keeper)),
        ("/api/places/along-route", PlacesAlongRoute(keeper)),
    )
