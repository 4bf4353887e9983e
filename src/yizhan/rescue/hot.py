"""What the hot application answers for this room: live streams of calls, duty and board, and positions of rescuers.

A stream holds no connection to the database: one thread listens for all (`services.announcing`) and reads what changed
once, however many follow it. Positions are kept in memory and written once a second in one statement.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
import numpy as np
from django.db import DatabaseError, connection
from django.utils import translation
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from yizhan.places.listening import Announcements, Listener

from .facts import position_rule
from .live_tokens import TokenRefused, Watch, read_token
from .providers import road_time, speeds
from .queries import live as queries
from .services.announcing import CHANGED
from .services.positions import Told, tell_positions
from .streams import Streams, TooManyStreams
from .territory import territories

log = logging.getLogger("yizhan.rescue.hot")

T = TypeVar("T")
WRITE_EVERY_S: Final = 1.0
SETTLE_S: Final = 0.05  # what changes together is read together
MOST_BODY: Final = 1024


class Position(msgspec.Struct):
    """Where a rescuer is, WGS-84 degrees."""

    lon: float
    lat: float


class Live:
    """The streams of this process, what feeds them, and the positions that wait to be written."""

    def __init__(self) -> None:
        self.streams = Streams()
        self._told: dict[int, tuple[float, float, float]] = {}  # rescuer: longitude, latitude, when by our own clock
        self._off_duty: set[int] = set()  # who told a position lately that was not kept
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="rescue")
        self._writing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = Listener("rescue-live", (CHANGED,), begin=self._begin, hear=self._hear, settle_s=SETTLE_S)

    async def start(self) -> None:
        """Begin to listen and to write."""
        self._loop = asyncio.get_running_loop()
        self._listener.start()
        self._writing = asyncio.create_task(self._write_positions())

    async def stop(self) -> None:
        """End; positions that wait are written first."""
        if self._writing is not None:
            self._writing.cancel()
        await asyncio.to_thread(self._listener.stop)
        await self._flush()
        self._threads.shutdown(wait=False)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run what asks the database or a map, away from the event loop."""

        def fresh() -> T:
            connection.close_if_unusable_or_obsolete()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, fresh)

    def tell(self, rescuer: int, position: Position) -> bool:
        """Keep a position until it is written; says whether the last one of this phone was."""
        self._told[rescuer] = (position.lon, position.lat, time.monotonic())
        return rescuer not in self._off_duty

    async def _write_positions(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            try:
                await self._flush()
            except DatabaseError as failure:
                log.warning("positions cannot be written", extra={"error": type(failure).__name__})
            except Exception:  # whatever is wrong with one writing must not end all later ones
                log.exception("positions cannot be written")

    async def _flush(self) -> None:
        told, self._told = self._told, {}
        if not told:
            return
        now = time.monotonic()
        rows = {who: Told(lon, lat, now - at) for who, (lon, lat, at) in told.items()}
        try:
            kept = await self.in_thread(lambda: tell_positions(rows))
        except DatabaseError:
            self._told = {**told, **self._told}  # to be written when the database is back, if nothing newer came
            raise
        self._off_duty = (self._off_duty - kept) | (told.keys() - kept)
        await self._move({who: rows[who] for who in kept})

    async def _move(self, told: dict[int, Told]) -> None:
        """Tell followers of calls where whoever comes is, and how long they still take."""
        calls = [call for call in self.streams.coming(told) if call.rescuer is not None]
        if not calls:
            return
        at = [told[call.rescuer] for call in calls if call.rescuer is not None]
        lines = (
            [each.lon for each in at], [each.lat for each in at], [call.lon for call in calls],
            [call.lat for call in calls], [speeds()[call.vehicle] for call in calls],
        )  # fmt: skip
        # Away from the event loop: a map that is asked may take its time, and everyone else's answers would wait.
        seconds = await self.in_thread(lambda: road_time().seconds(*lines))
        for call, where, each in zip(calls, at, np.asarray(seconds), strict=True):
            minutes = max(1, round(float(each) / 60)) if call.is_awaited else None
            self.streams.moves(call.pk, where.lon, where.lat, minutes)

    def _begin(self) -> None:
        """The database can be heard (again): what was announced meanwhile is made up for."""
        self._read(self.streams.calls, self.streams.rescuers)

    def _hear(self, heard: Announcements) -> None:
        named: dict[str, set[int]] = {"call": set(), "rescuer": set()}
        for each in heard:
            kind, _, row = each.payload.partition(" ")
            if kind in named and row.isdigit():
                named[kind].add(int(row))
        if heard:
            self._read(named["call"], named["rescuer"])

    def _read(self, calls: set[int], rescuers: set[int]) -> None:
        if self._loop is None or not (calls or rescuers):
            return
        # A new call has neither followers nor offers as a rule: what nobody hears is not read.
        followed = calls & self.streams.calls
        found = queries.followed(followed) if followed else {}
        asked = queries.asked(calls, rescuers) if self.streams.rescuers else {}
        paths = queries.unions_of(calls, rescuers) if self.streams.has_boards else set()

        def tell() -> None:
            for row in followed:
                if row in found:
                    self.streams.knows(found[row])
                else:
                    self.streams.lacks(row)
            self.streams.tells(asked)
            self.streams.changes(paths)
            self._off_duty -= rescuers  # they may be on duty again: the next writing tells

        self._loop.call_soon_threadsafe(tell)

    async def begins_with(self, watch: Watch) -> None:
        """Tell a stream that was opened now what it would have heard: how things stand."""
        if watch.kind == "call":
            row = int(watch.what)
            for call in (await self.in_thread(lambda: queries.followed([row]))).values():
                self.streams.knows(call)
        elif watch.kind == "rescuer":
            who = int(watch.what)
            self.streams.tells(await self.in_thread(lambda: queries.asked((), {who})))


class Doors:
    """The HTTP side: parse, call, shape the answer."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def events(self, request: Request) -> Response:
        """Open a live stream."""
        try:
            watch = read_token(request.query_params.get("token", ""))
            if watch.kind == "board":
                # A desk sees the rescuers and calls of its whole city.
                path = watch.what
                found = await self._live.in_thread(lambda: territories({path}))
                watch = Watch("board", min(found[path], path, key=len))
            stream = self._live.streams.open(watch)
        except TokenRefused as refused:
            return _problem(request, 401, refused.code, refused.detail)
        except TooManyStreams:
            return _problem(request, 503, "busy", "too many live streams are open", {"Retry-After": "10"})
        except DatabaseError:
            return _problem(request, 503, "not_now", "the database cannot be reached", {"Retry-After": "3"})
        try:
            await self._live.begins_with(watch)
        except DatabaseError:
            self._live.streams.close(stream)
            return _problem(request, 503, "not_now", "the database cannot be reached", {"Retry-After": "3"})
        return StreamingResponse(
            self._live.streams.frames(stream),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def position(self, request: Request) -> Response:
        """Take the position of a rescuer's phone."""
        try:
            watch = read_token(request.headers.get("authorization", "").removeprefix("Bearer "), kind="rescuer")
            told = msgspec.json.decode(await _body(request), type=Position)
        except TokenRefused as refused:
            return _problem(request, 401, refused.code, refused.detail)
        except (msgspec.DecodeError, UnicodeDecodeError, ClientDisconnect):
            return _problem(request, 400, "not_a_position", 'send {"lon": …, "lat": …}')
        with translation.override("en"):
            broken = position_rule(told.lon, told.lat)
        if broken:
            return _problem(request, 422, broken.code, str(broken.message))
        body = msgspec.json.encode({"on_duty": self._live.tell(int(watch.what), told)})
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            break
    return body[:MOST_BODY]


_TITLES: Final = {
    400: "The request cannot be read",
    401: "Not permitted without a valid token",
    422: "There is no such position",
    503: "Not now",
}


def _problem(request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An RFC 9457 answer, with a stable `code` for machines."""
    body = {
        "type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail, "code": code,
        "instance": request.url.path,
    }  # fmt: skip
    media_type = "application/problem+json"
    return Response(msgspec.json.encode(body), status_code=status, media_type=media_type, headers=headers)


def routes_of(live: Live) -> list[BaseRoute]:
    """The routes of this room."""
    doors = Doors(live)
    return [
        Route("/api/live/rescue/events", doors.events, methods=["GET"]),
        Route("/api/live/rescue/position", doors.position, methods=["POST"]),
    ]


_live = Live()
routes = routes_of(_live)
startup = _live.start
shutdown = _live.stop
