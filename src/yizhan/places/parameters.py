"""The parameters of the addresses that answer from memory: each is read by one function, and refused with its rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import numpy as np
from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum, UnknownDatum, convert

from .index import Narrowing
from .models import EAST, NORTH, SOUTH, WEST, PlaceKind
from .paging import BadCursor, Cursor
from .text import LONGEST, words_of


class QueryRefused(Exception):
    """A parameter breaks a rule."""

    def __init__(self, field: str, value: str, rule: Any) -> None:
        super().__init__(field, value)
        self.field, self.value, self.rule = field, value[:120], rule


def query_of(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The parameters of a request by name; of several with one name the last counts."""
    text = scope["query_string"].decode("latin-1")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    pairs = (part.partition("=") for part in text.split("&"))
    return {name: value for name, _sign, value in pairs}


def datum_of(query: dict[str, str], field: str, default: Datum | None) -> Datum:
    """The datum that a parameter names, or `default` when it is left out."""
    text = query.get(field, "")
    if not text:
        if default is None:
            raise QueryRefused(field, "", _("Every position says its datum: WGS-84, GCJ-02 or BD-09."))
        return default
    try:
        return _parsed_datum(text)
    except UnknownDatum:
        raise QueryRefused(field, text, _("Choose WGS-84, GCJ-02 or BD-09.")) from None


@lru_cache(maxsize=64)
def _parsed_datum(text: str) -> Datum:
    return Datum.parse(text)


def position_of(query: dict[str, str], datum: Datum) -> tuple[float, float]:
    """`lon` and `lat`, given in `datum`, as WGS-84 degrees."""
    lon, lat = number_of(query, "lon", WEST, EAST), number_of(query, "lat", SOUTH, NORTH)
    return (lon, lat) if datum is Datum.WGS84 else convert(lon, lat, source=datum, target=Datum.WGS84)


def number_of(query: dict[str, str], field: str, low: float, high: float) -> float:
    """A number between two others, both included."""
    text = query.get(field, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise QueryRefused(field, text, _("A number from %(low)g to %(high)g is needed.") % {"low": low, "high": high})
    return value


def whole_number(query: dict[str, str], field: str, default: int, low: int, high: int) -> int:
    """A whole number between two others, both included, or `default`."""
    text = query.get(field, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and low <= int(text) <= high):
        raise QueryRefused(
            field, text, _("A whole number from %(low)d to %(high)d is needed.") % {"low": low, "high": high}
        )
    return int(text)


def _is_open_asked(query: dict[str, str], *, default: bool = True) -> bool:
    """Whether only places that are certainly open are asked for."""
    text = query.get("open", "")
    if not text:
        return default
    if text not in {"now", "any"}:
        raise QueryRefused("open", text, _("Choose “now” or “any”."))
    return text == "now"


def narrowing_of(query: dict[str, str], unions: Mapping[UUID, str], *, open_now: bool) -> Narrowing:
    """Which places are asked for; `unions` says where each hangs in the tree, `open_now` what holds unless said."""
    return Narrowing(
        _is_open_asked(query, default=open_now),
        kinds_of(query) if query.get("kinds") else (),
        codes_of(query["offers"]) if query.get("offers") else (),
        codes_of(query["any_offers"]) if query.get("any_offers") else (),
        union_of(query, unions) if query.get("union") else "",
    )


def union_of(query: dict[str, str], unions: Mapping[UUID, str]) -> str:
    """Where the union asked for hangs in the tree."""
    text = query["union"]
    try:
        return unions[UUID(text)]
    except (ValueError, KeyError):
        raise QueryRefused("union", text, _("There is no such union.")) from None


def text_of(query: dict[str, str]) -> str:
    """What is searched for: at least one letter, digit or character, and not too many."""
    text = query.get("q", "").strip()
    if len(text) > LONGEST or not words_of(text):
        raise QueryRefused("q", text, _("Write from 1 to %(most)d letters or characters.") % {"most": LONGEST})
    return text


def cursor_of(query: dict[str, str]) -> Cursor | None:
    """Where the page begins."""
    text = query.get("cursor", "")
    if not text:
        return None
    try:
        return Cursor.read(text)
    except BadCursor:
        raise QueryRefused("cursor", text, _("Give the “next” of an earlier answer.")) from None


def kinds_of(query: dict[str, str]) -> tuple[str, ...]:
    """The kinds of place asked for, sorted."""
    kinds = codes_of(query["kinds"])
    for kind in kinds:
        if kind not in PlaceKind.values:
            raise QueryRefused("kinds", kind, _("Choose among: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)})
    return kinds


def flag_of(query: dict[str, str], field: str) -> bool:
    """Whether something further is asked for: 1, or 0."""
    text = query.get(field, "")
    if text not in {"", "0", "1"}:
        raise QueryRefused(field, text, _("Write 1 or 0."))
    return text == "1"


def codes_of(text: str) -> tuple[str, ...]:
    """Codes parted by commas, sorted, each once."""
    return tuple(sorted({part.strip() for part in text.split(",") if part.strip()}))


def box_of(query: dict[str, str], datum: Datum) -> tuple[float, float, float, float]:
    """West, south, east and north in WGS-84 degrees of a box given in `datum`; a hair larger where they differ."""
    text = query["bbox"]
    rule = _("Write west,south,east,north in degrees.")
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise QueryRefused("bbox", text, rule) from None
    if not (all(map(math.isfinite, (west, south, east, north))) and west <= east and south <= north):
        raise QueryRefused("bbox", text, rule)
    if datum is not Datum.WGS84:
        lon, lat = convert(
            np.array([west, west, east, east]), np.array([south, north, south, north]), source=datum, target=Datum.WGS84
        )
        west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
    return float(west), float(south), float(east), float(north)
