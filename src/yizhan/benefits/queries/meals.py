"""What a worker sees: where to eat for how much, and what they ate.

Places and prices are public, the rest is their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from yizhan.benefits.models import Exclusion, Redemption, VoucherBatch
from yizhan.places.hours import OpenState
from yizhan.places.models import Place
from yizhan.places.openness import closures_to_come, said_of, state_of
from yizhan.unions.models import Staff, Worker

from .counters import OfferAtCounter, offers_by_place


@dataclass(frozen=True, slots=True)
class Restaurant:
    """A place with something on offer today; `least_fen` is the least that a worker pays."""

    place: Place
    offers: list[OfferAtCounter]
    state: OpenState
    words: str

    @property
    def least_fen(self) -> int:
        """What the cheapest offer costs a worker."""
        return min(one.worker_fen for one in self.offers)


def restaurants(*, at: datetime | None = None, text: str = "", open_now: bool = False) -> list[Restaurant]:
    """Published places with offers of running programmes: the open ones first, then by price and name."""
    now = at or timezone.now()
    places = (
        Place.published.filter(benefit_offers__is_active=True)
        .select_related("union")
        .prefetch_related(closures_to_come(now))
        .distinct()
    )
    if text:
        places = places.filter(name__icontains=text) | places.filter(address__icontains=text)
    rows = list(places.order_by("name", "pk")[:2000])
    offers = offers_by_place(rows, at=now)
    found = [_restaurant(place, offers[place.pk], now) for place in rows if place.pk in offers]
    if open_now:
        found = [one for one in found if one.state.state == "yes"]
    return sorted(found, key=lambda one: (one.state.state != "yes", one.least_fen, one.place.name))


def restaurant(public_id: UUID, *, at: datetime | None = None) -> Restaurant | None:
    """One published place with what it offers today, which may be nothing."""
    now = at or timezone.now()
    place = (
        Place.published.filter(public_id=public_id)
        .select_related("union")
        .prefetch_related(closures_to_come(now))
        .first()
    )
    if place is None:
        return None
    return _restaurant(place, offers_by_place([place], at=now).get(place.pk, []), now)


def has_offers(place: Place) -> bool:
    """Whether anything may be redeemed at a place today: what its public page asks."""
    return bool(offers_by_place([place], at=timezone.now()))


def history(worker: Worker) -> QuerySet[Redemption]:
    """What the worker redeemed, the newest first."""
    found: QuerySet[Redemption] = Redemption.objects.with_scopes_disabled().filter(worker=worker)
    return found.select_related("offer", "programme", "place").order_by("-redeemed_at", "-pk")


def own_redemption(worker: Worker, public_id: UUID) -> Redemption | None:
    """One of the worker's own."""
    return history(worker).select_related("offer", "programme", "place__union").filter(public_id=public_id).first()


def exclusions_of(worker: Worker) -> QuerySet[Exclusion]:
    """Programmes from which the worker is kept now, with reasons and appeals."""
    now = timezone.now()
    found: QuerySet[Exclusion] = Exclusion.objects.with_scopes_disabled().filter(worker=worker, lifted_at=None)
    return found.exclude(until__lt=now).select_related("programme", "union").order_by("-since")


def batches(*, for_staff: Staff) -> QuerySet[VoucherBatch]:
    """Batches of paper vouchers of the acting union and below, the newest first."""
    found: QuerySet[VoucherBatch] = VoucherBatch.objects.with_scopes_disabled().filter(
        programme__union__path__startswith=for_staff.union.path
    )
    return found.select_related("programme__union", "made_by__user").order_by("-made_at", "-pk")


def _restaurant(place: Place, offers: list[OfferAtCounter], now: datetime) -> Restaurant:
    return Restaurant(place, offers, state_of(place, now), said_of(place, now))
