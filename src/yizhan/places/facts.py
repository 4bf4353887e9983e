"""What a person or a file says of a place, before and after it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yizhan.geo import Datum
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Union

from .models import PlaceKind, PositionSource, Users
from .rules import (
    checked_access,
    checked_capacity,
    checked_hours,
    checked_kind,
    checked_name,
    checked_point,
    checked_position,
    checked_users,
    short_enough,
)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFacts:
    """What a person or a file says of a place.

    `lon`, `lat`, `entrance` and `parking` (longitude, latitude) are degrees of `datum`; `offers` and `occupations` are
    codes. The host is a union or, by its name, anybody else. Without `operator`, the place's own union runs it.
    """

    name: str
    lon: float
    lat: float
    datum: Datum
    kind: str = PlaceKind.STATION
    address: str = ""
    district: str = ""
    hours: str = ""
    contact: str = ""
    position_source: str = PositionSource.MAP
    offers: tuple[str, ...] = ()
    contact_is_service: bool = False
    entrance: Point | None = None
    parking: Point | None = None
    host: Union | None = None
    host_name: str = ""
    operator: Union | None = None
    funder: Union | None = None
    access: str = ""
    access_note: str = ""
    users: str = Users.EVERYONE
    occupations: tuple[str, ...] = ()
    capacity: int | None = None


def checked(facts: PlaceFacts) -> dict[str, Any]:
    """The columns of a place, by the rules; the position in WGS-84.

    Raises:
        RuleBroken: with every value that breaks a rule.
    """
    problems: list[Problem] = []
    columns: dict[str, Any] = {
        "kind": checked_kind(facts.kind, problems),
        "name": checked_name(facts.name, problems),
        "address": short_enough("address", facts.address, problems),
        "district": short_enough("district", facts.district, problems),
        "hours": checked_hours(facts.hours, problems),
        "contact": short_enough("contact", facts.contact, problems),
        "datum_given": facts.datum.value,
        "position_source": facts.position_source,
        "contact_is_service": facts.contact_is_service,
        "host": facts.host,
        "host_name": "" if facts.host else short_enough("host_name", facts.host_name, problems),
        "operator": facts.operator,
        "funder": facts.funder,
        "access": checked_access(facts.access, problems),
        "access_note": short_enough("access_note", facts.access_note, problems),
        "capacity": checked_capacity(facts.capacity, problems),
    }
    columns["users"], columns["occupations"] = checked_users(facts.users, facts.occupations, problems)
    here = columns["lon"], columns["lat"] = checked_position(facts.lon, facts.lat, facts.datum, problems)
    for name, point in (("entrance", facts.entrance), ("parking", facts.parking)):
        at = checked_point(name, point, facts.datum, here if not problems else None, problems)
        columns[f"{name}_lon"], columns[f"{name}_lat"] = at or (None, None)
    if problems:
        raise RuleBroken(problems)
    return columns
