"""What the hot application answers for this room: pings in, live events out. No database on the way."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .live_tokens import TokenRefused, Watcher, read_token
from .runtime import arrow, metrics
from .runtime.around import NoSuchTile, Tile
from .runtime.decoding import MAX_BODY_BYTES, BatchRefused, read_batch
from .runtime.keys import Source
from .runtime.limits import TooFast
from .runtime.live import TooManySubscribers
from .runtime.showing import told
from .runtime.stream import Stream
from .runtime.taking import NotNow, Reader, Taken

log = logging.getLogger("yizhan.passage.hot")

MAX_KEY = 255
JSON = "application/json"
MAX_ROADS_BYTES = 2 * 1024 * 1024


def routes_of(stream: Stream) -> list[BaseRoute]:
    """The routes that a stream answers."""
    doors = Doors(stream)
    return [
        Route("/api/pings", doors.pings, methods=["POST"]),
        Route("/api/live/events", doors.events, methods=["GET"]),
        Route("/api/live/stations/{tile}", doors.stations, methods=["GET"]),
        Route("/api/live/roads.geojson", doors.roads, methods=["GET"]),
        Route("/api/live/roads.geojson", doors.set_roads, methods=["PUT"]),
    ]


class Doors:
    """The HTTP side of a stream: parse, call, shape the answer."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def pings(self, request: Request) -> Response:
        """Take a batch of pings and answer with the reminders that it caused."""
        began = time.perf_counter()
        try:
            source = self._source(request)
            read, most = _form(request)
            key = _idempotency_key(request)
            self._stream.admit(source)
            taken = await self._stream.take(source, await _body(request, most), read=read, key=key)
        except BatchRefused as refused:
            metrics.BATCHES.labels("refused").inc()
            return _problem(request, refused.status, refused.code, refused.detail)
        except NotNow as refused:
            metrics.BATCHES.labels(refused.code).inc()
            return _problem(request, 503, refused.code, refused.detail, headers={"Retry-After": "1"})
        except TooFast as refused:
            metrics.BATCHES.labels("too_fast").inc()
            headers = {"Retry-After": str(refused.retry_after_s)}
            return _problem(request, 429, "too_fast", str(refused), headers=headers)
        except _NoKey as refused:
            metrics.BATCHES.labels("no_key").inc()
            return _no_key(request, refused)
        metrics.BATCHES.labels("taken").inc()
        metrics.BATCH_SECONDS.observe(time.perf_counter() - began)
        return _json(_answer(taken))

    async def events(self, request: Request) -> Response:
        """Open a live stream."""
        try:
            watcher = self._watcher(request)
            last = request.headers.get("last-event-id", "")[:64]
            subscriber = await self._stream.watch_on(watcher.union_path, last_event_id=last)
        except TokenRefused as refused:
            return _problem(request, 401, refused.code, refused.detail)
        except TooManySubscribers:
            return _problem(request, 503, "busy", "too many live streams are open", headers={"Retry-After": "10"})
        return StreamingResponse(
            self._stream.hub.frames(subscriber),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def stations(self, request: Request) -> Response:
        """The stations of a tile, for a phone that judges by itself and tells nobody where it is."""
        name = request.path_params["tile"]
        try:
            answer = self._stream.around(Tile.parse(name))
        except NoSuchTile:
            return _problem(request, 404, "tile", f"there is no tile {name[:40]}: say half degrees, such as 227_69")
        except NotNow as refused:
            return _problem(request, 503, refused.code, refused.detail, headers={"Retry-After": "1"})
        headers = {"Cache-Control": "public, max-age=600", "ETag": answer.etag}
        if answer.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(answer.body, media_type=JSON, headers=headers)

    async def roads(self, request: Request) -> Response:
        """The roads that the simulation drives on, for the map."""
        try:
            roads = self._stream.simulated.roads(self._watcher(request).union_path)
        except TokenRefused as refused:
            return _problem(request, 401, refused.code, refused.detail)
        if roads is None:
            return _problem(request, 404, "no_roads", "no simulation has told its roads")
        return Response(roads, media_type="application/geo+json", headers={"Cache-Control": "private, max-age=300"})

    async def set_roads(self, request: Request) -> Response:
        """Keep the roads of a simulated source."""
        try:
            source = self._source(request)
            body = await _body(request, MAX_ROADS_BYTES)
        except _NoKey as refused:
            return _no_key(request, refused)
        except BatchRefused as refused:
            return _problem(request, refused.status, refused.code, refused.detail)
        except NotNow as refused:
            return _problem(request, 503, refused.code, refused.detail, headers={"Retry-After": "1"})
        if not source.is_simulated:
            return _problem(request, 403, "not_simulated", "only a simulated source tells its roads")
        try:
            msgspec.json.decode(body, type=_FeatureCollection)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _problem(request, 400, "not_geojson", "the body must be a GeoJSON FeatureCollection")
        self._stream.simulated.set_roads(source.union_path, body)
        return Response(status_code=204)

    def _source(self, request: Request) -> Source:
        if not self._stream.is_ready:
            raise NotNow("starting", "places are still being read: repeat the batch in a second")
        source = self._stream.keys.source(request.headers.get("authorization"))
        if source is None:
            raise _NoKey
        return source

    def _watcher(self, request: Request) -> Watcher:
        return read_token(request.query_params.get("token", ""), made_after=self._stream.tokens_made_after)


class _NoKey(Exception):
    def __init__(self) -> None:
        super().__init__("send the source's key as `Authorization: Bearer …`; it may have been revoked or replaced")


class _FeatureCollection(msgspec.Struct, tag_field="type", tag="FeatureCollection"):
    features: list[dict[str, Any]]


def _answer(taken: Taken) -> dict[str, Any]:
    return {
        "accepted": taken.accepted,
        "rejected_count": taken.rejected_count,
        "rejected": [{"index": each.index, "code": each.code, "reason": each.reason} for each in taken.rejected],
        "reminders": [told(each) for each in taken.reminded],
    }


def _form(request: Request) -> tuple[Reader, int]:
    """How the body is to be read, and how many bytes it may have."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise BatchRefused("compressed", "send the body uncompressed", status=415)
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().casefold()
    if kind == JSON:
        return read_batch, MAX_BODY_BYTES
    if kind == arrow.MEDIA_TYPE:
        return partial(arrow.read_arrow, datum=request.query_params.get("datum")), arrow.MAX_BODY_BYTES
    raise BatchRefused("not_json", f"send {JSON} or {arrow.MEDIA_TYPE}", status=415)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if len(key) > MAX_KEY:
        raise BatchRefused("key_too_long", f"Idempotency-Key has {len(key)} characters: at most {MAX_KEY}")
    return key


async def _body(request: Request, most: int) -> bytes:
    """The body, as long as it stays within `most` bytes: a longer one is refused before it is in memory."""
    too_big = BatchRefused("too_big", f"the body is too big: at most {most} bytes", status=413)
    stated = request.headers.get("content-length", "0")
    if stated.isdigit() and int(stated) > most:
        raise too_big
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise too_big
            parts.append(part)
    except ClientDisconnect:
        raise BatchRefused("cut_off", "the body ended before it was whole") from None
    return b"".join(parts)


def _json(body: dict[str, Any], status: int = 200, *, media_type: str = JSON) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type=media_type)


def _no_key(request: Request, refused: _NoKey) -> Response:
    return _problem(request, 401, "key", str(refused), headers={"WWW-Authenticate": "Bearer"})


TITLES = {
    400: "The request cannot be read",
    401: "Not permitted without a valid key or token",
    403: "Not allowed",
    404: "There is nothing here",
    413: "The request is too big",
    415: "The form of the request is not understood",
    422: "The request contradicts an earlier one",
    429: "Too many pings",
    503: "Not now",
}


def _problem(
    request: Request, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None
) -> Response:
    """An RFC 9457 answer, with a stable `code` for machines."""
    body = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.url.path,
    }
    answer = _json(body, status, media_type="application/problem+json")
    answer.headers.update(headers or {})
    return answer


stream = Stream()
routes = routes_of(stream)


async def startup() -> None:
    """Begin to read places and to write reminders."""
    await stream.start()


async def shutdown() -> None:
    """Write what is waiting, and end."""
    await stream.stop()


def ready() -> bool:
    """Whether pings are taken."""
    return stream.is_ready
