"""What a person or a file says of a place, before and after it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yizhan.geo import Datum
from yizhan.unions.errors import Problem, RuleBroken

from .models import PlaceKind, PositionSource
from .rules import checked_hours, checked_kind, checked_name, checked_position, short_enough


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFacts:
    """What a person or a file says of a place. `lon`, `lat` are degrees of `datum`; `offers` are codes."""

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
    }
    columns["lon"], columns["lat"] = checked_position(facts.lon, facts.lat, facts.datum, problems)
    if problems:
        raise RuleBroken(problems)
    return columns
