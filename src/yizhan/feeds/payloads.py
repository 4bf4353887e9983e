"""A place in the words of a partner: its datum, its fields, its codes.

What may be said at all is decided in `facts.py`; here it is only put in other words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils import translation

from yizhan.geo import Datum, convert
from yizhan.places.contact import masked
from yizhan.places.hours import hours_in_words

from .facts import PlaceFacts, read_facts
from .models import Gone, Partner, PlaceChange

# What a mapping may name.
FIELDS: tuple[str, ...] = (
    "id",
    "name",
    "kind",
    "category",
    "address",
    "district",
    "lon",
    "lat",
    "lonlat",
    "datum",
    "hours",
    "hours_text",
    "contact",
    "offers",
    "offers_text",
    "access",
    "users",
    "seats",
    "stars",
    "union",
    "url",
    "verified_on",
    "changed_at",
    "status",
    "status_text",
)
OUTSIDE = "outside"  # gone for this partner: its filters, or the verification, do not let it through any more
_STATUS_ZH = {
    "": "正常服务",
    Gone.CLOSED.value: "已撤站，请下线",
    Gone.WITHDRAWN.value: "暂停展示，请下线",
    OUTSIDE: "不再提供，请下线",
}


def is_verified(change: PlaceChange) -> bool:
    """Whether somebody of the union has looked at the place on the spot: what nobody looked at is not pushed."""
    return not change.is_gone and _read(change.facts).verified_on is not None


def shown(changes: Sequence[PlaceChange], partner: Partner) -> list[dict[str, Any]]:
    """What the partner is to know of each place that is public, under our names of the fields."""
    datum = Datum(partner.datum)
    lon, lat = convert(
        np.array([change.lon for change in changes], float),
        np.array([change.lat for change in changes], float),
        source=Datum.WGS84,
        target=datum,
    )
    places = zip(changes, np.round(lon, 6).tolist(), np.round(lat, 6).tolist(), strict=True)
    return [_shown(change, _read(change.facts), x, y, partner) for change, x, y in places]


def _shown(change: PlaceChange, facts: PlaceFacts, lon: float, lat: float, partner: Partner) -> dict[str, Any]:
    return {
        "id": str(change.public_id),
        "name": facts.name,
        "kind": facts.kind,
        "category": partner.categories.get(facts.kind, facts.kind),
        "address": facts.address,
        "district": facts.district,
        "lon": lon,
        "lat": lat,
        "lonlat": f"{lon},{lat}",
        "datum": partner.datum,
        "hours": facts.hours,
        "hours_text": _hours(facts.hours),
        "contact": facts.contact,
        "offers": facts.offers,
        "offers_text": "、".join(facts.offer_names),
        "access": facts.access,
        "users": facts.users,
        "seats": facts.seats,
        "stars": facts.stars,
        "union": facts.union,
        "url": facts.url,
        "verified_on": facts.verified_on,
        "changed_at": change.at.isoformat(timespec="seconds"),
        "status": "open",
        "status_text": _STATUS_ZH[""],
    }


def gone(public_id: Any, name: str, why: str) -> dict[str, Any]:
    """What a partner is told of a place that it must not show any more: which one, and why."""
    words = _STATUS_ZH.get(why, _STATUS_ZH[OUTSIDE])
    return {"id": str(public_id), "name": masked(name), "status": why, "status_text": words}


def mapped(values: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The values under the partner's names; fields that are not known here are left out."""
    found: dict[str, Any] = {}
    for theirs, ours in mapping.items():
        if ours.startswith("="):
            value: Any = ours[1:]
        elif ours in values:
            value = values[ours]
        else:
            continue
        _put(found, theirs.split("."), value)
    return found


def row(values: Mapping[str, Any], mapping: Mapping[str, str]) -> list[Any]:
    """The values as cells of a table whose columns are the partner's names."""
    return [_cell(ours[1:] if ours.startswith("=") else values.get(ours)) for ours in mapping.values()]


def problems_of(mapping: Mapping[str, str]) -> list[str]:
    """Names of ours in a mapping that we do not have."""
    return [ours for ours in mapping.values() if not ours.startswith("=") and ours not in FIELDS]


def _put(target: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        target = inner
    target[path[-1]] = value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return "、".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else value


@lru_cache(maxsize=4_000)
def _read(facts: str) -> PlaceFacts:
    return read_facts(facts)


@lru_cache(maxsize=5_000)
def _hours(hours: str) -> str:
    if not hours:
        return ""
    with translation.override("zh-hans"):
        return hours_in_words(hours)
