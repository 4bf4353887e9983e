"""What programme managers read of their union and below: programmes, offers, budgets, lotteries, exclusions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from yizhan.benefits.models import (
    Account,
    AccountKind,
    AppealState,
    BenefitOffer,
    Budget,
    BudgetShard,
    Exclusion,
    Lottery,
    OfferShare,
    Programme,
    ProgrammeState,
    Redemption,
    RedemptionState,
)
from yizhan.benefits.services.budgets import bucket_of
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.models import Staff, Worker
from yizhan.unions.queries.people import one_called, workers


def programmes(*, for_staff: Staff) -> QuerySet[Programme]:
    """Programmes of the acting union and below, the running ones first."""
    found: QuerySet[Programme] = (
        Programme.objects.with_scopes_disabled()
        .filter(union__path__startswith=for_staff.union.path)
        .select_related("union")
        .order_by("ends_on", "-starts_on", "pk")
    )
    return found


def with_counts(found: QuerySet[Programme]) -> QuerySet[Programme]:
    """With the number of places that offer something, as `places_count`."""
    return found.annotate(places_count=Count("offers__place", filter=Q(offers__is_active=True), distinct=True))


@dataclass(frozen=True, slots=True)
class Eaten:
    """What was redeemed and not taken back: how often, and what was funded of it in fen."""

    count: int = 0
    funded_fen: int = 0


def eaten_lately(found: Iterable[Programme], *, days: int = 30) -> dict[int, Eaten]:
    """By programme, over the last days."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        Redemption.objects.with_scopes_disabled()
        .filter(programme__in=[each.pk for each in found], redeemed_at__gte=since, state=RedemptionState.REDEEMED)
        .values("programme")
        .annotate(count=Count("pk"), fen=Sum("funded_fen"))
    )
    return {row["programme"]: Eaten(row["count"], row["fen"]) for row in rows}


def offers_of(programme: Programme) -> QuerySet[BenefitOffer]:
    """What it offers where, with the split."""
    shares = OfferShare.objects.with_scopes_disabled().select_related("account__union").order_by("pk")
    found: QuerySet[BenefitOffer] = (
        BenefitOffer.objects.with_scopes_disabled()
        .filter(programme=programme)
        .select_related("place__union", "programme__union")
        .prefetch_related(Prefetch("shares", queryset=shares))
        .order_by("-is_active", "place__name", "name", "pk")
    )
    return found


def places_for(programme: Programme) -> QuerySet[Place]:
    """Where it may offer something: published places of its union and below, restaurants first."""
    found: QuerySet[Place] = (
        Place.objects.with_scopes_disabled()
        .filter(union__path__startswith=programme.union.path, status=PlaceStatus.PUBLISHED)
        .select_related("union")
        .order_by("-kind", "name", "pk")
    )
    return found


@dataclass(frozen=True, slots=True)
class Gauge:
    """A budget as a page shows it; amounts in fen, of the bucket that runs now."""

    budget: Budget
    spent_fen: int

    @property
    def left_fen(self) -> int:
        """What may still be spent."""
        return max(0, self.budget.cap_fen - self.spent_fen)

    @property
    def percent(self) -> int:
        """How much is spent, of a hundred."""
        return min(100, self.spent_fen * 100 // self.budget.cap_fen) if self.budget.cap_fen else 100

    @property
    def tone(self) -> str:
        """How pressing it is."""
        return "bad" if self.percent >= 95 else "warn" if self.percent >= 80 else "good"


def gauges(programme: Programme) -> list[Gauge]:
    """The budgets that cap a programme: its own, and those of the same payers over all their programmes."""
    payers = [account.pk for account in payers_of(programme)]
    budgets = list(
        Budget.objects.with_scopes_disabled()
        .filter(Q(programme=programme) | Q(programme__isnull=True, account__in=payers), is_active=True)
        .select_related("account__union", "programme")
        .order_by("account", "span", "pk")
    )
    today = timezone.localdate()
    wanted = Q(pk__in=[])
    for budget in budgets:
        wanted |= Q(budget=budget.pk, bucket=bucket_of(budget.span, today))
    rows = BudgetShard.objects.with_scopes_disabled().filter(wanted).values("budget").annotate(fen=Sum("spent_fen"))
    spent = {row["budget"]: row["fen"] for row in rows}
    return [Gauge(budget, spent.get(budget.pk, 0)) for budget in budgets]


def payers_of(programme: Programme) -> list[Account]:
    """Unions, platforms and sponsors that pay a share of any of its offers."""
    funding = [AccountKind.UNION, AccountKind.PLATFORM, AccountKind.SPONSOR]
    shares = OfferShare.objects.with_scopes_disabled().filter(offer__programme=programme)
    return list(
        Account.objects.with_scopes_disabled()
        .filter(kind__in=funding, pk__in=shares.values("account"))
        .select_related("union")
        .order_by("kind", "pk")
    )


def budget_of(programme: Programme, public_id: object) -> Budget | None:
    """One of its own budgets."""
    found: Budget | None = (
        Budget.objects.with_scopes_disabled()
        .filter(programme=programme, public_id=public_id)
        .select_related("account__union", "programme")
        .first()
    )
    return found


def lotteries_of(programme: Programme) -> QuerySet[Lottery]:
    """Its draws, the latest first, with the number of tickets."""
    found: QuerySet[Lottery] = (
        Lottery.objects.with_scopes_disabled()
        .filter(programme=programme)
        .select_related("programme__union")
        .annotate(tickets_count=Count("tickets"))
        .order_by("-valid_from", "-pk")
    )
    return found


def exclusions(*, for_staff: Staff) -> QuerySet[Exclusion]:
    """Workers kept from programmes of the acting union and below; those that wait for an answer first."""
    found: QuerySet[Exclusion] = (
        Exclusion.objects.with_scopes_disabled()
        .filter(union__path__startswith=for_staff.union.path)
        .select_related("worker__user", "union", "programme", "excluded_by__user", "answered_by__user")
        .order_by("-since", "pk")
    )
    return found


def appeals_waiting(*, for_staff: Staff) -> QuerySet[Exclusion]:
    """Exclusions whose appeal waits for an answer."""
    return exclusions(for_staff=for_staff).filter(appeal_state=AppealState.WAITING)


def worker_called(text: str, *, for_staff: Staff) -> Worker | None:
    """One worker by whole phone or identity number, or by the identifier that stands in a redemption.

    Those of the acting union and below, and those who redeemed in one of its programmes.
    """
    known = workers(for_staff=for_staff)
    eating = Worker.objects.with_scopes_disabled().filter(redemptions__union__path__startswith=for_staff.union.path)
    every = Worker.objects.with_scopes_disabled().filter(Q(pk__in=known.values("pk")) | Q(pk__in=eating.values("pk")))
    return one_called(text, among=every.select_related("user", "union"))


def running(*, for_staff: Staff) -> int:
    """How many programmes run."""
    return programmes(for_staff=for_staff).filter(state=ProgrammeState.OPEN).count()
