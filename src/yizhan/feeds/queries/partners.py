"""What staff may read of partners and of what they show: those of the acting union and below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Substr
from django.utils import timezone

from yizhan.feeds.models import (
    Evidence,
    Finding,
    FindingKind,
    Gone,
    Listing,
    ListingState,
    Partner,
    PartnerExport,
    PlaceChange,
    Push,
)
from yizhan.unions.models import Staff, Union

_WANTED = Q(is_wanted=True)
_WRONG = (ListingState.STALE, ListingState.MERGED)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many places at a partner, or of a union: to be shown, known to be live, taken, on their way, and wrong."""

    wanted: int = 0
    live: int = 0
    taken: int = 0
    waiting: int = 0
    wrong: int = 0
    dead: int = 0
    red: int = 0

    @property
    def live_percent(self) -> int:
        """Of what is to be shown."""
        return round(100 * self.live / self.wanted) if self.wanted else 0

    @property
    def taken_percent(self) -> int:
        """Of what is to be shown: taken or live."""
        return round(100 * (self.live + self.taken) / self.wanted) if self.wanted else 0


_FIGURES = {
    "wanted": Count("pk", filter=_WANTED),
    "live": Count("pk", filter=_WANTED & Q(state=ListingState.LIVE)),
    "taken": Count("pk", filter=_WANTED & Q(state__in=[ListingState.ACCEPTED, ListingState.SENT])),
    "waiting": Count("pk", filter=Q(is_waiting=True)),
    "wrong": Count("pk", filter=Q(state__in=_WRONG)),
    "dead": Count("pk", filter=Q(died_at__isnull=False)),
    "red": Count("pk", filter=Q(red_since__isnull=False)),
}


def partners(*, for_staff: Staff) -> QuerySet[Partner]:
    """All partners at and below the acting union."""
    return (
        Partner.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union", "created_by__user")
        .order_by("union__path", "name")
    )


def figures_by_partner(*, for_staff: Staff) -> dict[int, Figures]:
    """By row number of the partner; only places of the acting union and below are counted."""
    rows = listings(for_staff=for_staff).order_by().values_list("partner").annotate(**_FIGURES)
    return {partner: Figures(*counts) for partner, *counts in rows}


def figures(*, for_staff: Staff) -> Figures:
    """Over all partners."""
    return Figures(**listings(for_staff=for_staff).order_by().aggregate(**_FIGURES))


def listings(*, for_staff: Staff) -> QuerySet[Listing]:
    """What each partner shows of each place of the acting union and below."""
    return (
        Listing.objects.filter(place__union__path__startswith=for_staff.union.path)
        .select_related("partner__union", "place__union")
        .order_by("partner__name", "place__name", "pk")
    )


def dead_letters(*, for_staff: Staff) -> QuerySet[Listing]:
    """What was given up, newest first."""
    return listings(for_staff=for_staff).filter(died_at__isnull=False).order_by("-died_at", "-pk")


def red_list(*, for_staff: Staff) -> QuerySet[Listing]:
    """Closed places that a partner may still show, the most pressing first."""
    return listings(for_staff=for_staff).filter(red_since__isnull=False).order_by("red_until", "pk")


def evidence(listing: Listing, *, for_staff: Staff) -> QuerySet[Evidence]:
    """What happened to a listing, newest first."""
    return Evidence.objects.filter(
        listing=listing, listing__place__union__path__startswith=for_staff.union.path
    ).select_related("push", "export", "by__user")


def pushes(*, for_staff: Staff) -> QuerySet[Push]:
    """Messages and files of the partners of the acting union and below, newest first."""
    return Push.objects.filter(partner__union__path__startswith=for_staff.union.path).select_related("partner__union")


def exports(partner: Partner, *, for_staff: Staff) -> QuerySet[PartnerExport]:
    """Compared files of a partner, newest first."""
    return PartnerExport.objects.filter(
        partner=partner, partner__union__path__startswith=for_staff.union.path
    ).select_related("by__user")


def export_called(public_id: UUID, *, for_staff: Staff) -> PartnerExport | None:
    """One compared file, if the acting staff may see it."""
    return (
        PartnerExport.objects.filter(public_id=public_id, partner__union__path__startswith=for_staff.union.path)
        .select_related("partner__union", "by__user")
        .first()
    )


def findings(export: PartnerExport) -> QuerySet[Finding]:
    """What a compared file says that is not as it should be."""
    return Finding.objects.filter(export=export).select_related("listing__place__union").order_by("kind", "pk")


def findings_by_kind(export: PartnerExport) -> list[tuple[FindingKind, int]]:
    """How many of each kind, of an export that the asker was given; kinds without any are left out."""
    counted = dict(Finding.every.filter(export=export).order_by().values_list("kind").annotate(Count("pk")))
    return [(kind, counted[kind.value]) for kind in FindingKind if counted.get(kind.value)]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far the places of one union are shown by the partners."""

    union: Union
    published: int
    unverified: int
    by_partner: Sequence[tuple[Partner, Figures | None]]


def coverage(*, for_staff: Staff, shown_by: Sequence[Partner]) -> list[Coverage]:
    """For the acting union itself and each union directly below: its published places, and what each partner shows."""
    own = for_staff.union.path
    width = len(own) + Union.steplen
    counted: dict[str, dict[int, Figures]] = {}
    rows = (
        listings(for_staff=for_staff)
        .order_by()
        .annotate(branch=Substr("place__union__path", 1, width))
        .values_list("branch", "partner")
        .annotate(**_FIGURES)
    )
    for branch, partner, *counts in rows:
        counted.setdefault(branch, {})[partner] = Figures(*counts)
    public = dict(
        PlaceChange.objects.filter(gone=Gone.NOT, union_path__startswith=own)
        .annotate(branch=Substr("union_path", 1, width))
        .values_list("branch")
        .annotate(Count("pk"))
        .order_by()
    )
    unverified = dict(
        PlaceChange.objects.filter(gone=Gone.NOT, union_path__startswith=own, place__verified_at=None)
        .annotate(branch=Substr("union_path", 1, width))
        .values_list("branch")
        .annotate(Count("pk"))
        .order_by()
    )
    unions = Union.objects.filter(path__in={own, *counted, *public}).order_by("path")
    return [
        Coverage(
            union,
            public.get(union.path, 0),
            unverified.get(union.path, 0),
            [(partner, counted.get(union.path, {}).get(partner.pk)) for partner in shown_by],
        )
        for union in unions
        if public.get(union.path) or counted.get(union.path)
    ]


def partners_showing(*, for_staff: Staff) -> list[Partner]:
    """Partners that show places of the acting union and below, wherever they belong: of those above, too."""
    showing = listings(for_staff=for_staff).order_by().values("partner")
    return list(Partner.every.filter(pk__in=showing).select_related("union").order_by("union__path", "name"))


def last_export_at(*, for_staff: Staff) -> dict[int, datetime]:
    """When each partner's export was compared last, by row number."""
    rows = (
        PartnerExport.objects.filter(partner__union__path__startswith=for_staff.union.path)
        .order_by()
        .values_list("partner")
        .annotate(Max("at"))
    )
    return dict(rows)


def overdue(red: QuerySet[Listing]) -> QuerySet[Listing]:
    """Those past their deadline."""
    return red.filter(red_until__lte=timezone.now())
