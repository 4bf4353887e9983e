"""The directory as files to take home: spreadsheets, and GeoJSON for maps."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from yizhan.geo import Datum
from yizhan.unions.exports import ListResource

from .importing.cells import equipment_in_words
from .models import Equipment, EquipmentState, Place


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
    contact_is_service = Field(column_name=_("Contact is a service number"))
    access = Field(column_name=_("How to enter"))
    access_note = Field(attribute="access_note", column_name=_("Note on entering"))
    users = Field(column_name=_("Who may use it"))
    capacity = Field(attribute="capacity", column_name=_("Seats"))
    host = Field(column_name=_("Host"))
    operator = Field(attribute="operator__name", column_name=_("Operator"))
    funder = Field(attribute="funder__name", column_name=_("Funder"))
    entrance_lon = Field(column_name=_("Longitude of the door"))
    entrance_lat = Field(column_name=_("Latitude of the door"))
    parking_lon = Field(column_name=_("Longitude of e-bike parking"))
    parking_lat = Field(column_name=_("Latitude of e-bike parking"))
    equipment = Field(column_name=_("Equipment"))
    stars = Field(attribute="stars", column_name=_("Stars"))
    verified_at = Field(attribute="verified_at", column_name=_("Last verified"))
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

    def dehydrate_contact_is_service(self, place: Place) -> str:
        """Yes, or nothing."""
        return gettext("yes") if place.contact_is_service else ""

    def dehydrate_entrance_lon(self, place: Place) -> float | None:
        """WGS-84 degrees; empty: at the position, or not known."""
        return _round(place.entrance_lon)

    def dehydrate_entrance_lat(self, place: Place) -> float | None:
        """WGS-84 degrees."""
        return _round(place.entrance_lat)

    def dehydrate_parking_lon(self, place: Place) -> float | None:
        """WGS-84 degrees; empty: not known."""
        return _round(place.parking_lon)

    def dehydrate_parking_lat(self, place: Place) -> float | None:
        """WGS-84 degrees."""
        return _round(place.parking_lat)

    def dehydrate_equipment(self, place: Place) -> str:
        """Each piece with what is wrong with it and until when it may be used, as an import reads it."""
        return equipment_in_words(list(place.equipment.all()))

    def dehydrate_access(self, place: Place) -> str:
        """In the reader's language; empty: not known."""
        return place.get_access_display() if place.access else ""

    def dehydrate_users(self, place: Place) -> str:
        """In the reader's language; the occupations when it means those."""
        return "、".join(place.occupation_labels) or place.get_users_display()

    def dehydrate_host(self, place: Place) -> str:
        """A union, or whoever else lends the premises."""
        return place.host.name if place.host else place.host_name

    def dehydrate_offers(self, place: Place) -> str:
        """In the reader's language."""
        return "、".join(offer.kind.name for offer in place.offers.all())


def with_all_facts(places: QuerySet[Place]) -> QuerySet[Place]:
    """The same places with all that the files tell of them, in a few queries."""
    return places.prefetch_related(Prefetch("equipment", Equipment.objects.select_related("offer")))


def _round(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, 6)


class EquipmentResource(ListResource):
    """A piece of equipment as a row."""

    place = Field(attribute="place__name", column_name=_("Place"))
    union = Field(attribute="place__union__name", column_name=_("Union"))
    name = Field(attribute="name", column_name=_("Equipment"))
    state = Field(column_name=_("State"))
    broken_since = Field(attribute="broken_since", column_name=_("Broken since"))
    expires_on = Field(attribute="expires_on", column_name=_("Not to be used from"))
    note = Field(attribute="note", column_name=_("Note"))

    def dehydrate_state(self, thing: Equipment) -> str:
        """In the reader's language."""
        return str(EquipmentState(thing.state).label)


def geojson(places: QuerySet[Place]) -> tuple[HttpResponse, int]:
    """The places as a GeoJSON file (RFC 7946: WGS-84), and how many there are."""
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "id": str(place.public_id),
            "geometry": {"type": "Point", "coordinates": [round(place.lon, 6), round(place.lat, 6)]},
            "properties": _properties(place),
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


def _properties(place: Place) -> dict[str, Any]:
    """Every fact; points are WGS-84 longitude and latitude, as in a GeoJSON position."""
    return {
        "name": place.name,
        "kind": place.kind,
        "status": place.status,
        "status_note": place.status_note,
        "union": place.union.name,
        "address": place.address,
        "district": place.district,
        "opening_hours": place.hours,
        "offers": [offer.kind.code for offer in place.offers.all()],
        "contact": place.contact,
        "contact_is_service": place.contact_is_service,
        "access": place.access,
        "access_note": place.access_note,
        "users": place.users,
        "occupations": place.occupations,
        "capacity": place.capacity,
        "host": place.host.name if place.host else place.host_name,
        "operator": place.operator.name if place.operator else "",
        "funder": place.funder.name if place.funder else "",
        "entrance": _point(place.entrance),
        "parking": _point(place.parking),
        "equipment": [
            {
                "name": thing.name,
                "offer": thing.offer.code if thing.offer else None,
                "state": thing.state,
                "broken_since": thing.broken_since,
                "expires_on": thing.expires_on,
                "note": thing.note,
            }
            for thing in place.equipment.all()
        ],
        "stars": place.stars,
        "verified_at": place.verified_at,
        "position_source": place.position_source,
        "datum": Datum.WGS84.value,
        "datum_given": place.datum_given,
        "source": place.source,
        "source_id": place.source_id,
        "changed_at": place.changed_at,
    }


def _point(point: tuple[float, float] | None) -> list[float] | None:
    return None if point is None else [round(degrees, 6) for degrees in point]
