"""Unions, places and offers in the words of HSDS. Every function gives one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from yizhan.feeds.facts import PlaceFacts, read_facts
from yizhan.feeds.models import PlaceChange
from yizhan.places.hours import Weekly, hours_in_words
from yizhan.places.models import OfferKind
from yizhan.unions.models import Level, Union

from .identifiers import (
    OFFERS_TAXONOMY,
    derived,
    schedule_id,
    service_at_location_id,
    service_id,
    taxonomy_term_id,
)

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ZONE = "+08:00"
_DAY_MINUTES = 24 * 60
Object = dict[str, Any]
Ancestors = Mapping[str, Union]  # by their place in the tree


def organization(union: Union, ancestors: Ancestors) -> Object:
    """A union."""
    told: Object = {
        "id": str(union.public_id),
        "name": union.name,
        "description": _("Trade union: %(level)s") % {"level": union.get_level_display()},
        "website": settings.BASE_URL,
    }
    above = ancestors.get(union.path[: -Union.steplen])
    return {**told, "parent_organization_id": str(above.public_id)} if above else told


def service(union: Union, kind: OfferKind) -> Object:
    """What a union offers, wherever it does."""
    return {
        "id": str(service_id(union.public_id, kind.code)),
        "organization_id": str(union.public_id),
        "name": kind.name_zh,
        "alternate_name": kind.name_en,
        "description": f"{union.name}：{kind.name_zh}",
        "status": "active",
        "attributes": [_attribute(service_id(union.public_id, kind.code), kind)],
    }


def listed_service(union: Union, kind: OfferKind, ancestors: Ancestors) -> Object:
    """The same for a list: without what it has several of, with its organization."""
    told = service(union, kind)
    del told["attributes"]
    return {**told, "organization": organization(union, ancestors)}


def location(change: PlaceChange, ancestors: Ancestors) -> Object:
    """A place with its address, hours and telephone."""
    facts = read_facts(change.facts)
    return {
        **_bare_location(change, facts),
        "addresses": [_address(change, facts, ancestors)],
        "phones": _phones(change.public_id, facts),
        "schedules": schedules(change.public_id, facts.hours),
        "accessibility": [],
        "attributes": [],
    }


def service_at_location(change: PlaceChange, union: Union, kind: OfferKind, ancestors: Ancestors) -> Object:
    """An offer at a place, with all that is known of both."""
    facts = read_facts(change.facts)
    return {
        "id": str(service_at_location_id(change.public_id, kind.code)),
        "service_id": str(service_id(union.public_id, kind.code)),
        "location_id": str(change.public_id),
        "description": _said_of(facts, kind),
        "service": {**service(union, kind), "organization": organization(union, ancestors)},
        "location": location(change, ancestors),
        "schedules": schedules(change.public_id, facts.hours),
        "phones": _phones(change.public_id, facts),
    }


def listed_service_at_location(change: PlaceChange, union: Union, kind: OfferKind) -> Object:
    """The same for a list."""
    facts = read_facts(change.facts)
    told_service = service(union, kind)
    del told_service["attributes"]
    return {
        "id": str(service_at_location_id(change.public_id, kind.code)),
        "service_id": str(service_id(union.public_id, kind.code)),
        "location_id": str(change.public_id),
        "description": _said_of(facts, kind),
        "service": told_service,
        "location": _bare_location(change, facts),
    }


def taxonomy() -> Object:
    """The vocabulary of what places offer."""
    return {
        "id": str(OFFERS_TAXONOMY),
        "name": _("What places offer"),
        "description": _("The words for what a service station offers, known to every union."),
        "uri": f"{settings.BASE_URL}/open-data/",
    }


def taxonomy_term(kind: OfferKind) -> Object:
    """A word of the vocabulary."""
    return {
        "id": str(taxonomy_term_id(OFFERS_TAXONOMY, kind.code)),
        "code": kind.code,
        "name": kind.name_zh,
        "description": kind.name_en,
        "taxonomy_id": str(OFFERS_TAXONOMY),
        "language": "zh",
    }


def schedules(place: UUID, hours: str) -> list[Object]:
    """Opening hours: one schedule for all days of the week with the same times; none when nobody has told us.

    Hours that tell more than a week are given in words alone, with their OSM syntax as a note.
    """
    if not hours:
        return []
    with translation.override("zh-hans"):
        words = hours_in_words(hours)
    return [
        {
            "id": str(schedule_id(place, number)),
            "location_id": str(place),
            "timezone": 8,
            "wkst": "MO",
            "freq": "WEEKLY",
            "interval": 1,
            "byday": ",".join(_DAYS[day] for day in days),
            "opens_at": _clock(start),
            "closes_at": _clock(end),
            "description": words,
            "notes": hours,
        }
        for number, (days, (start, end)) in enumerate(_stretches(hours))
    ] or [{"id": str(schedule_id(place, 0)), "location_id": str(place), "description": words, "notes": hours}]


@lru_cache(maxsize=10_000)
def how_many_schedules(hours: str) -> int:
    """Into how many schedules such hours fall."""
    return max(1, len(_stretches(hours))) if hours else 0


def schedules_of(change: PlaceChange) -> list[Object]:
    """The schedules of a published place."""
    return schedules(change.public_id, read_facts(change.facts).hours)


def _stretches(hours: str) -> list[tuple[list[int], tuple[int, int]]]:
    """The days of the week that share a stretch of time, and that stretch; empty when hours tell more than a week."""
    week = Weekly.parse(hours)
    return [] if week is None else [(days, one) for days, times in week.groups() for one in times]


def _clock(minutes: int) -> str:
    """With the offset, as HSDS has it; what ends after midnight closes the next day."""
    minutes = minutes if minutes == _DAY_MINUTES else minutes % _DAY_MINUTES
    return f"{minutes // 60:02}:{minutes % 60:02}{_ZONE}"


def _bare_location(change: PlaceChange, facts: PlaceFacts) -> Object:
    return {
        "id": str(change.public_id),
        "location_type": "physical",
        "url": facts.url,
        "organization_id": facts.union_id,
        "name": facts.name,
        "description": _("Shut whatever the hours say: %(reasons)s")
        % {"reasons": "；".join(one.reason for one in facts.closures)}
        if facts.closures
        else "",
        "latitude": round(change.lat or 0.0, 6),
        "longitude": round(change.lon or 0.0, 6),
    }


def _address(change: PlaceChange, facts: PlaceFacts, ancestors: Ancestors) -> Object:
    above = {union.level: _division(union) for union in _line(change.union_path, ancestors)}
    return {
        "id": str(derived(change.public_id, "address")),
        "location_id": str(change.public_id),
        "address_1": facts.address,
        "city": above.get(Level.CITY) or above.get(Level.PROVINCE, ""),
        "region": facts.district,
        "state_province": above.get(Level.PROVINCE, ""),
        "postal_code": "",
        "country": "CN",
        "address_type": "physical",
    }


def _line(path: str, ancestors: Ancestors) -> Iterable[Union]:
    for length in range(Union.steplen, len(path) + 1, Union.steplen):
        if union := ancestors.get(path[:length]):
            yield union


def _division(union: Union) -> str:
    return union.name.removesuffix("总工会").removesuffix("工会")


def _phones(place: UUID, facts: PlaceFacts) -> list[Object]:
    if not facts.contact:
        return []
    return [
        {
            "id": str(derived(place, "phone")),
            "location_id": str(place),
            "number": facts.contact,
            "type": "voice",
        }
    ]


def _attribute(of: UUID, kind: OfferKind) -> Object:
    return {
        "id": str(derived(of, "attribute")),
        "link_id": str(of),
        "taxonomy_term_id": str(taxonomy_term_id(OFFERS_TAXONOMY, kind.code)),
        "link_entity": "service",
        "value": kind.code,
    }


def _said_of(facts: PlaceFacts, kind: OfferKind) -> str:
    return f"{facts.name}：{kind.name_zh}"
