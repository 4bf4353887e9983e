"""Subsidies of rescues as the desk and finance read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from yizhan.benefits.models import BenefitOffer, ProgrammeState, RedemptionState
from yizhan.benefits.queries.programmes import Gauge, gauges
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.rescue.models import RescueCall, Rescuer, Subsidy, SubsidyState, SubsidyTerms
from yizhan.rescue.reasons import words_for
from yizhan.rescue.rights import VIEW_SUBSIDIES
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

# Paid by us, and taken back afterwards on the pages of money.
GONE_BACK = (RedemptionState.VOIDED, RedemptionState.REFUNDED)


def subsidies_for(staff: Staff) -> QuerySet[Subsidy]:
    """The subsidies that a post may see, newest first: of calls of its union and below, and of its own programmes."""
    found: QuerySet[Subsidy] = Subsidy.objects.with_scopes_disabled()
    if not policy.holds(staff, VIEW_SUBSIDIES):
        return found.none()
    path = staff.union.path
    return (
        found.filter(Q(call__union__path__startswith=path) | Q(programme__union__path__startswith=path))
        .select_related("call__union", "rescuer", "programme", "place", "redemption", "tried_by__user")
        .order_by("-made_at", "-pk")
    )


def subsidy_for(staff: Staff, public_id: UUID) -> Subsidy:
    """One that the post may see.

    Raises:
        Subsidy.DoesNotExist: there is none, or it is not theirs to see.
    """
    return subsidies_for(staff).get(public_id=public_id)


@dataclass(frozen=True, slots=True)
class Sums:
    """How many stand where, and what was paid in fen; what finance took back does not count as paid."""

    waiting: int
    refused: int
    paid: int
    paid_fen: int
    dropped: int

    @property
    def paid_yuan(self) -> int:
        """In whole yuan, for a figure that is read at a glance."""
        return self.paid_fen // 100


def sums_of(found: QuerySet[Subsidy]) -> Sums:
    """Over a narrowed list."""
    paid = Q(state=SubsidyState.PAID) & ~Q(redemption__state__in=GONE_BACK)
    told = found.order_by().aggregate(
        waiting=Count("pk", filter=Q(state__in=[SubsidyState.WAITING, SubsidyState.DUE])),
        refused=Count("pk", filter=Q(state=SubsidyState.REFUSED)),
        paid=Count("pk", filter=paid),
        paid_fen=Sum("redemption__funded_fen", filter=paid, default=0),
        dropped=Count("pk", filter=Q(state=SubsidyState.DROPPED)),
    )
    return Sums(**told)


def words_of(subsidy: Subsidy) -> str:
    """Why it is not paid, or was taken back, in words."""
    if subsidy.redemption is not None and subsidy.redemption.state in GONE_BACK:
        return subsidy.redemption.ended_reason or words_for(subsidy.reason)
    return words_for(subsidy.reason)


def latest_of(calls: Sequence[RescueCall]) -> dict[int, Subsidy]:
    """The last subsidy of each call, by the call's row number."""
    rows = Subsidy.objects.with_scopes_disabled().filter(call__in=[call.pk for call in calls])
    return {row.call_id: row for row in rows.select_related("redemption", "place", "programme").order_by("pk")}


def of_call(call: RescueCall) -> list[Subsidy]:
    """All of one call, the latest first."""
    rows = Subsidy.objects.with_scopes_disabled().filter(call=call)
    return list(rows.select_related("redemption", "place", "programme", "tried_by__user").order_by("-turn"))


def paid_to(rescuer: Rescuer, *, since: datetime) -> int:
    """What a rescuer's work brought since a moment, in fen."""
    mine = Subsidy.objects.with_scopes_disabled().filter(rescuer=rescuer, made_at__gte=since)
    return sums_of(mine).paid_fen


@dataclass(frozen=True, slots=True)
class TermsShown:
    """A subsidy programme with what its budgets still hold."""

    terms: SubsidyTerms
    gauges: list[Gauge]
    points: int
    may_change: bool


def terms_for(staff: Staff) -> QuerySet[SubsidyTerms]:
    """Programmes that pay for rescues: of the post's union and below, and those above that pay for its calls, too."""
    found: QuerySet[SubsidyTerms] = SubsidyTerms.objects.with_scopes_disabled()
    if not policy.holds(staff, VIEW_SUBSIDIES):
        return found.none()
    path, step = staff.union.path, staff.union.steplen
    above = [path[:end] for end in range(step, len(path), step)]
    return (
        found.filter(Q(programme__union__path__startswith=path) | Q(programme__union__path__in=above))
        .select_related("programme__union")
        .order_by("programme__union__path", "-pk")
    )


def shown_for(staff: Staff) -> list[TermsShown]:
    """Those that are not over, as the page shows them."""
    rows = terms_for(staff).exclude(programme__state=ProgrammeState.ENDED)
    return [
        TermsShown(
            terms,
            gauges(terms.programme),
            BenefitOffer.objects.with_scopes_disabled().filter(programme=terms.programme, is_active=True).count(),
            policy.allows(staff, MANAGE_PROGRAMMES, terms.programme.union),
        )
        for terms in rows
    ]
