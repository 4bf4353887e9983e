"""On a place's public page, where its plate leads: what is on offer here, one tap from being confirmed."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from yizhan.places.models import Place

from .queries.counters import offers_by_place


def meals_here(place: Place) -> SafeString | str:
    """The meals of today, or nothing."""
    offers = offers_by_place([place], at=timezone.now()).get(place.pk, [])
    if not offers:
        return ""
    return render_to_string("benefits/worker/place_part.html", {"place": place, "offers": offers})
