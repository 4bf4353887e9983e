"""What the hot application answers for this room: snapshots as streams, changes, and who is open now.

Everything is open to everyone and holds nothing but what everyone may know (`feeds.facts`). Questions to the database
are short and run in threads; a slow reader keeps none of them.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from yizhan.places.codings import BROTLI, WORTH_CODING_BYTES, BrotliStream, coded, likes_brotli_best
from yizhan.places.hot import ExactRoute
from yizhan.places.hot import keeper as places_keeper
from yizhan.places.keeper import Keeper
from yizhan.places.parameters import QueryRefused, query_of, whole_number
from yizhan.places.prepared import Prepared
from yizhan.places.responses import Receive, Scope, Send, not_ready, refuse

from . import showing
from .asking import Asked, asked_of, sequence_of
from .queries.changes import last_change
from .queries.rows import Row, changed_rows, chunk_after
from .sequencer import sequencer
from .services.sequence import sequence_changes
from .status import TTL_S, Status

T = TypeVar("T")
Run = Callable[[Callable[[], T]], Awaitable[T]]

INFORMATION_TTL_S = 3_600
MOST_CHANGES, USUAL_CHANGES = 5_000, 500
_MOST_AT_ONCE = 4  # threads that ask the database

_encode = msgspec.json.Encoder().encode


class State:
    """How far the sequence has come, and the validators of an answer that shows it."""

    def __init__(self, sequence: int, at: datetime | None, asked: object) -> None:
        self.sequence = sequence
        self.at = at
        self.tag = f'W/"{sequence:x}-{zlib.crc32(repr(asked).encode()):08x}"'

    @property
    def headers(self) -> dict[str, str]:
        """The validators. A second that is not over yet may still bring changes and is no answer to “since when”."""
        headers = {"ETag": self.tag}
        if self.at is not None and self.at.replace(microsecond=0) < datetime.now(UTC).replace(microsecond=0):
            headers["Last-Modified"] = format_datetime(self.at.astimezone(UTC).replace(microsecond=0), usegmt=True)
        return headers

    def is_known(self, scope: Scope) -> bool:
        """Whether the asker has this already."""
        told = dict(scope["headers"])
        if b"if-none-match" in told:
            tags = told[b"if-none-match"].decode("latin-1")
            return tags.strip() == "*" or self.tag.removeprefix("W/") in tags
        if "Last-Modified" not in self.headers or b"if-modified-since" not in told or self.at is None:
            return False
        try:
            since = parsedate_to_datetime(told[b"if-modified-since"].decode("latin-1"))
            return self.at.replace(microsecond=0) <= since
        except (ValueError, TypeError):
            return False


class Doors:
    """The HTTP side of the feeds.

    Args:
        run: Runs a function that asks the database, away from the event loop.
        keeper: Holds the index of places, for who is open now.
    """

    def __init__(self, run: Run[Any], keeper: Keeper[Prepared]) -> None:
        self._run = run
        self._keeper = keeper
        self._status = Status()

    def routes(self) -> list[BaseRoute]:
        """The routes that answer."""
        return [
            ExactRoute(f"/api/feeds/{name}", _Door(answer, self._run), methods=["GET"])
            for name, answer in (
                ("feeds.json", self.feeds),
                ("places.geojson", self.geojson),
                ("places.csv", self.csv),
                ("places.json", self.information),
                ("status.json", self.status),
                ("changes", self.changes),
            )
        ]

    async def feeds(self, scope: Scope) -> Response:
        """Which feeds there are."""
        asked_of(query_of(scope))
        names = ("places.json", "status.json", "places.geojson", "places.csv", "changes")
        feeds = [{"name": name.partition(".")[0], "url": f"{settings.BASE_URL}/api/feeds/{name}"} for name in names]
        body = {"ttl": INFORMATION_TTL_S, "version": "1.0", "data": {"feeds": feeds}}
        return _json(_encode(body), {"Cache-Control": f"public, max-age={INFORMATION_TTL_S}"})

    async def geojson(self, scope: Scope) -> Response:
        """Every place asked for as GeoJSON, as a stream."""
        asked, state = await self._asked(scope)
        head = (
            f'{{"type":"FeatureCollection","name":"places","datum":"{asked.datum.value}","sequence":{state.sequence},'
            f'"licence":{_encode(settings.OPEN_DATA_LICENCE).decode()},"features":[\n'
        )
        return self._stream(
            scope, asked, state, showing.features, head, "\n]}\n", "application/geo+json", f"max-age={TTL_S}"
        )

    async def information(self, scope: Scope) -> Response:
        """The slow facts of every place asked for, as a stream."""
        asked, state = await self._asked(scope)
        at_s = int(state.at.timestamp()) if state.at else 0
        head = (
            f'{{"last_updated":{at_s},"ttl":{INFORMATION_TTL_S},"version":"1.0","sequence":{state.sequence},'
            f'"datum":"{asked.datum.value}","licence":{_encode(settings.OPEN_DATA_LICENCE).decode()},'
            '"data":{"places":[\n'
        )
        return self._stream(
            scope, asked, state, showing.entries, head, "\n]}}\n", "application/json", f"max-age={INFORMATION_TTL_S}"
        )

    async def csv(self, scope: Scope) -> Response:
        """Every place asked for as CSV, as a stream."""
        asked, state = await self._asked(scope)
        head = "\ufeff" + showing.csv_lines([], asked.datum, heading=True)

        def lines(rows: list[Row], datum: Any) -> list[str]:
            return [showing.csv_lines(rows, datum)]

        return self._stream(
            scope, asked, state, lines, head, "", "text/csv; charset=utf-8", f"max-age={TTL_S}", between=""
        )

    async def changes(self, scope: Scope) -> Response:
        """A page of what has changed since a number."""
        query = query_of(scope)
        asked = await self._run(lambda: asked_of(query, frozenset({"changed_since", "limit"})))
        since = sequence_of(query, "changed_since")
        limit = whole_number(query, "limit", USUAL_CHANGES, 1, MOST_CHANGES)
        return await self._run(lambda: _page_of_changes(scope, asked, since, limit))  # type: ignore[no-any-return]

    async def status(self, scope: Scope) -> Response:
        """Who is open now."""
        for name, value in query_of(scope).items():
            if name:
                raise QueryRefused(name, value, _("There is no such parameter here."))
        ready = self._keeper.current
        if ready is None:
            raise _NotReady
        sequence, _at = await self._run(last_change)
        body: bytes = await self._run(lambda: self._status.body(ready, sequence))
        state = State(sequence, None, zlib.crc32(body))
        if state.is_known(scope):
            return Response(status_code=304, headers=state.headers)
        return _json(body, {**state.headers, "Cache-Control": f"public, max-age={TTL_S}"})

    async def _asked(self, scope: Scope) -> tuple[Asked, State]:
        query = query_of(scope)

        def look() -> tuple[Asked, State]:
            asked = asked_of(query)
            sequence_changes(wait=False)
            return asked, State(*last_change(), (scope["path"], asked))

        return await self._run(look)  # type: ignore[no-any-return]

    def _stream(
        self,
        scope: Scope,
        asked: Asked,
        state: State,
        shown: Callable[[list[Row], Any], list[str]],
        head: str,
        foot: str,
        media_type: str,
        keep: str,
        *,
        between: str = ",\n",
    ) -> Response:
        headers = {**state.headers, "Cache-Control": f"public, {keep}", "Access-Control-Allow-Origin": "*"}
        if state.is_known(scope):
            return Response(status_code=304, headers=headers)
        stream = BrotliStream() if wants_brotli(scope) else None
        if stream is not None:
            headers["Content-Encoding"] = BROTLI
        if scope["method"] == "HEAD":
            return Response(headers=headers, media_type=media_type)

        def part_after(last: int, before: str) -> Awaitable[tuple[int, bytes]]:
            """The next part of the stream and the row number it ends with; 0: this was the last."""

            def told() -> tuple[int, bytes]:
                reached, body = _told_after(asked, last, shown, between)
                if not reached:  # nothing, or nothing more
                    body = ((head if last == 0 else "") + foot).encode()
                    return 0, stream.last(body) if stream is not None else body
                body = before.encode() + body
                return reached, stream.part(body) if stream is not None else body

            return self._run(told)

        async def parts() -> AsyncIterator[bytes]:
            # Head and first chunk in one piece: what begins with a few bytes is not compressed on its way.
            last, told = await part_after(0, head)
            while last:
                following = part_after(last, between)  # the database is asked while this part is on its way
                yield told
                last, told = await following
            yield told

        return StreamingResponse(parts(), headers=headers, media_type=media_type)


def _told_after(
    asked: Asked, place_id: int, shown: Callable[[list[Row], Any], list[str]], between: str
) -> tuple[int, bytes]:
    """The next chunk as it is told, and the row number it ends with; 0: there is no more."""
    rows = chunk_after(asked, place_id)
    return (rows[-1].place_id if rows else 0), between.join(shown(rows, asked.datum)).encode()


def _page_of_changes(scope: Scope, asked: Asked, since: int, limit: int) -> Response:
    sequence_changes(wait=False)
    last, at = last_change()
    state = State(last, at, (asked, since, limit))
    headers = {**state.headers, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    if since > last:
        return _begin_anew(scope, since)
    if state.is_known(scope):
        return Response(status_code=304, headers=headers)
    rows = changed_rows(since, limit=limit)
    told = [row for row in rows if not row.gone and showing.matches(row, asked)]
    shown = {row.public_id for row in told}
    reached = rows[-1].sequence if rows else since
    rest = [showing.gone(row, reason=row.gone or "outside") for row in rows if row.public_id not in shown]
    body = (
        f'{{"type":"FeatureCollection","datum":"{asked.datum.value}","changed_since":{since},"sequence":{reached},'
        f'"more":{"true" if reached < last else "false"},"features":[\n'
        + ",\n".join(showing.features(told, asked.datum))
        + f'\n],"gone":{_encode(rest).decode()}}}\n'
    )
    return Response(body, headers=headers, media_type="application/geo+json")


def _begin_anew(scope: Scope, since: int) -> Response:
    body = {
        "type": "about:blank",
        "title": "This number is not known here: read everything anew from changed_since=0",
        "status": 410,
        "instance": scope["path"],
        "errors": [{"field": "changed_since", "value": str(since), "rule": "a number that an earlier answer gave"}],
    }
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    return Response(_encode(body), status_code=410, headers=headers, media_type="application/problem+json")


def _json(body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, headers={"Access-Control-Allow-Origin": "*", **headers}, media_type="application/json")


class _NotReady(Exception):
    pass


def wants_brotli(scope: Scope) -> bool:
    """Whether the answer to this question goes out in brotli."""
    return likes_brotli_best(dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1"))


class _Door:
    """One address: refusals become problem details; what is large goes out in the coding that the asker likes best.

    The tags are weak: they name what an answer says, in whatever coding, so that one validates all of them.
    """

    def __init__(self, answer: Callable[[Scope], Awaitable[Response]], run: Run[Any]) -> None:
        self._answer = answer
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope)
        except QueryRefused as refused:
            await refuse(scope, send, refused)
        except _NotReady:
            await not_ready(scope, send)
        else:
            response.headers.add_vary_header("Accept-Encoding")
            body = b"" if isinstance(response, StreamingResponse) else bytes(response.body)
            if len(body) >= WORTH_CODING_BYTES and wants_brotli(scope):
                response.body = await self._run(lambda: coded(body, BROTLI))
                response.headers["Content-Encoding"] = BROTLI
                response.headers["Content-Length"] = str(len(response.body))
            await response(scope, receive, send)


_threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="feeds")


def in_threads(work: Callable[[], T]) -> Awaitable[T]:
    """Run at once in one of a few threads that keep a connection to the database each."""

    def fresh() -> T:
        connection.close_if_unusable_or_obsolete()
        return work()

    return asyncio.get_running_loop().run_in_executor(_threads, fresh)


def routes_of(run: Run[Any], keeper: Keeper[Prepared]) -> list[BaseRoute]:
    """The routes of this room."""
    return Doors(run, keeper).routes()


routes = routes_of(in_threads, places_keeper)
_sequencer = sequencer()


async def startup() -> None:
    """Begin to number changes as they come."""
    _sequencer.start()


async def shutdown() -> None:
    """End."""
    await asyncio.to_thread(_sequencer.stop)
