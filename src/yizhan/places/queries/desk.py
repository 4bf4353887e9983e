"""What staff may read: places of the acting union and below, drafts included. Raises outside of a scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Min, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.care import CareTree
from yizhan.places.models import (
    Closure,
    Equipment,
    EquipmentState,
    Offer,
    OfferKind,
    Place,
    PlacePhoto,
    PlaceStatus,
    Verification,
)
from yizhan.places.openness import closures_to_come
from yizhan.unions.audit import label
from yizhan.unions.models import AuditEntry, Occupation, Staff, Union


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One act in the life of a place: who, what, when, and the fields that changed with their old and new values."""

    at: Any
    who: str
    what: str
    changes: tuple[tuple[str, str, str], ...]
    reason: str


def places(*, for_staff: Staff) -> QuerySet[Place]:
    """Every place of the acting union and below, newest change first."""
    return (
        Place.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union", "host", "operator", "funder", "verified_by__user")
        .prefetch_related(
            Prefetch("offers", Offer.objects.select_related("kind").order_by("kind__order")),
            closures_to_come(timezone.now(), of=Closure.objects.all()),
        )
        .order_by("-changed_at", "-pk")
    )


def bounds(*, for_staff: Staff) -> tuple[float, float, float, float] | None:
    """West, south, east and north of the places of the acting union and below, WGS-84; None: there are none."""
    found = Place.objects.filter(union__path__startswith=for_staff.union.path).aggregate(
        west=Min("lon"), south=Min("lat"), east=Max("lon"), north=Max("lat")
    )
    return None if found["west"] is None else (found["west"], found["south"], found["east"], found["north"])


def counts_by_status(*, for_staff: Staff) -> list[tuple[PlaceStatus, int]]:
    """How many places there are in each state."""
    counted = dict(
        Place.objects.filter(union__path__startswith=for_staff.union.path)
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    return [(status, counted.get(status, 0)) for status in PlaceStatus]


def unions_below(*, for_staff: Staff) -> QuerySet[Union]:
    """The acting union and those below that have places or may have."""
    return Union.objects.filter(path__startswith=for_staff.union.path, is_active=True).order_by("path")


def history(place: Place) -> list[HistoryLine]:
    """What the trail tells of a place, newest first; the first hundred lines."""
    entries = (
        AuditEntry.objects.with_scopes_disabled()
        .filter(target_kind=Place._meta.label_lower, target_id=str(place.public_id))
        .select_related("person")
        .order_by("-at", "-pk")[:100]
    )
    offers = _offer_names()
    return [
        HistoryLine(
            entry.at,
            str(entry.person) if entry.person else "",
            str(label(entry.action)),
            tuple(
                (_field_label(name), _in_words(name, values[0], offers), _in_words(name, values[1], offers))
                for name, values in entry.details.items()
                if isinstance(values, list) and len(values) == 2
            ),
            str(entry.details.get("reason") or ""),
        )
        for entry in entries
    ]


def equipment(*, for_staff: Staff) -> QuerySet[Equipment]:
    """All equipment of places of the acting union and below that are not closed for good."""
    return (
        Equipment.objects.filter(place__union__path__startswith=for_staff.union.path)
        .exclude(place__status=PlaceStatus.CLOSED)
        .select_related("place__union", "offer")
        .order_by(F("expires_on").asc(nulls_last=True), "broken_since", "place__name", "name")
    )


def equipment_in_need(*, for_staff: Staff) -> QuerySet[Equipment]:
    """That which is broken, expired or about to be, by the rules of each union."""
    expiring = CareTree.load().expiring(for_staff.union.path)
    return equipment(for_staff=for_staff).filter(expiring | Q(state=EquipmentState.BROKEN))


def verification_due(*, for_staff: Staff) -> QuerySet[Place]:
    """Published places that nobody verified within the months of their union."""
    due = CareTree.load().verification_due(for_staff.union.path)
    return places(for_staff=for_staff).filter(due, status=PlaceStatus.PUBLISHED)


def verifications(place: Place, *, for_staff: Staff) -> QuerySet[Verification]:
    """The looks at a place, newest first."""
    return Verification.objects.filter(place=place, place__union__path__startswith=for_staff.union.path).select_related(
        "by__user"
    )


def matching(places: QuerySet[Place], text: str) -> QuerySet[Place]:
    """Those whose name, address or district holds every word."""
    for word in text.split()[:8]:
        places = places.filter(Q(name__icontains=word) | Q(address__icontains=word) | Q(district__icontains=word))
    return places


def _in_words(name: str, value: Any, offers: dict[str, str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list):
        return "、".join(_in_words(name, part, offers) for part in value)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name == "offers":
        return offers.get(value, str(value))
    if name == "occupations":
        return str(dict(Occupation.choices).get(value, value))
    return str(dict(_columns()[name].flatchoices or ()).get(value, value)) if name in _columns() else str(value)


def _offer_names() -> dict[str, str]:
    """What the codes of offers mean, in the reader's language."""
    return {kind.code: kind.name for kind in OfferKind.objects.all()}


def _field_label(name: str) -> str:
    parts = {"offers": Offer, "equipment": Equipment, "closure": Closure, "photo": PlacePhoto}
    if name in parts:
        return str(parts[name]._meta.verbose_name_plural)
    return str(_columns()[name].verbose_name) if name in _columns() else name


def _columns() -> dict[str, Any]:
    return {field.name: field for field in Place._meta.fields}
