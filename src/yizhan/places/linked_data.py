"""A place as schema.org has it, for search engines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from .contact import masked
from .hours import Weekly
from .models import Place, PlaceKind
from .openness import closures_of

_TYPES = {
    PlaceKind.RESTAURANT: "Restaurant",
    PlaceKind.REPAIR_POINT: "AutoRepair",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_MINUTES = 24 * 60


def linked_data(place: Place) -> dict[str, Any]:
    """The JSON-LD of a published place that was read with its offers, photos and closures; nothing personal."""
    address = f"{settings.BASE_URL}{place.get_absolute_url()}"
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": _TYPES.get(PlaceKind(place.kind), "LocalBusiness"),
        "@id": address,
        "url": address,
        "name": masked(place.name),
        "address": {
            "@type": "PostalAddress",
            "streetAddress": masked(place.address),
            "addressRegion": place.district,
            "addressCountry": "CN",
        },
        "geo": {"@type": "GeoCoordinates", "latitude": round(place.lat, 6), "longitude": round(place.lon, 6)},
        "parentOrganization": {"@type": "Organization", "name": place.union.name},
        "amenityFeature": [
            {"@type": "LocationFeatureSpecification", "name": offer.kind.name, "value": True}
            for offer in place.public_offers  # type: ignore[attr-defined]
        ],
    }
    if place.contact and place.contact_is_service:
        told["telephone"] = place.contact
    if photos := [settings.BASE_URL + photo.file.url for photo in place.public_photos]:  # type: ignore[attr-defined]
        told["image"] = photos
    if (week := Weekly.parse(place.hours) if place.hours else None) is not None:
        told["openingHoursSpecification"] = _hours(week)
    if closures := closures_of(place):
        told["specialOpeningHoursSpecification"] = [
            {
                "@type": "OpeningHoursSpecification",
                "validFrom": timezone.localdate(one.starts_at).isoformat(),
                "validThrough": timezone.localdate(one.ends_at - timedelta(seconds=1)).isoformat(),
                "opens": "00:00",
                "closes": "00:00",
            }
            for one in closures
            if _whole_days(one.starts_at, one.ends_at)
        ]
    return told


def _hours(week: Weekly) -> list[dict[str, Any]]:
    return [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": [f"https://schema.org/{_DAYS[day]}" for day in days],
            "opens": _clock(start),
            "closes": "23:59" if end == _DAY_MINUTES else _clock(end),
        }
        for days, times in week.groups()
        for start, end in times
    ]


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _whole_days(start: Any, end: Any) -> bool:
    """schema.org knows days that are closed, not hours of them."""
    edges = (timezone.localtime(start), timezone.localtime(end))
    return all((edge.hour, edge.minute) == (0, 0) for edge in edges)
