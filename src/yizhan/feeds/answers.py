"""Answers of this room's addresses within Django: conditional, open to other sites, refusals as RFC 9457 details."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _

from yizhan.places.codings import BROTLI, WORTH_CODING_BYTES, coded, likes_brotli_best
from yizhan.places.parameters import QueryRefused

from .queries.changes import last_change
from .services.sequence import sequence_changes

JSON = "application/json"
GEOJSON = "application/geo+json"
PROBLEM = "application/problem+json"
HTML = "text/html"
_encode = msgspec.json.Encoder().encode

View = Callable[..., HttpResponseBase]


def answered(view: View) -> View:
    """A view for programs: GET and HEAD, conditional, readable from any site; a refused parameter is a 400.

    The answer depends on nothing but the address, the form asked for, and how far the sequence of changes has come.
    """

    @wraps(view)
    def within(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"}:
            refused = problem(request, 405, _("This address does not answer that method"))
            refused["Allow"] = "GET, HEAD"
            return refused
        sequence_changes(wait=False)
        sequence, at = last_change()
        asked = f"{request.get_full_path()} {request.headers.get('Accept', '')} {request.LANGUAGE_CODE}"
        tag = f'W/"{sequence:x}-{zlib.crc32(asked.encode()):08x}"'
        # A second that is not over yet may still bring changes and is no answer to "since when".
        is_over = at is not None and at.replace(microsecond=0) < datetime.now(UTC).replace(microsecond=0)
        last = int(at.timestamp()) if at is not None and is_over else None
        response: HttpResponseBase | None = get_conditional_response(request, etag=tag, last_modified=last)
        if response is None:
            try:
                response = view(request, *args, **options)
            except QueryRefused as error:
                return problem(
                    request,
                    400,
                    _("Something in the request breaks a rule"),
                    errors=[{"field": error.field, "value": error.value, "rule": str(error.rule)}],
                )
        if response.status_code in {200, 304}:
            response["ETag"] = tag
            response["Cache-Control"] = "public, max-age=0, must-revalidate"
        response["Access-Control-Allow-Origin"] = "*"
        patch_vary_headers(response, ["Accept", "Accept-Language", "Accept-Encoding"])
        return _in_brotli(request, response)

    return within


def _in_brotli(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer as brotli, for who likes that best; Zstandard and gzip are the front door's to make."""
    wanted = likes_brotli_best(request.headers.get("Accept-Encoding", ""))
    if wanted and isinstance(response, HttpResponse) and len(response.content) >= WORTH_CODING_BYTES:
        response.content = coded(response.content, BROTLI)
        response["Content-Encoding"] = BROTLI
    return response


def problem(request: HttpRequest, status: int, title: str, **more: Any) -> HttpResponse:
    """Problem details (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "instance": request.path, **more}
    response = HttpResponse(_encode(body), status=status, content_type=PROBLEM)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "no-store"
    return response


def as_json(body: Any, *, media_type: str = JSON) -> HttpResponse:
    """What is given as JSON; bytes are JSON already."""
    return HttpResponse(body if isinstance(body, bytes) else _encode(body), content_type=media_type)


def only_known(query: QueryDict, known: Iterable[str]) -> dict[str, str]:
    """The parameters by name.

    Raises:
        QueryRefused: one is unknown, or given twice.
    """
    known = set(known)
    for name, values in query.lists():
        if name not in known:
            raise QueryRefused(name, values[0], _("There is no such parameter here."))
        if len(values) > 1:
            raise QueryRefused(name, ",".join(values), _("Give this once."))
    return {name: str(value) for name, value in query.items()}


def link(rel: str, path: str, media_type: str, title: str = "") -> dict[str, str]:
    """A link to an address of this site, in the form of the OGC and of RFC 8288."""
    told = {"rel": rel, "href": path if path.startswith("http") else settings.BASE_URL + path, "type": media_type}
    return {**told, "title": title} if title else told
