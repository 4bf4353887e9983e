"""The public list of places as an address tells it: a text, filters, and a position when the reader gave one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from yizhan.geo import Datum
from yizhan.unions.errors import Problem, RuleBroken

from .models import OfferKind, PlaceKind
from .queries.public import (
    DistrictGroup,
    NearbyPlace,
    nearest_published,
    offer_kinds,
    published_by_district,
    search_published,
)
from .rules import checked_datum, checked_position
from .text import LONGEST

MOST_NEAR = 50
# What riders look for most; the others are found on the pages of the places.
FILTER_OFFERS = ("water", "charging", "microwave", "toilet", "battery_swap", "meal", "repair", "medicine_box", "shower")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as a link that turns it on or off."""

    label: str
    url: str
    is_on: bool


@dataclass(slots=True)
class Listing:
    """Which places to show and in which order. `origin` is WGS-84 longitude and latitude."""

    text: str = ""
    open_now: bool = False
    kinds: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    origin: tuple[float, float] | None = None
    problem: str = ""
    where: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict) -> Listing:
        """From an address; a position that breaks a rule is left out and named in `problem`."""
        listing = cls(
            text=query.get("q", "").strip().replace("\x00", "")[:LONGEST],
            open_now=query.get("open") == "now",
            kinds=tuple(kind for kind in dict.fromkeys(query.getlist("kind")) if kind in PlaceKind.values),
            offers=tuple(dict.fromkeys(code for code in query.getlist("offer") if code in FILTER_OFFERS)),
        )
        if query.get("lon") or query.get("lat"):
            try:
                listing.origin = _origin(query)
            except RuleBroken as broken:
                listing.problem = str(broken.problems[0].message)
            else:
                listing.where = {name: query.get(name, "") for name in ("lon", "lat", "datum")}
        return listing

    def nearest(self) -> list[NearbyPlace]:
        """By distance; empty without a position."""
        if self.origin is None:
            return []
        return nearest_published(
            *self.origin,
            datum=Datum.WGS84,
            count=MOST_NEAR,
            open_now=self.open_now,
            kinds=self.kinds,
            offers=self.offers,
        )

    def found(self) -> list[NearbyPlace]:
        """What answers the text, best first; empty without one."""
        if not self.text:
            return []
        return search_published(
            self.text, count=MOST_NEAR, open_now=self.open_now, kinds=self.kinds, offers=self.offers, origin=self.origin
        )

    def hidden(self) -> list[tuple[str, str]]:
        """What the search form carries along: filters and position."""
        return [pair for pair in self._pairs() if pair[0] != "q"]

    def groups(self) -> list[DistrictGroup]:
        """By district."""
        return published_by_district(open_now=self.open_now, kinds=self.kinds, offers=self.offers)

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is on."""
        return bool(self.text or self.open_now or self.kinds or self.offers)

    @property
    def url_without_filters(self) -> str:
        """The same list, not narrowed."""
        return f"?{urlencode(self.where)}"

    def chips(self) -> list[Chip]:
        """Every filter as a link."""
        chips = [Chip(_("Open now"), self._url(open_now=not self.open_now), self.open_now)]
        chips += [
            Chip(str(PlaceKind(kind).label), self._url(kinds=_toggled(self.kinds, kind)), kind in self.kinds)
            for kind in PlaceKind.values
            if kind != PlaceKind.OTHER
        ]
        known: dict[str, OfferKind] = offer_kinds()
        chips += [
            Chip(known[code].name, self._url(offers=_toggled(self.offers, code)), code in self.offers)
            for code in FILTER_OFFERS
            if code in known
        ]
        return chips

    def _url(self, **changes: Any) -> str:
        return f"?{urlencode(self._pairs(**changes))}"

    def _pairs(self, **changes: Any) -> list[tuple[str, str]]:
        open_now = changes.get("open_now", self.open_now)
        pairs = [("q", self.text)] if self.text else []
        pairs += [("open", "now")] if open_now else []
        pairs += [("kind", kind) for kind in changes.get("kinds", self.kinds)]
        pairs += [("offer", code) for code in changes.get("offers", self.offers)]
        return [*pairs, *self.where.items()]


def _toggled(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(v for v in values if v != value) if value in values else (*values, value)


def _origin(query: QueryDict) -> tuple[float, float]:
    datum = checked_datum(query.get("datum"))
    try:
        lon, lat = float(query.get("lon", "")), float(query.get("lat", ""))
    except ValueError:
        lon = lat = float("nan")
    problems: list[Problem] = []
    position = checked_position(lon, lat, datum, problems)
    if problems:
        raise RuleBroken(problems)
    return position
