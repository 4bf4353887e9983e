"""What is on offer, for everyone; and the rows that the interface for programs needs."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from yizhan.benefits.models import PROVEN_KINDS, BenefitOffer, Programme, ProgrammeState, Redemption
from yizhan.places.models import PlaceStatus
from yizhan.unions.models import Staff, Worker


def offers() -> QuerySet[BenefitOffer]:
    """All offers of programmes that have left the draft, with what redeeming needs loaded."""
    found: QuerySet[BenefitOffer] = (
        BenefitOffer.objects.with_scopes_disabled()
        .exclude(programme__state=ProgrammeState.DRAFT)
        .select_related("place__union", "programme__union")
    )
    return found


def offer_to_redeem(public_id: UUID) -> BenefitOffer | None:
    """One of those offers, with no more loaded than redeeming asks: the place's union, for the right."""
    found: BenefitOffer | None = (
        BenefitOffer.objects.with_scopes_disabled()
        .filter(public_id=public_id)
        .exclude(programme__state=ProgrammeState.DRAFT)
        .exclude(programme__kind__in=PROVEN_KINDS)
        .select_related("place__union")
        .only("programme_id", "place__union__path", "place__union__name")
        .order_by("pk")
        .first()
    )
    return found


def open_programmes(*, after: UUID | None = None) -> QuerySet[Programme]:
    """Programmes that run and are not over, in the order in which they were made; not those redeemed by evidence."""
    found: QuerySet[Programme] = (
        Programme.objects.with_scopes_disabled()
        .filter(state=ProgrammeState.OPEN)
        .exclude(kind__in=PROVEN_KINDS)
        .exclude(ends_on__lt=timezone.localdate())
        .select_related("union")
        .order_by("public_id")
    )
    return found.filter(public_id__gt=after) if after is not None else found


def offers_by_programme(programmes: Iterable[Programme]) -> dict[int, list[BenefitOffer]]:
    """What they offer now at published places."""
    found: dict[int, list[BenefitOffer]] = {}
    rows = offers().filter(
        programme__in=[each.pk for each in programmes], is_active=True, place__status=PlaceStatus.PUBLISHED
    )
    for row in rows.order_by("place__name", "pk"):
        found.setdefault(row.programme_id, []).append(row)
    return found


def worker_for(staff: Staff, public_id: UUID) -> Worker | None:
    """A worker of the staff's union or below."""
    found: Worker | None = (
        Worker.objects.with_scopes_disabled()
        .filter(public_id=public_id, union__path__startswith=staff.union.path)
        .only("user_id")
        .first()
    )
    return found


def redemption_for(staff: Staff, public_id: UUID) -> Redemption | None:
    """A redemption at a place of the staff's union or below."""
    found: Redemption | None = (
        Redemption.objects.with_scopes_disabled()
        .filter(public_id=public_id, place__union__path__startswith=staff.union.path)
        .first()
    )
    return found
