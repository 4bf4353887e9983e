"""A reminder as others see it: who watches, and whose vehicle it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from yizhan.passage.pseudonyms import short_name
from yizhan.passage.services.log import Passed

from .world import PlaceSeen


@dataclass(frozen=True, slots=True)
class Reminded:
    """A reminder that is in the log and goes out: the log entry, its place, and what the sender calls the vehicle.

    Attributes:
        open_until: when the place closes; None when it never does.
    """

    passed: Passed
    place: PlaceSeen
    name: str
    open_until: datetime | None


def told(reminded: Reminded) -> dict[str, Any]:
    """A reminder as its source is told of it, in the answer and at its address."""
    return {
        "id": str(reminded.passed.public_id),
        "vehicle": reminded.name,
        "place": str(reminded.place.public_id),
        "name": reminded.place.name,
        "url": f"/places/{reminded.place.public_id}/",
        "distance_m": round(reminded.passed.distance_m),
        "passed_at": reminded.passed.passed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "open_until": as_text(reminded.open_until) if reminded.open_until else None,
    }


def shown(reminded: Reminded) -> dict[str, Any]:
    """A reminder as live events show it: where the place is, never where the vehicle was."""
    passed, place = reminded.passed, reminded.place
    return {
        "id": str(passed.public_id),
        "place": str(place.public_id),
        "name": place.name,
        "lon": round(place.longitude, 5),
        "lat": round(place.latitude, 5),
        "distance_m": round(passed.distance_m),
        "vehicle": short_name(passed.vehicle),
        "at": as_text(passed.passed_at),
        "open_until": as_text(reminded.open_until) if reminded.open_until else None,
        "simulated": passed.is_simulated,
    }


def as_text(moment: datetime) -> str:
    """UTC as RFC 3339, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
