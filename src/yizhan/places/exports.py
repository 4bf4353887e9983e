"""The directory as files to take home: spreadsheets, and GeoJSON for maps."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from yizhan.geo import Datum
from yizhan.unions.exports import ListResource

from .models import Place


class PlaceResource(ListResource):
    """A place as a row. Positions are WGS-84, which the row says, so that the file can be brought back."""

    public_id = Field(attribute="public_id", column_name=_("Identifier"))
    name = Field(attribute="name", column_name=_("Name"))
    kind = Field(column_name=_("Kind"))
    status = Field(column_name=_("Status"))
    union = Field(attribute="union__name", column_name=_("Union"))
    address = Field(attribute="address", column_name=_("Address"))
    district = Field(attribute="district", column_name=_("District"))
    lon = Field(column_name=_("Longitude"))
    lat = Field(column_name=_("Latitude"))
    datum = Field(column_name=_("Datum"))
    hours = Field(attribute="hours", column_name=_("Hours"))
    offers = Field(column_name=_("Offers"))
    contact = Field(attribute="contact", column_name=_("Contact"))
    changed_at = Field(attribute="changed_at", column_name=_("Last changed"))

    def dehydrate_kind(self, place: Place) -> str:
        """In the reader's language."""
        return place.get_kind_display()

    def dehydrate_status(self, place: Place) -> str:
        """In the reader's language."""
        return place.get_status_display()

    def dehydrate_lon(self, place: Place) -> float:
        """To a decimetre."""
        return round(place.lon, 6)

    def dehydrate_lat(self, place: Place) -> float:
        """To a decimetre."""
        return round(place.lat, 6)

    def dehydrate_datum(self, place: Place) -> str:
        """Always as stored."""
        return Datum.WGS84.value

    def dehydrate_offers(self, place: Place) -> str:
        """In the reader's language."""
        return "、".join(offer.kind.name for offer in place.offers.all())


def geojson(places: QuerySet[Place]) -> tuple[HttpResponse, int]:
    """The places as a GeoJSON file (RFC 7946: WGS-84), and how many there are."""
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "id": str(place.public_id),
            "geometry": {"type": "Point", "coordinates": [round(place.lon, 6), round(place.lat, 6)]},
            "properties": {
                "name": place.name,
                "kind": place.kind,
                "status": place.status,
                "union": place.union.name,
                "address": place.address,
                "district": place.district,
                "opening_hours": place.hours,
                "offers": [offer.kind.code for offer in place.offers.all()],
                "contact": place.contact,
                "datum": Datum.WGS84.value,
                "changed_at": place.changed_at,
            },
        }
        for place in places
    ]
    response = HttpResponse(
        msgspec.json.encode({"type": "FeatureCollection", "features": features}), content_type="application/geo+json"
    )
    date = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="places-{date}.geojson"'
    response["Cache-Control"] = "no-store"
    return response, len(features)
