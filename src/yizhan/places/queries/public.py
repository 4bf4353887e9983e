"""What everyone may read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.geo import Datum, convert, haversine_m
from yizhan.places.directory import current_index
from yizhan.places.hours import OpenState, hours_in_words, state_at, state_in_words
from yizhan.places.index import Narrowing, PlaceIndex, as_utc
from yizhan.places.models import Equipment, Offer, OfferKind, Place, PlaceKind, PlacePhoto
from yizhan.places.openness import closures_to_come, shut_at, state_of
from yizhan.places.paging import part_of


@dataclass(frozen=True, slots=True)
class NearbyPlace:
    """A published place in a list. `metres` is None when nobody asked from a position; `lon`, `lat` are WGS-84."""

    public_id: UUID
    name: str
    kind: str
    address: str
    hours: str
    lon: float
    lat: float
    metres: float | None
    state: OpenState
    at: datetime
    offers: tuple[OfferKind, ...]

    @property
    def url(self) -> str:
        """Of its page."""
        return reverse("places:place", args=[self.public_id])

    @property
    def kind_label(self) -> str:
        """Its kind in the reader's language."""
        return str(PlaceKind(self.kind).label)

    @property
    def distance(self) -> str:
        """“350 m” or “1.2 km”; empty when unknown."""
        return "" if self.metres is None else distance_in_words(self.metres)

    @property
    def state_words(self) -> str:
        """Whether it is open, and until when."""
        return state_in_words(self.state, self.at)

    @property
    def state_tone(self) -> str:
        """The tone of the design system that goes with the state."""
        return {"yes": "good", "no": "neutral", "unknown": "info"}[self.state.state]

    @property
    def hours_words(self) -> str:
        """Its hours in words."""
        return hours_in_words(self.hours)


@dataclass(frozen=True, slots=True)
class DistrictGroup:
    """The published places of one stated district; an empty name: none stated."""

    name: str
    places: tuple[NearbyPlace, ...]


def nearest_published(
    lon: float,
    lat: float,
    *,
    datum: Datum,
    count: int = 20,
    open_now: bool = False,
    kinds: Iterable[str] = (),
    offers: Iterable[str] = (),
    at: datetime | None = None,
) -> list[NearbyPlace]:
    """Published places by distance from a position in degrees of `datum`, from the index in memory."""
    at = at or timezone.now()
    x, y = convert(lon, lat, source=datum, target=Datum.WGS84)
    index = current_index()
    found = index.nearest(
        x,
        y,
        at_s=int(at.timestamp()),
        count=count,
        open_now=open_now,
        kinds=tuple(sorted(set(kinds))),
        offers=tuple(sorted(set(offers))),
    )
    kinds_by_code = offer_kinds()
    return [
        _nearby(index, place, metres, at, kinds_by_code)
        for place, metres in zip(found.places.tolist(), found.metres.tolist(), strict=True)
    ]


def search_published(
    text: str,
    *,
    count: int = 50,
    open_now: bool = False,
    kinds: Iterable[str] = (),
    offers: Iterable[str] = (),
    origin: tuple[float, float] | None = None,
    at: datetime | None = None,
) -> list[NearbyPlace]:
    """Published places that answer a text (`places.text`), best first, then by distance from `origin` (WGS-84)."""
    at = at or timezone.now()
    index = current_index()
    line = index.search(text, _narrowing(open_now, kinds, offers), at_s=int(at.timestamp()), origin=origin)
    part = part_of(index, line, limit=count)
    known = offer_kinds()
    return [
        _nearby(index, place, metres if origin else None, at, known)
        for place, metres in zip(part.places, part.second, strict=True)
    ]


def published_by_district(
    *,
    open_now: bool = False,
    kinds: Iterable[str] = (),
    offers: Iterable[str] = (),
    most: int = 500,
    at: datetime | None = None,
) -> list[DistrictGroup]:
    """Published places in groups by stated district, as a page shows them that knows no position."""
    at = at or timezone.now()
    index = current_index()
    rows = index.in_district_order(_narrowing(open_now, kinds, offers), at_s=int(at.timestamp()))[:most]
    known = offer_kinds()
    groups: dict[str, list[NearbyPlace]] = {}
    for place in rows.tolist():
        groups.setdefault(index.snapshot.districts[place], []).append(_nearby(index, place, None, at, known))
    return [DistrictGroup(name, tuple(members)) for name, members in groups.items()]


