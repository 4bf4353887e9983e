"""What finance sees of a union's money: statements, payouts, exceptions, differences, and who funded what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from yizhan.benefits.clock import SHANGHAI
from yizhan.benefits.models import (
    OPEN_PAYMENTS,
    AccountKind,
    Difference,
    DifferenceState,
    Entry,
    LineKind,
    Payment,
    Payout,
    PayoutItem,
    Reconciliation,
    Redemption,
    RedemptionState,
    Seal,
    Signal,
    SignalState,
    Statement,
    StatementLine,
    StatementState,
    Upload,
)
from yizhan.places.models import Place
from yizhan.unions.models import Staff
from yizhan.unions.rights import BOUND_ROLES, Role, policy


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits for finance now. Amounts in fen."""

    redeemed_today: int
    funded_today_fen: int
    unsettled: int
    unsettled_fen: int
    to_confirm: int
    disputed: int
    to_approve: int
    to_pay: int
    to_pay_fen: int
    exceptions: int
    differences: int
    signals: int
    payments_open: int
    last_reconciliation: Reconciliation | None
    last_seal: Seal | None


@dataclass(frozen=True, slots=True)
class Funding:
    """What one account gave in a span, in fen; `count` redemptions."""

    kind: str
    source: str
    level: str
    fen: int
    count: int


def statements(*, for_staff: Staff) -> QuerySet[Statement]:
    """Statements of unions at the acting one and below; a merchant's post sees those of its own places."""
    if Role(for_staff.role) in BOUND_ROLES:
        places = [bound.pk for bound in policy.bounds(for_staff)]
        found: QuerySet[Statement] = Statement.objects.with_scopes_disabled().filter(place__in=places)
    else:
        found = Statement.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union", "place", "confirmed_by", "approved_by", "made_by", "payout").order_by(
        "-day", "-pk"
    )


def lines_of(statement: Statement) -> QuerySet[StatementLine]:
    """The lines of a statement that the asker was given, disputed ones that wait for an answer first."""
    found: QuerySet[StatementLine] = StatementLine.objects.with_scopes_disabled().filter(statement=statement)
    return found.select_related("redemption__offer", "redemption__programme").order_by(
        F("answered_at").desc(nulls_first=True), F("disputed_at").desc(nulls_last=True), "redemption_id", "pk"
    )


def lines_in_order(statement: Statement) -> QuerySet[StatementLine]:
    """The lines of a statement as they are printed: corrections last, by time."""
    found: QuerySet[StatementLine] = StatementLine.objects.with_scopes_disabled().filter(statement=statement)
    return found.select_related("redemption__offer", "redemption__programme").order_by(
        "-kind", "redemption__redeemed_at", "pk"
    )


def payouts(*, for_staff: Staff) -> QuerySet[Payout]:
    """Payouts of the acting union and below, newest first."""
    found: QuerySet[Payout] = Payout.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union", "made_by", "closed_by").order_by("-made_at", "-pk")


def items_of(payout: Payout) -> QuerySet[PayoutItem]:
    """What each merchant gets by a payout that the asker was given."""
    found: QuerySet[PayoutItem] = PayoutItem.objects.with_scopes_disabled().filter(payout=payout)
    return found.select_related("place").order_by("pk")


def merchants(*, for_staff: Staff) -> QuerySet[Place]:
    """Places of the acting union and below that offer benefits, with the account where they receive money."""
    found: QuerySet[Place] = Place.objects.filter(union__path__startswith=for_staff.union.path)
    return (
        found.filter(benefit_offers__isnull=False)
        .select_related("union", "merchant_account")
        .distinct()
        .order_by("name", "pk")
    )


def redemptions(*, for_staff: Staff) -> QuerySet[Redemption]:
    """Redemptions of programmes of the acting union and below."""
    found: QuerySet[Redemption] = Redemption.objects.filter(union__path__startswith=for_staff.union.path)
    return found


def exceptions(*, for_staff: Staff) -> QuerySet[Redemption]:
    """Redemptions made offline against a rule, which wait for a decision; oldest first."""
    return (
        redemptions(for_staff=for_staff)
        .filter(state=RedemptionState.EXCEPTION)
        .select_related("programme", "offer", "place", "worker__user", "cashier__user")
        .order_by("redeemed_at", "pk")
    )


def decided_exceptions(*, for_staff: Staff) -> QuerySet[Redemption]:
    """Those decided, newest first."""
    return (
        redemptions(for_staff=for_staff)
        .filter(decided_at__isnull=False)
        .select_related("programme", "offer", "place", "decided_by__user")
        .order_by("-decided_at", "-pk")
    )


def uploads_to_decide(*, for_staff: Staff) -> QuerySet[Upload]:
    """What counters uploaded and could not be redeemed as it is: forged, unknown, late or told twice."""
    found: QuerySet[Upload] = Upload.objects.filter(place__union__path__startswith=for_staff.union.path)
    return (
        found.filter(state="exception", redemption__isnull=True)
        .select_related("place", "offer", "cashier__user")
        .order_by("uploaded_at", "pk")
    )


