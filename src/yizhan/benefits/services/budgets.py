"""How much may be spent: setting caps, and laying them out in shares."""

from __future__ import annotations

from datetime import date

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.actions import BUDGET_SET
from yizhan.benefits.models import SHARDS, WHOLE, Account, AccountKind, Budget, BudgetShard, Programme, Span
from yizhan.benefits.rights import SET_BUDGETS
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

MOST_FEN = 10_000_000_000_00  # ten milliard yuan
_PAYING = {AccountKind.UNION, AccountKind.PLATFORM, AccountKind.SPONSOR}


@transaction.atomic
def set_budget(
    *,
    account: Account,
    programme: Programme | None,
    span: Span,
    cap_fen: int,
    actor: Staff | Operator,
    shards: int = SHARDS,
) -> Budget:
    """Cap what an account gives, to one programme or (None) to all: in all, a month or a day. Changes the cap there is.

    A new cap holds at once, for the day or month that runs and all to come. What was spent before there was a budget
    does not count towards it.

    Raises:
        NotAllowed: `actor` may not set budgets at the account's union (platform and sponsor: the programme's union).
        RuleBroken: less than what is spent already; an account that funds nothing.
    """
    policy.require(actor, SET_BUDGETS, account.union)
    if account.kind not in _PAYING:
        message = _("Only what unions, platforms and sponsors give has a budget.")
        raise RuleBroken.at("account", account.kind, message, "wrong_account")
    if not 0 <= cap_fen <= MOST_FEN:
        raise RuleBroken.at("cap", cap_fen, _("A cap is at least nothing."), "out_of_range")
    rows = Budget.objects.with_scopes_disabled()
    budget = rows.select_for_update().filter(account=account, programme=programme, span=span).first()
    if budget is None:
        made: Budget = rows.create(
            union=account.union, account=account, programme=programme, span=span, cap_fen=cap_fen, shards=shards
        )
        open_bucket(made, bucket_of(span, timezone.localdate()))
        _tell(actor, made)
        return made
    found: Budget = budget
    _spread(found, cap_fen)
    if found.cap_fen != cap_fen or not found.is_active:
        found.cap_fen, found.is_active = cap_fen, True
        found.save(update_fields=["cap_fen", "is_active"])
        _tell(actor, found)
    return found


@transaction.atomic
def stop_budget(budget: Budget, *, actor: Staff | Operator) -> Budget:
    """Cap no longer: what is given from now on is not counted.

    Raises:
        NotAllowed: `actor` may not set budgets at its union.
    """
    found: Budget = Budget.objects.with_scopes_disabled().select_for_update().get(pk=budget.pk)
    policy.require(actor, SET_BUDGETS, found.account.union)
    if found.is_active:
        found.is_active = False
        found.save(update_fields=["is_active"])
        _tell(actor, found)
    return found


def open_bucket(budget: Budget, bucket: date) -> None:
    """Lay out a bucket's shares before the first redemption does; harmless when they are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT benefits_open_bucket(%s, %s)", [budget.pk, bucket])


def bucket_of(span: str, day: date) -> date:
    """Which bucket a day spends from."""
    if span == Span.DAY:
        return day
    return day.replace(day=1) if span == Span.MONTH else WHOLE


def spent_fen(budget: Budget, bucket: date | None = None) -> int:
    """What a bucket (that of today) has spent."""
    bucket = bucket or bucket_of(budget.span, timezone.localdate())
    shards = BudgetShard.objects.with_scopes_disabled().filter(budget=budget, bucket=bucket)
    return int(shards.aggregate(spent=Sum("spent_fen"))["spent"] or 0)


def _spread(budget: Budget, cap_fen: int) -> None:
    """Lay the new cap out over the buckets that run or are to come: shares keep what they spent, the rest is spread."""
    shards = BudgetShard.objects.with_scopes_disabled()
    now = bucket_of(budget.span, timezone.localdate())
    rows = list(
        shards.filter(budget=budget, bucket__gte=now).select_for_update().order_by("budget_id", "bucket", "shard")
    )
    by_bucket: dict[date, list[BudgetShard]] = {}
    for row in rows:
        by_bucket.setdefault(row.bucket, []).append(row)
    for group in by_bucket.values():
        left = cap_fen - sum(row.spent_fen for row in group)
        if left < 0:
            spent = f"{sum(row.spent_fen for row in group) / 100:.2f}"
            message = _("%(spent)s yuan are spent already; a cap cannot lie below that.") % {"spent": spent}
            raise RuleBroken.at("cap", cap_fen, message, "below_spent")
        for place, row in enumerate(group):
            row.allotted_fen = row.spent_fen + left // len(group) + (left % len(group) if place == 0 else 0)
    shards.bulk_update(rows, ["allotted_fen"])


def _tell(actor: Staff | Operator, budget: Budget) -> None:
    details = {"cap_yuan": f"{budget.cap_fen / 100:.2f}" if budget.is_active else None, "kind": budget.span}
    record(actor, BUDGET_SET, union=budget.union, target=budget.programme or budget.account, details=details)
