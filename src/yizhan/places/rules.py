"""What must hold of a place's facts; each rule adds a problem that names the field, the value and the rule."""

from __future__ import annotations

import math
from decimal import Decimal

from django.utils.translation import gettext as _

from yizhan.geo import Datum, UnknownDatum, convert, haversine_m
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Occupation

from .hours import HoursNotUnderstood, validate
from .models import EAST, NORTH, SOUTH, WEST, Access, Place, PlaceKind, Users

MOST_SEATS = 2000
FARTHEST_POINT_M = 500.0  # of door and parking from the place: more is another place, or another datum


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


def checked_point(
    name: str,
    point: tuple[float, float] | None,
    datum: Datum,
    place: tuple[float, float] | None,
    problems: list[Problem],
) -> tuple[float, float] | None:
    """The door, or where an e-bike may stand, in WGS-84; near the place, whose WGS-84 position is `place`."""
    if point is None:
        return None
    wrong: list[Problem] = []
    lon, lat = checked_position(*point, datum, wrong)
    problems += [Problem(name, problem.value, problem.message, problem.code) for problem in wrong]
    if wrong or place is None:
        return None
    metres = haversine_m(*place, lon, lat)
    if metres > FARTHEST_POINT_M:
        problems.append(
            Problem(
                name,
                f"{point[0]:g}, {point[1]:g}",
                _("This point is %(metres)d m from the place; at most %(limit)d m. Was it given in the same datum?")
                % {"metres": round(metres), "limit": FARTHEST_POINT_M},
                "too_far",
            )
        )
    return lon, lat


def checked_access(access: str, problems: list[Problem]) -> str:
    """One of `Access`; empty: not known."""
    if access not in Access.values:
        known = ", ".join(filter(None, Access.values))
        problems.append(Problem("access", access, _("Choose one of: %(kinds)s.") % {"kinds": known}, "unknown_access"))
    return access


def checked_users(users: str, occupations: tuple[str, ...], problems: list[Problem]) -> tuple[str, list[str]]:
    """One of `Users`, and the occupations when it means those."""
    if users not in Users.values:
        problems.append(
            Problem(
                "users", users, _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(Users.values)}, "unknown_users"
            )
        )
    if users != Users.OCCUPATIONS:
        return users, []
    unknown = sorted(set(occupations) - set(Occupation.values))
    if unknown or not occupations:
        problems.append(
            Problem("occupations", ", ".join(unknown), _("Say which occupations may use it."), "unknown_occupation")
        )
    return users, [code for code in Occupation.values if code in occupations]


def checked_capacity(capacity: int | None, problems: list[Problem]) -> int | None:
    """How many may sit there at once; None: not known."""
    if capacity is not None and not 1 <= capacity <= MOST_SEATS:
        problems.append(
            Problem("capacity", capacity, _("From 1 to %(limit)d seats.") % {"limit": MOST_SEATS}, "capacity")
        )
    return capacity


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
