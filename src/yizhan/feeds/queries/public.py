"""What the public pages of this room read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min

from yizhan.feeds.asking import Asked, Box

from .changes import public_places

PART = 50_000  # addresses in one part of a site map, as the protocol allows


def totals() -> dict[str, int]:
    """How many published places there are, by kind."""
    counted = public_places().order_by().values("kind").annotate(n=Count("pk"))
    return {row["kind"]: row["n"] for row in counted}


def extent(asked: Asked) -> Box | None:
    """The box around all published places asked for; None: there are none."""
    sides = (
        public_places()
        .filter(asked.condition())
        .aggregate(west=Min("lon"), south=Min("lat"), east=Max("lon"), north=Max("lat"))
    )
    return None if sides["west"] is None else (sides["west"], sides["south"], sides["east"], sides["north"])


def parts() -> list[datetime]:
    """For each part of the site map of places, when anything in it changed last."""
    total = public_places().count()
    found = []
    for start in range(0, total, PART):
        ids = public_places().order_by("public_id").values("pk")[start : start + PART]
        found.append(public_places().filter(pk__in=ids).aggregate(last=Max("at"))["last"])
    return found


def addresses(part: int) -> list[tuple[UUID, datetime]]:
    """The places of one part of the site map, counted from 0, with the time of their last change."""
    places = public_places().order_by("public_id").values_list("public_id", "at")
    return list(places[part * PART : (part + 1) * PART])
