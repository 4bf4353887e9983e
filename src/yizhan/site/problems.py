"""What the API answers when it refuses: RFC 9457 problem details, in one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from yizhan.web.views import errors as pages

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule"],
                "properties": {"field": {"type": "string"}, "rule": {"type": "string"}, "value": {}},
            },
        },
    },
}


def problem(
    request: HttpRequest, status: int, title: str, *, detail: str = "", errors: list[dict[str, Any]] | None = None
) -> HttpResponse:
    """An RFC 9457 answer; `errors` names each field, the value that was given and the rule it breaks."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "instance": request.path}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return HttpResponse(msgspec.json.encode(body), status=status, content_type=PROBLEM_CONTENT_TYPE)


class RefusalMiddleware:
    """Refuses in the right form what the layers around our views would refuse in another, or not at all.

    A null character in the query is answered with 400: no column of the database can hold one, so that every search
    would fail on it. A method that an address of the API does not take is told as a problem, as all its refusals are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or "\x00" in query:
            return bad_request(request)
        response = self.get_response(request)
        if response.status_code == 405 and _asks_api(request):
            told = problem(request, 405, _("This address does not take this method"))
            told["Allow"] = response.get("Allow", "")
            return told
        return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What cannot be read: a problem for machines, a page for people."""
    if _asks_api(request):
        return problem(request, 400, _("This request cannot be read"))
    return pages.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """An address that leads nowhere: a problem for machines, a page for people."""
    if _asks_api(request):
        return problem(request, 404, _("There is nothing here"))
    return pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: a problem for machines, a page for people; neither says a word about the inside."""
    if _asks_api(request):
        return problem(request, 500, _("Something went wrong on our side"))
    return pages.server_error(request)


def _asks_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
