"""Who works where, and what went over a counter. All of it is about one place, for those who hold a right there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from yizhan.benefits.models import (
    PROVEN_KINDS,
    BenefitOffer,
    CounterPost,
    OfferShare,
    PartyKind,
    Period,
    ProgrammeState,
    Redemption,
    RedemptionState,
    Upload,
    UploadState,
)
from yizhan.places.models import Place
from yizhan.unions.models import Staff
from yizhan.unions.rights import BOUND_ROLES, Role


def places_of_post(staff: Staff) -> list[Place]:
    """The counters to which a post is bound: what the policy asks."""
    posts = CounterPost.objects.with_scopes_disabled().filter(staff=staff.pk, is_active=True)
    return [post.place for post in posts.select_related("place__union").order_by("place__name", "pk")]


def counters_of(staff: Staff) -> QuerySet[Place]:
    """Places at whose counter this post may stand: bound posts at theirs, others wherever meals are offered below."""
    places = Place.objects.with_scopes_disabled().select_related("union")
    if Role(staff.role) in BOUND_ROLES:
        found = places.filter(counter_posts__staff=staff, counter_posts__is_active=True)
    else:
        found = places.filter(union__path__startswith=staff.union.path, benefit_offers__is_active=True)
    result: QuerySet[Place] = found.distinct().order_by("name", "pk")
    return result


def posts_at(place: Place) -> QuerySet[CounterPost]:
    """Merchants and cashiers of a place; those who left come last."""
    found: QuerySet[CounterPost] = CounterPost.objects.with_scopes_disabled().filter(place=place)
    return found.select_related("staff__user", "staff__union").order_by("-is_active", "staff__role", "created_at")


@dataclass(frozen=True, slots=True)
class DayAtCounter:
    """What went over a counter on one day in Shanghai; amounts in fen."""

    day: date
    count: int
    worker_fen: int
    funded_fen: int
    list_price_fen: int


def day_at(place: Place, day: date | None = None) -> DayAtCounter:
    """One day; what was voided or refunded does not count, what waits for a decision does not either."""
    wanted = day or timezone.localdate()
    total = (
        _redeemed(place)
        .filter(day=wanted)
        .aggregate(
            count=Count("pk"),
            worker=Sum("worker_fen", default=0),
            funded=Sum("funded_fen", default=0),
            list_price=Sum("list_price_fen", default=0),
        )
    )
    return DayAtCounter(wanted, total["count"], total["worker"], total["funded"], total["list_price"])


def days_at(place: Place, *, days: int = 7) -> list[DayAtCounter]:
    """The last days, newest first; days on which nobody ate are there, too."""
    today = timezone.localdate()
    rows = {
        row["day"]: row
        for row in _redeemed(place)
        .filter(day__gt=today - timedelta(days=days))
        .values("day")
        .annotate(count=Count("pk"), worker=Sum("worker_fen"), funded=Sum("funded_fen"), price=Sum("list_price_fen"))
        .order_by()
    }
    found = []
    for back in range(days):
        day = today - timedelta(days=back)
        row = rows.get(day, {"count": 0, "worker": 0, "funded": 0, "price": 0})
        found.append(DayAtCounter(day, row["count"], row["worker"], row["funded"], row["price"]))
    return found


def latest_at(place: Place, *, most: int = 20) -> list[Redemption]:
    """What went over the counter last, newest first; without the workers, whom the counter does not know."""
    found: QuerySet[Redemption] = Redemption.objects.with_scopes_disabled().filter(
        place=place, redeemed_at__gte=timezone.now() - timedelta(days=1)
    )
    return list(found.select_related("offer", "programme", "cashier__user").order_by("-redeemed_at")[:most])


def redemption_at(place: Place, public_id: object) -> Redemption | None:
    """One redemption of a place."""
    found: Redemption | None = (
        Redemption.objects.with_scopes_disabled()
        .filter(place=place, public_id=public_id)
        .select_related("offer", "programme", "place__union")
        .first()
    )
    return found


def uploads_to_decide(place: Place) -> int:
    """How many of a place's offline redemptions wait for finance."""
    waiting: int = Upload.objects.with_scopes_disabled().filter(place=place, state=UploadState.EXCEPTION).count()
    return waiting


def exceptions(*, for_staff: Staff) -> QuerySet[Upload]:
    """Offline redemptions of the acting union and below that wait for a decision, oldest first."""
    found: QuerySet[Upload] = Upload.objects.with_scopes_disabled().filter(
        place__union__path__startswith=for_staff.union.path, state=UploadState.EXCEPTION
    )
    return found.select_related("place__union", "offer__programme", "cashier__user", "redemption").order_by(
        "uploaded_at", "pk"
    )


def _redeemed(place: Place) -> QuerySet[Redemption]:
    found: QuerySet[Redemption] = Redemption.objects.with_scopes_disabled().filter(
        Q(state=RedemptionState.REDEEMED), place=place
    )
    return found


@dataclass(frozen=True, slots=True)
class OfferAtCounter:
    """An offer as the counter shows it; `hours` are the programme's periods, empty for all day."""

    offer: BenefitOffer
    worker_fen: int
    hours: list[str]


def offers_by_place(places: Sequence[Place], *, at: datetime) -> dict[int, list[OfferAtCounter]]:
    """What may be redeemed on this day at each place, by its row number; quotas and budgets aside."""
    today = timezone.localdate(at)
    share = (
        OfferShare.objects.with_scopes_disabled()
        .filter(offer=OuterRef("pk"), party=PartyKind.WORKER)
        .order_by()
        .values("offer")
        .annotate(total=Sum("fen"))
        .values("total")
    )
    offers = (
        BenefitOffer.objects.with_scopes_disabled()
        .filter(
            Q(programme__ends_on__isnull=True) | Q(programme__ends_on__gte=today),
            place__in=places,
            is_active=True,
            programme__state=ProgrammeState.OPEN,
            programme__starts_on__lte=today,
            programme__weekdays__contains=[today.isoweekday()],
        )
        .exclude(programme__kind__in=PROVEN_KINDS)
        .select_related("programme__union", "place__union")
        .annotate(pays=Coalesce(Subquery(share), 0))
        .prefetch_related(Prefetch("programme__periods", Period.objects.with_scopes_disabled().all()))
        .order_by("pays", "name", "pk")
    )
    found: dict[int, list[OfferAtCounter]] = {}
    for offer in offers:
        hours = [period.hours for period in offer.programme.periods.all()]
        found.setdefault(offer.place_id, []).append(OfferAtCounter(offer, offer.pays, hours))
    return found
