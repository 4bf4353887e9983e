"""The parameters of OGC API – Features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from yizhan.feeds.answers import only_known
from yizhan.feeds.asking import Asked, Box, moment_of, path_of_union
from yizhan.feeds.queries.rows import ALWAYS, Span
from yizhan.places.parameters import QueryRefused, kinds_of

MOST, USUAL = 10_000, 100
FORMS = ("json", "html")
ITEM_PARAMETERS = ("f", "bbox", "datetime", "limit", "cursor", "kinds", "union")


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of which places."""

    asked: Asked
    changed: Span
    after: UUID | None
    limit: int


def form_of(request: HttpRequest, known: tuple[str, ...] = ("f",)) -> str:
    """`json` or `html`: as `f` says, else as the asker accepts, JSON when either will do.

    Raises:
        QueryRefused: a parameter is unknown, or `f` is neither.
    """
    query = only_known(request.GET, known)
    if (form := query.get("f", "")) and form not in FORMS:
        raise QueryRefused("f", form, _("Choose “json” or “html”."))
    if form:
        return form
    for accepted in request.accepted_types:
        if accepted.match("application/json") or accepted.match("application/geo+json"):
            return "json"
        if accepted.match("text/html"):
            return "html"
    return "json"


def page_of(request: HttpRequest) -> Page:
    """The page that a request asks for.

    Raises:
        QueryRefused: a parameter is unknown or breaks a rule.
    """
    query = only_known(request.GET, ITEM_PARAMETERS)
    asked = Asked(
        kinds=kinds_of(query) if query.get("kinds") else (),
        union_path=path_of_union(query["union"]) if query.get("union") else "",
        box=_box(query["bbox"]) if "bbox" in query else None,
    )
    changed = _span(query["datetime"]) if "datetime" in query else ALWAYS
    return Page(asked, changed, _cursor(query.get("cursor", "")), _limit(query.get("limit", "")))


def _limit(text: str) -> int:
    """More than we give is no error: as the standard has it, we give what we give."""
    if not text:
        return USUAL
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise QueryRefused(
            "limit", text, _("A whole number from %(low)d to %(high)d is needed.") % {"low": 1, "high": MOST}
        )
    return min(int(text[:9]), MOST)


def _box(text: str) -> Box:
    """Four numbers, or six with heights, which our places have not; west may lie east of east (the date line)."""
    rule = _("Write west,south,east,north in degrees.")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise QueryRefused("bbox", text, rule) from None
    if len(numbers) not in {4, 6} or not all(map(math.isfinite, numbers)):
        raise QueryRefused("bbox", text, rule)
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    if south > north or not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        raise QueryRefused("bbox", text, rule)
    return west, south, east, north


def _span(text: str) -> Span:
    """A moment, or two with `/` between them, of which one may be open (`..`)."""
    parts = text.split("/")
    if len(parts) == 1:
        return _first(text), _last(text)
    if len(parts) != 2 or all(part in {"", ".."} for part in parts):
        if parts in (["..", ".."], ["", ""], ["..", ""], ["", ".."]):
            return ALWAYS
        raise QueryRefused("datetime", text, _MOMENTS)
    start = None if parts[0] in {"", ".."} else _first(parts[0])
    end = None if parts[1] in {"", ".."} else _last(parts[1])
    if start and end and start > end:
        raise QueryRefused("datetime", text, _MOMENTS)
    return start, end


_MOMENTS = _("Write a moment such as 2026-11-24T08:00:00Z, or two with / between them; .. leaves one open.")


def _first(text: str) -> datetime:
    moment = moment_of(text)
    if moment is None and "T" not in text:
        moment = moment_of(f"{text}T00:00:00Z")  # a day begins
    if moment is None:
        raise QueryRefused("datetime", text, _MOMENTS)
    return moment


def _last(text: str) -> datetime:
    """Of a day, its last moment; of a second, its end."""
    moment = _first(text)
    if "T" not in text:
        return moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment.replace(microsecond=999_999) if moment.microsecond == 0 else moment


def _cursor(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise QueryRefused("cursor", text, _("Give the “next” of an earlier answer.")) from None
