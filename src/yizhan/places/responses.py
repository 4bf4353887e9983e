"""Answers of the hot application: JSON with an entity tag, and problem details in the asker's language."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from .parameters import QueryRefused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PRIVATE = (b"cache-control", b"private, max-age=10")
SHARED = (b"cache-control", b"public, max-age=15")
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_encode = msgspec.json.Encoder().encode


def tag_of(body: bytes) -> bytes:
    """A weak entity tag of what an answer says."""
    return b'W/"%08x"' % zlib.crc32(body)


async def answer(scope: Scope, send: Send, body: bytes, tag: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Send JSON, or 304 to who has it already."""
    status = 200
    for name, value in scope["headers"]:
        if name == b"if-none-match" and (value == b"*" or tag in value):
            status, body = 304, b""
    length = [] if status == 304 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, (b"etag", tag), *length, *headers]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def refuse(scope: Scope, send: Send, refused: QueryRefused) -> None:
    """422 with field, value and rule."""
    with translation.override(_language(scope)):
        error = {"field": refused.field, "value": refused.value, "rule": str(refused.rule)}
        title = str(_("Something in the request breaks a rule"))
    await _problem(scope, send, 422, title, errors=[error])


async def not_ready(scope: Scope, send: Send) -> None:
    """503 while the directory is being read."""
    with translation.override(_language(scope)):
        title = str(_("The directory is being read; try again in a moment"))
    await _problem(scope, send, 503, title)


async def wrong_method(scope: Scope, send: Send, allowed: bytes) -> None:
    """405: the address answers other methods."""
    with translation.override(_language(scope)):
        title = str(_("This address does not answer that method"))
    await _problem(scope, send, 405, title, allow=allowed)


async def _problem(
    scope: Scope, send: Send, status: int, title: str, *, allow: bytes | None = None, **more: Any
) -> None:
    body = _encode({"type": "about:blank", "title": title, "status": status, "instance": scope["path"], **more})
    headers = [_PROBLEM, (b"cache-control", b"no-store"), (b"content-length", b"%d" % len(body))]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if allow is not None:
        headers.append((b"allow", allow))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _language(scope: Scope) -> str:
    """Chinese unless the asker prefers English."""
    for name, value in scope["headers"]:
        if name == b"accept-language" and value[:2].lower() == b"en":
            return "en"
    return "zh-hans"
