"""What the HSDS addresses read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from yizhan.feeds.hsds.identifiers import (
    OFFERS_TAXONOMY,
    schedule_id,
    service_at_location_id,
    service_id,
    taxonomy_term_id,
)
from yizhan.feeds.hsds.telling import Object, how_many_schedules, schedules_of
from yizhan.feeds.models import PlaceChange
from yizhan.places.models import Offer, OfferKind, Place
from yizhan.unions.models import Union

from .changes import last_sequence, public_places

Pair = tuple[UUID, str]  # a union and the code of what it offers
MOST_SCHEDULES = 64  # of one place: far more stretches of time than a week's form takes


def organizations(search: str = "") -> QuerySet[Union]:
    """Unions that have published places, by identifier."""
    unions = Union.objects.filter(Exists(Place.published.filter(union=OuterRef("pk")))).order_by("public_id")
    return unions.filter(name__icontains=search) if search else unions


def ancestors_of(paths: Iterable[str]) -> dict[str, Union]:
    """All unions at and above these places in the tree, by their place."""
    wanted = {path[:length] for path in paths for length in range(Union.steplen, len(path) + 1, Union.steplen)}
    return {union.path: union for union in Union.objects.filter(path__in=wanted)}


def services(*, union: UUID | None = None, code: str = "") -> list[Pair]:
    """Which union offers what, in a stable order."""
    return [
        pair
        for pair in _all_services(last_sequence())
        if (union is None or pair[0] == union) and (not code or pair[1] == code)
    ]


@lru_cache(maxsize=1)
def _all_services(_sequence: int) -> tuple[Pair, ...]:
    """Read anew whenever the sequence has moved."""
    pairs = Offer.published.order_by().values_list("place__union__public_id", "kind__code").distinct()
    return tuple(sorted(pairs))


def pair_of(identifier: UUID) -> Pair | None:
    """The union and code behind the identifier of a service; None: there is no such service now."""
    known = set(services())
    return next((pair for code in _codes() if (pair := (service_id(identifier, code), code)) in known), None)


def unions_by_id(identifiers: Iterable[UUID]) -> dict[UUID, Union]:
    """Unions by their public identifiers."""
    return {union.public_id: union for union in Union.objects.filter(public_id__in=set(identifiers))}


def kinds_by_code() -> dict[str, OfferKind]:
    """The vocabulary, everyone's words before those of one union."""
    kinds: dict[str, OfferKind] = {}
    for kind in OfferKind.objects.order_by("union_id", "order", "code"):
        if kind.union_id is None or kind.code not in kinds:
            kinds[kind.code] = kind
    return kinds


def code_of_term(identifier: UUID) -> str | None:
    """The code behind the identifier of a taxonomy term."""
    return next((code for code in _codes() if taxonomy_term_id(OFFERS_TAXONOMY, code) == identifier), None)


def locations(
    *,
    union: UUID | None = None,
    modified_after: datetime | None = None,
    search: str = "",
    location: UUID | None = None,
) -> QuerySet[PlaceChange]:
    """Published places by identifier; with `location`, that one alone."""
    places = public_places().order_by("public_id")
    if location is not None:
        places = places.filter(public_id=location)
    if union is not None:
        places = places.filter(place__union__public_id=union)
    if modified_after is not None:
        places = places.filter(at__gte=modified_after)
    return places.filter(place__name__icontains=search) if search else places


class Schedules:
    """The schedules of places as one long list, by hours and then by place.

    Places that share their hours share how many schedules they have, so that a page is found by counting: none is read
    that does not stand on it.
    """

    def __init__(
        self, *, union: UUID | None = None, modified_after: datetime | None = None, location: UUID | None = None
    ) -> None:
        self._places = locations(union=union, modified_after=modified_after, location=location)
        self._groups = _places_by_hours(last_sequence(), union, modified_after, location)

    def __len__(self) -> int:
        return sum(count * each for _hours, count, each in self._groups)

    def __getitem__(self, part: slice) -> list[Object]:
        start, end = part.start, part.stop
        found: list[Object] = []
        for hours, count, each in self._groups:
            if start < count * each and end > 0:
                first, last = max(0, start) // each, min(count, -(-end // each))
                with_hours = self._places.filter(place__hours=hours)[first:last]
                told = [one for change in with_hours for one in schedules_of(change)]
                found += told[max(0, start) - first * each : end - first * each]
            start, end = start - count * each, end - count * each
        return found


@lru_cache(maxsize=64)
def _places_by_hours(
    _sequence: int, union: UUID | None, modified_after: datetime | None, location: UUID | None
) -> tuple[tuple[str, int, int], ...]:
    """The hours, how many places have them, and how many schedules each; counted anew when the sequence has moved."""
    places = locations(union=union, modified_after=modified_after, location=location)
    counted = places.order_by("place__hours").values_list("place__hours").annotate(Count("pk"))
    return tuple((hours, count, each) for hours, count in counted if (each := how_many_schedules(hours)))


def schedule_of(identifier: UUID) -> Object | None:
    """The schedule of a published place with that identifier."""
    candidates = [schedule_id(identifier, number) for number in range(MOST_SCHEDULES)]
    found = (one for change in public_places().filter(public_id__in=candidates) for one in schedules_of(change))
    return next((one for one in found if one["id"] == str(identifier)), None)


def offers(*, union: UUID | None = None, code: str = "", modified_after: datetime | None = None) -> QuerySet[Offer]:
    """What is offered at published places, with place and what is told of it, in a stable order."""
    wanted = Q(place__change__gone="")
    if union is not None:
        wanted &= Q(place__union__public_id=union)
    if code:
        wanted &= Q(kind__code=code)
    if modified_after is not None:
        wanted &= Q(place__change__at__gte=modified_after)
    return Offer.published.filter(wanted).select_related("kind", "place__change", "place__union").order_by("pk")


def offer_of(identifier: UUID) -> Offer | None:
    """The offer behind the identifier of a service at a location."""
    candidates = {service_at_location_id(identifier, code): code for code in _codes()}
    found = offers().filter(place__public_id__in=candidates)
    return next((one for one in found if candidates[one.place.public_id] == one.kind.code), None)


def _codes() -> list[str]:
    return sorted(set(OfferKind.objects.values_list("code", flat=True)))
