"""What everyone sees: the list of places and the page of one."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from yizhan.geo import Datum, haversine_m
from yizhan.places.contact import public_contact
from yizhan.places.hours import Openness, hours_in_words, state_in_words
from yizhan.places.linked_data import linked_data
from yizhan.places.listing import Listing
from yizhan.places.models import Equipment, Place
from yizhan.places.navigate import ways_there
from yizhan.places.occupancy import occupancy_now
from yizhan.places.openness import closure_now, closures_of, state_of
from yizhan.places.page_parts import parts_of
from yizhan.places.queries import public_place
from yizhan.places.queries.public import distance_in_words

_TONES = {"yes": "good", "no": "neutral", "unknown": "info"}


@require_safe
def place_list(request: HttpRequest) -> HttpResponseBase:
    """Published places: nearest first when the address tells a position, else by district."""
    listing = Listing.of(request.GET)
    return render(request, "places/public_list.html", {"listing": listing}, status=422 if listing.problem else 200)


@require_safe
def place(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """A published place. One that is suspended says why; one that is closed for good says so (410), and both stay."""
    try:
        found = public_place(public_id)
    except Place.DoesNotExist:
        raise Http404(_("There is no such place, or it is not open to the public now.")) from None
    if found.is_closed:
        return render(request, "places/tombstone.html", {"place": found}, status=410)
    if not found.is_public:
        return _suspended(request, found)
    now = timezone.now()
    state = state_of(found, now)
    equipment: list[Equipment] = found.public_equipment  # type: ignore[attr-defined]
    origin = Listing.of(request.GET).origin
    return render(
        request,
        "places/place.html",
        {
            "place": found,
            "offers": found.public_offers,  # type: ignore[attr-defined]
            "out_of_order": {thing.offer_id for thing in equipment if not thing.is_usable},
            "equipment": equipment,
            "photos": found.public_photos,  # type: ignore[attr-defined]
            "closure": closure_now(found, now),
            "closures": closures_of(found),
            "occupancy": occupancy_now(found, now) if state.state is not Openness.NO else None,
            "contact": public_contact(found),
            "hours": hours_in_words(found.hours),
            "state": state_in_words(state, now),
            "tone": _TONES[state.state],
            "linked_data": linked_data(found),
            "distance": distance_in_words(haversine_m(*origin, found.lon, found.lat)) if origin else "",
            "ways": ways_there(found),
            "lon": f"{found.lon:.6f}",
            "lat": f"{found.lat:.6f}",
            "datum": Datum.WGS84.value,
            "parts": parts_of(found),
        },
    )


def _suspended(request: HttpRequest, place: Place) -> HttpResponseBase:
    """Whoever has its address, or scans the plate at its door, reads what is the matter; search engines forget it."""
    until = place.suspended_until
    context = {
        "place": place,
        "is_orphaned": not place.union.is_active,
        "until": until,
        "is_late": until is not None and until <= timezone.localdate(),
        "lon": f"{place.lon:.6f}",
        "lat": f"{place.lat:.6f}",
        "datum": Datum.WGS84.value,
    }
    response = render(request, "places/suspended.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response
