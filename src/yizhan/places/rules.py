"""What must hold of a place's facts; each rule adds a problem that names the field, the value and the rule."""

from __future__ import annotations

import math
from decimal import Decimal

from django.utils.translation import gettext as _

from yizhan.geo import Datum, UnknownDatum, convert
from yizhan.unions.errors import Problem, RuleBroken

from .hours import HoursNotUnderstood, validate
from .models import EAST, NORTH, SOUTH, WEST, Place, PlaceKind


def checked_name(name: str, problems: list[Problem]) -> str:
    """A name is needed, and fits."""
    name = one_line(name)
    if not name:
        problems.append(Problem("name", name, _("A place needs a name."), "missing"))
    return short_enough("name", name, problems)


def checked_kind(kind: str, problems: list[Problem]) -> str:
    """One of `PlaceKind`."""
    if kind not in PlaceKind.values:
        problems.append(
            Problem(
                "kind", kind, _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)}, "unknown_kind"
            )
        )
    return kind


def short_enough(field: str, text: str, problems: list[Problem]) -> str:
    """A text that fits its column, without line breaks and control characters."""
    text = one_line(text)
    limit: int | None = getattr(Place._meta.get_field(field), "max_length", None)
    if limit is not None and len(text) > limit:
        problems.append(
            Problem(
                field,
                f"{text[:40]}…",
                _("%(given)d characters; at most %(limit)d fit.") % {"given": len(text), "limit": limit},
                "too_long",
            )
        )
    return text


def checked_hours(hours: str, problems: list[Problem]) -> str:
    """The canonical spelling of an opening_hours expression; empty is allowed and means unknown."""
    try:
        return validate(hours)
    except HoursNotUnderstood as error:
        problems.append(Problem("hours", error.text, error.reason, "hours"))
        return ""


def checked_position(lon: float, lat: float, datum: Datum, problems: list[Problem]) -> tuple[float, float]:
    """The position in WGS-84. It is finite and lies in the area of China; a slip is named as what it looks like."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        problems.append(Problem("position", f"{lon}, {lat}", _("A position needs two numbers in degrees."), "position"))
        return 0.0, 0.0
    if not _in_area(lon, lat):
        message = (
            _("Longitude and latitude seem to be swapped.")
            if _in_area(lat, lon)
            else _("%(lon)s, %(lat)s does not lie in China.") % {"lon": f"{lon:g}", "lat": f"{lat:g}"}
        )
        problems.append(Problem("position", f"{lon:g}, {lat:g}", message, "position"))
        return 0.0, 0.0
    return convert(lon, lat, source=datum, target=Datum.WGS84)


def checked_datum(text: object) -> Datum:
    """The datum that someone named.

    Raises:
        RuleBroken: none was named, or an unknown one.
    """
    if text is None or not str(text).strip():
        raise RuleBroken.at(
            "datum",
            "",
            _("Say in which datum the positions are: WGS-84 (GPS), GCJ-02 (AMap, Tencent) or BD-09 (Baidu)."),
            "missing_datum",
        )
    try:
        return Datum.parse(text)
    except UnknownDatum as error:
        raise RuleBroken.at(
            "datum",
            str(text)[:40],
            _("Unknown datum; choose WGS-84 (GPS), GCJ-02 (AMap, Tencent) or BD-09 (Baidu)."),
            "unknown_datum",
        ) from error


def one_line(text: object) -> str:
    """A text without line breaks, control characters and doubled blanks."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())


def _in_area(lon: float | Decimal, lat: float | Decimal) -> bool:
    # A hair inside the column's constraint, so that the shift to WGS-84 stays within.
    return WEST + 0.02 <= lon <= EAST - 0.02 and SOUTH + 0.02 <= lat <= NORTH - 0.02
