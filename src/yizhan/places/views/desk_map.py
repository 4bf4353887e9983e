"""The desk's places on a map: drafts too, and no more than the acting union and those below may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from yizhan.places.filters import PlaceFilter
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.desk import StaffRequest

MOST_ON_MAP = 3_000


def place_map(request: StaffRequest, narrowed: PlaceFilter, tones: dict[PlaceStatus, str]) -> HttpResponse:
    """The narrowed list as a map; beyond `MOST_ON_MAP` places it says that the list must be narrowed."""
    found: QuerySet[Place] = narrowed.qs
    counts = {
        row["status"]: row["n"] for row in found.order_by().values("status").annotate(n=Count("pk", distinct=True))
    }
    return render(
        request,
        "places/desk_map.html",
        {
            "filter": narrowed,
            "places": [_drawn(place) for place in found[:MOST_ON_MAP]],
            "total": sum(counts.values()),
            "most": MOST_ON_MAP,
            "counts": [
                {"status": status, "label": status.label, "count": counts[status], "tone": tones[status]}
                for status in PlaceStatus
                if status in counts
            ],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
        },
    )


def _drawn(place: Place) -> dict[str, Any]:
    return {
        "name": place.name,
        "status": place.status,
        "words": str(PlaceStatus(place.status).label),
        "lon": round(place.lon, 6),
        "lat": round(place.lat, 6),
        "url": reverse("places:desk_place", args=[place.public_id]),
    }