def _narrowing(open_now: bool, kinds: Iterable[str], offers: Iterable[str]) -> Narrowing:
    return Narrowing(open_now, tuple(sorted(set(kinds))), tuple(sorted(set(offers))))


def published_places(
    *,
    open_now: bool = False,
    kinds: Iterable[str] = (),
    offers: Iterable[str] = (),
    at: datetime | None = None,
) -> QuerySet[Place]:
    """Published places, narrowed, with their offers ready to be read."""
    at = at or timezone.now()
    places = Place.published.select_related("union").prefetch_related(
        Prefetch("offers", Offer.published.select_related("kind").order_by("kind__order"), to_attr="public_offers"),
        closures_to_come(at),
    )
    if chosen := list(kinds):
        places = places.filter(kind__in=chosen)
    for code in offers:
        places = places.filter(pk__in=Offer.published.filter(kind__code=code).values("place"))
    if open_now:
        places = places.filter(hours__in=hours_open_at(Place.published.all(), at))
        places = places.exclude(pk__in=shut_at(at).values("place"))
    return places


def hours_open_at(places: QuerySet[Place], at: datetime) -> Sequence[str]:
    """Which of the expressions that occur among these places are open at a time: many places share few expressions."""
    return [
        hours
        for hours in places.exclude(hours="").order_by().values_list("hours", flat=True).distinct()
        if state_at(hours, at).state == "yes"
    ]


def with_facts(places: QuerySet[Place]) -> QuerySet[Place]:
    """The same places with all that their pages tell: unions, equipment (`public_equipment`) and photos."""
    return places.select_related("union", "host", "operator", "funder").prefetch_related(
        Prefetch("equipment", Equipment.published.select_related("offer"), to_attr="public_equipment"),
        Prefetch("photos", PlacePhoto.published.all(), to_attr="public_photos"),
    )


def public_place(public_id: UUID, *, at: datetime | None = None) -> Place:
    """A place that is or was published, with its offers and union, and what `with_facts` adds; see `Place.is_public`.

    Raises:
        Place.DoesNotExist: there is none, or it is not public.
    """
    return (
        with_facts(Place.public.all())
        .prefetch_related(
            closures_to_come(at or timezone.now()),
            Prefetch(
                "offers",
                Offer.objects.with_scopes_disabled().select_related("kind").order_by("kind__order"),
                to_attr="public_offers",
            ),
        )
        .get(public_id=public_id)
    )


def as_nearby(place: Place, *, at: datetime, origin: tuple[float, float] | None = None) -> NearbyPlace:
    """A place from `published_places` as lists show it; `origin` is WGS-84."""
    return NearbyPlace(
        place.public_id,
        place.name,
        place.kind,
        place.address,
        place.hours,
        place.lon,
        place.lat,
        haversine_m(*origin, place.lon, place.lat) if origin else None,
        state_of(place, at),
        at,
        tuple(offer.kind for offer in place.public_offers),  # type: ignore[attr-defined]
    )


def offer_kinds() -> dict[str, OfferKind]:
    """The vocabulary by code, everyone's words before those of one union."""
    kinds: dict[str, OfferKind] = {}
    for kind in OfferKind.objects.order_by("union_id", "order"):
        kinds.setdefault(kind.code, kind)
    return kinds


def distance_in_words(metres: float) -> str:
    """“350 m” or “1.2 km”."""
    if metres < 1000:
        return _("%(n)d m") % {"n": round(metres / 10) * 10}
    return _("%(n).1f km") % {"n": metres / 1000}


def _nearby(
    index: PlaceIndex, place: int, metres: float | None, at: datetime, kinds: dict[str, OfferKind]
) -> NearbyPlace:
    snapshot, moment = index.snapshot, index.moment(int(at.timestamp()))
    state = OpenState(moment.state(place), as_utc(int(moment.changes_s[place])))
    return NearbyPlace(
        snapshot.public_ids[place],
        snapshot.names[place],
        snapshot.kinds[place],
        snapshot.addresses[place],
        snapshot.hours[place],
        float(snapshot.lon[place]),
        float(snapshot.lat[place]),
        metres,
        state,
        at,
        tuple(sorted((kinds[code] for code in index.offers[place] if code in kinds), key=lambda kind: kind.order)),
    )
