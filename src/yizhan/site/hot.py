"""The hot application: what must be fast and needs no database, beside Django and behind the same front door.

A room that answers here has a module `hot` with `routes`, and where it needs them the coroutines `startup` and
`shutdown` and a function `ready`, which says whether it can answer. Its `direct` names addresses whose GET goes to an
ASGI application past all routing; they stand among `routes` too, which answer other methods. Served by Granian as
`yizhan.site.hot:application`.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import django
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("yizhan.site.hot")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
django.setup()

from yizhan.site.api import rooms_having  # noqa: E402 - the rooms' models can be imported only now


class HotApplication(Starlette):
    """As Starlette, with a short way to the addresses that are asked most: routing took a sixth of an answer's time."""

    def __init__(self, direct: Mapping[str, ASGIApp], **options: Any) -> None:
        super().__init__(**options)
        self._direct = dict(direct)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            answer = self._direct.get(scope["path"])
            if answer is not None:
                try:
                    await answer(scope, receive, send)
                except Exception as error:  # as Starlette's own outermost layer does
                    log.exception("an answer failed", extra={"path": scope["path"]})
                    await _on_error(Request(scope), error)(scope, receive, send)
                return
        if scope["type"] == "http" and scope["method"] != "GET":
            send = _after_the_body(receive := _Body(receive), send)
        await super().__call__(scope, receive, send)


class _Body:
    """A request's body on its way in, which knows whether it has come to its end."""

    # A sender of more than this is cut off, whatever we answer.
    MOST_BYTES = 256 * 1024 * 1024

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read what nobody asked for: a refusal before the end of the body breaks the front door's pipe, and the
        sender would read "starting" instead of the reason."""
        size = 0
        while not self._ended and size < self.MOST_BYTES:
            size += len((await self()).get("body", b""))


def _after_the_body(body: _Body, send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            await body.drain()
        await send(message)

    return sent


def assemble(rooms: list[Any]) -> Starlette:
    """One application from the hot modules of the rooms."""

    @contextlib.asynccontextmanager
    async def lifespan(_application: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for room in rooms:
                if startup := getattr(room, "startup", None):
                    await startup()
                if shutdown := getattr(room, "shutdown", None):
                    stack.push_async_callback(shutdown)
            yield

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        checks = {room.__name__.split(".")[1]: bool(room.ready()) for room in rooms if hasattr(room, "ready")}
        return JSONResponse(
            {"ready": all(checks.values()), "checks": checks}, status_code=200 if all(checks.values()) else 503
        )

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    # The front door passes none of the addresses under /hot/ on: they are for this machine.
    own: list[BaseRoute] = [
        Route("/hot/healthz", healthz),
        Route("/hot/readyz", readyz),
        Route("/hot/metrics", metrics),
    ]
    return HotApplication(
        {path: answer for room in rooms for path, answer in getattr(room, "direct", {}).items()},
        routes=[*own, *(route for room in rooms for route in room.routes)],
        lifespan=lifespan,
        exception_handlers={HTTPException: _on_http_error, Exception: _on_error},
    )


def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "instance": request.url.path}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _on_error(request: Request, error: Exception) -> Response:
    """What nobody foresaw: logged by the server, and told without what went wrong inside."""
    return _on_http_error(request, HTTPException(500))


application = assemble(rooms_having("hot"))
