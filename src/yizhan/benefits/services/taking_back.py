"""Voiding and refunding redemptions, and deciding those made offline against a rule."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.actions import EXCEPTION_DECIDED, REDEMPTION_REFUNDED, REDEMPTION_VOIDED
from yizhan.benefits.models import (
    BudgetShard,
    LedgerTransaction,
    PlaceDay,
    Redemption,
    RedemptionState,
    TransactionKind,
)
from yizhan.benefits.refusals import Refused
from yizhan.benefits.rights import DECIDE_EXCEPTIONS, REDEEM, REFUND
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from . import ledger
from .payments import give_back


@transaction.atomic
def void(redemption: Redemption, *, actor: Staff | Operator, reason: str) -> Redemption:
    """Take back what should not have been redeemed: as if it had never been. Voiding it again changes nothing.

    Quotas and budgets get back what it took, and the books an opposite entry for each party's share.

    Raises:
        NotAllowed: the actor may not redeem at this place.
        RuleBroken: it is longer ago than the programme lets a counter void (the operator may at any time), it was
            refunded or waits for a decision, or no reason is given.
    """
    current = _locked(redemption)
    policy.require(actor, REDEEM, current.place.union, within=current.place)
    if current.state == RedemptionState.VOIDED:
        return current
    reason = _reason(reason)
    _must_be_redeemed(current)
    limit = timedelta(minutes=current.programme.void_minutes)
    if not isinstance(actor, Operator) and timezone.now() > current.recorded_at + limit:
        raise RuleBroken.at(
            "",
            None,
            _("A redemption can be voided at the counter for %(minutes)s minutes; after that ask for a refund.")
            % {"minutes": current.programme.void_minutes},
            "too_late",
        )
    _take_back(current, RedemptionState.VOIDED, actor=actor, reason=reason)
    record(actor, REDEMPTION_VOIDED, union=current.union, target=current, details={"reason": reason})
    return current


@transaction.atomic
def refund(redemption: Redemption, *, actor: Staff | Operator, reason: str) -> Redemption:
    """Give every party its share of a redemption back. Refunding it again changes nothing.

    Raises:
        NotAllowed: the actor may not refund at the programme's union.
        RuleBroken: it is longer ago than the programme allows, it was voided, or no reason is given.
    """
    current = _locked(redemption)
    policy.require(actor, REFUND, current.union)
    if current.state == RedemptionState.REFUNDED:
        return current
    reason = _reason(reason)
    _must_be_redeemed(current)
    if not isinstance(actor, Operator) and timezone.now() > current.recorded_at + timedelta(
        days=current.programme.refund_days
    ):
        raise RuleBroken.at(
            "",
            None,
            _("Refunds of this programme are possible for %(days)s days.") % {"days": current.programme.refund_days},
            "too_late",
        )
    _take_back(current, RedemptionState.REFUNDED, actor=actor, reason=reason)
    record(actor, REDEMPTION_REFUNDED, union=current.union, target=current, details={"reason": reason})
    return current


@transaction.atomic
def decide_exception(redemption: Redemption, *, actor: Staff | Operator, accept: bool, reason: str = "") -> Redemption:
    """Accept or refuse what was redeemed offline against a rule. The same decision again changes nothing.

    Accepting waives rules and quotas, never a budget: it is charged and booked as any other redemption, and counts.

    Raises:
        NotAllowed: the actor may not decide at the programme's union.
        Refused: accepting would pass a budget; raise its cap first.
        RuleBroken: it was decided otherwise already.
    """
    current = _locked(redemption)
    policy.require(actor, DECIDE_EXCEPTIONS, current.union)
    wanted = RedemptionState.REDEEMED if accept else RedemptionState.VOIDED
    if current.state != RedemptionState.EXCEPTION:
        if current.state == wanted and current.decided_at is not None:
            return current
        raise _wrong_state(current)
    now = timezone.now()
    current.decided_at, current.decided_by = now, actor if isinstance(actor, Staff) else None
    if accept:
        _accept(current, now)
    else:
        current.ended_at, current.ended_by = now, current.decided_by
        current.ended_reason = " ".join(reason.split())[:200]
    current.state = wanted
    current.save(
        update_fields=[
            "state",
            "decided_at",
            "decided_by",
            "ended_at",
            "ended_by",
            "ended_reason",
            "charged_shards",
            "charged_fen",
        ]
    )
    record(
        actor,
        EXCEPTION_DECIDED,
        union=current.union,
        target=current,
        details={"accepted": accept, "reason": reason[:200] or current.reason},
    )
    return current


def _accept(current: Redemption, now: datetime) -> None:
    """Charge and book; the amounts are those of the day it happened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_accept(%s, %s)", [current.pk, now])
        (outcome,) = cursor.fetchone()
    if outcome != "done":
        raise Refused(outcome)
    current.refresh_from_db(fields=["charged_shards", "charged_fen"])


def _locked(redemption: Redemption) -> Redemption:
    found: Redemption = (
        Redemption.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("programme", "union", "place__union")
        .get(pk=redemption.pk)
    )
    return found


def _take_back(current: Redemption, state: RedemptionState, *, actor: Staff | Operator, reason: str) -> None:
    now = timezone.now()
    if current.programme.place_quota_day is not None:  # else nobody counts
        PlaceDay.objects.with_scopes_disabled().filter(
            programme=current.programme, place=current.place, day=current.day, used__gt=0
        ).update(used=F("used") - 1)
    charged = dict(zip(current.charged_shards, current.charged_fen, strict=True))
    shards = BudgetShard.objects.with_scopes_disabled().filter(pk__in=charged)
    for shard in shards.select_for_update().order_by("budget_id", "bucket", "shard"):
        BudgetShard.objects.with_scopes_disabled().filter(pk=shard.pk).update(
            spent_fen=F("spent_fen") - charged[shard.pk]
        )
    booked = (
        LedgerTransaction.objects.with_scopes_disabled()
        .select_related("union", "programme", "redemption")
        .get(redemption=current, kind=TransactionKind.REDEEMED)
    )
    ledger.reverse(booked, memo=state, happened_at=now)
    current.state, current.ended_at, current.ended_reason = state, now, reason
    current.ended_by = actor if isinstance(actor, Staff) else None
    current.save(update_fields=["state", "ended_at", "ended_by", "ended_reason"])
    give_back(current)


def _reason(text: str) -> str:
    reason = " ".join(text.split())[:200]
    if not reason:
        raise RuleBroken.at("reason", text, _("Say why it is taken back; the reason is kept."), "required")
    return reason


def _must_be_redeemed(current: Redemption) -> None:
    if current.state != RedemptionState.REDEEMED:
        raise _wrong_state(current)


def _wrong_state(current: Redemption) -> RuleBroken:
    return RuleBroken.at(
        "state",
        current.state,
        _("This redemption is in the state “%(state)s”; this step is not possible from there.")
        % {"state": current.get_state_display()},
        "wrong_state",
    )