def differences(*, for_staff: Staff) -> QuerySet[Difference]:
    """Differences of the acting union and below, those last seen first."""
    found: QuerySet[Difference] = Difference.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union", "redemption__place", "statement", "payout", "closed_by").order_by(
        "-last_seen_at", "-pk"
    )


def reconciliations(*, for_staff: Staff) -> QuerySet[Reconciliation]:
    """Nightly comparisons of the acting union and below, newest first."""
    found: QuerySet[Reconciliation] = Reconciliation.objects.filter(union__path__startswith=for_staff.union.path)
    return found.select_related("union").order_by("-at", "-pk")


def unsettled(*, for_staff: Staff) -> QuerySet[Redemption]:
    """Redemptions that stand and are on no statement yet."""
    return redemptions(for_staff=for_staff).filter(
        ~Q(statement_lines__kind=LineKind.REDEMPTION), state=RedemptionState.REDEEMED
    )


def overview(*, for_staff: Staff, at: datetime) -> Overview:
    """The figures of the first page of finance."""
    midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    today = redemptions(for_staff=for_staff).filter(
        redeemed_at__gte=midnight, redeemed_at__lt=midnight + timedelta(days=1), state=RedemptionState.REDEEMED
    )
    eaten = today.aggregate(count=Count("pk"), fen=Sum("funded_fen"))
    left = unsettled(for_staff=for_staff).aggregate(count=Count("pk"), fen=Sum("funded_fen"))
    by_state = (
        statements(for_staff=for_staff)
        .order_by()
        .aggregate(
            to_confirm=Count("pk", filter=Q(state=StatementState.MADE)),
            disputed=Count("pk", filter=Q(state=StatementState.DISPUTED)),
            to_approve=Count("pk", filter=Q(state=StatementState.CONFIRMED)),
            to_pay=Count("pk", filter=Q(state=StatementState.APPROVED)),
            to_pay_fen=Sum("payable_fen", filter=Q(state=StatementState.APPROVED)),
        )
    )
    return Overview(
        redeemed_today=eaten["count"],
        funded_today_fen=eaten["fen"] or 0,
        unsettled=left["count"],
        unsettled_fen=left["fen"] or 0,
        **{**by_state, "to_pay_fen": by_state["to_pay_fen"] or 0},
        exceptions=exceptions(for_staff=for_staff).count() + uploads_to_decide(for_staff=for_staff).count(),
        differences=differences(for_staff=for_staff).filter(state=DifferenceState.OPEN).count(),
        signals=Signal.objects.filter(union__path__startswith=for_staff.union.path, state=SignalState.OPEN).count(),
        payments_open=Payment.objects.filter(
            union__path__startswith=for_staff.union.path, state__in=OPEN_PAYMENTS
        ).count(),
        last_reconciliation=reconciliations(for_staff=for_staff).first(),
        last_seal=Seal.objects.order_by("-number").first(),
    )


def funding(*, for_staff: Staff, since: date, until: date) -> list[Funding]:
    """Who gave how much in the days from `since` to `until`, both included: unions by level, platforms, sponsors.

    What the acting union and those below gave, also to programmes of a union above them; platforms and sponsors are
    those of their programmes.
    """
    start = datetime(since.year, since.month, since.day, tzinfo=SHANGHAI)
    end = datetime(until.year, until.month, until.day, tzinfo=SHANGHAI) + timedelta(days=1)
    entries: QuerySet[Entry] = Entry.objects.with_scopes_disabled().filter(
        account__kind__in=[AccountKind.UNION, AccountKind.PLATFORM, AccountKind.SPONSOR],
        account__union__path__startswith=for_staff.union.path,
        transaction__redemption__isnull=False,
        transaction__happened_at__gte=start,
        transaction__happened_at__lt=end,
    )
    summed = (
        entries.values("account__kind", "account__name", "account__union__name", "account__union__level")
        .annotate(fen=Sum("fen"), count=Count("transaction__redemption", distinct=True))
        .order_by("account__union__level", "account__union__name", "account__kind", "account__name")
    )
    return list(_funding(summed))


def _funding(rows: Iterable[Any]) -> Iterator[Funding]:
    for row in rows:
        yield Funding(
            kind=str(row["account__kind"]),
            source=str(row["account__name"] or row["account__union__name"]),
            level=str(row["account__union__level"]),
            fen=-int(row["fen"]),
            count=int(row["count"]),
        )


def payment_of(redemption: Redemption) -> Payment | None:
    """The payment of a redemption that the asker was given."""
    found: Payment | None = Payment.objects.with_scopes_disabled().filter(redemption=redemption).first()
    return found
