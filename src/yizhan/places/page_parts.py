"""What rooms on the floors above put onto a place's public page; the page knows none of them.

    declare_part(meals_here)    # in the room's `apps.py`, when it is ready

A part is given the place and answers with markup, or with nothing when it has nothing to say of this place.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils.safestring import SafeString

from .models import Place

Part = Callable[[Place], SafeString | str]
_parts: list[Part] = []


def declare_part(part: Part) -> None:
    """Let a room speak on every place's page; saying it twice is harmless."""
    if part not in _parts:
        _parts.append(part)


def parts_of(place: Place) -> list[SafeString | str]:
    """What the rooms have to say of a place."""
    return [said for part in _parts if (said := part(place))]
