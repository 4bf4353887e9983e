"""Paying merchants: their accounts, the file for the bank, and the mark that it was paid."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.clock import yuan
from yizhan.benefits.finance_actions import ACCOUNT_CHANGED, PAYOUT_CANCELLED, PAYOUT_MADE, PAYOUT_PAID
from yizhan.benefits.models import (
    AccountKind,
    MerchantAccount,
    Payout,
    PayoutItem,
    Statement,
    StatementState,
    TransactionKind,
)
from yizhan.benefits.rights import PAY_OUT
from yizhan.places.models import Place
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from . import ledger

_ACCOUNT_NUMBER = re.compile(r"\d{8,30}")
_BRANCH_CODE = re.compile(r"(?:\d{12})?")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A merchant whose approved statements could not be paid now, and why, in a sentence."""

    place: Place
    payable_fen: int
    why: str


@transaction.atomic
def set_merchant_account(place: Place, *, actor: Staff | Operator, **values: Any) -> MerchantAccount:
    """Say where a merchant receives money.

    Args:
        values: `holder`, `bank`, `branch_code`, `number`, `wechat_account`, `alipay_token`; an empty `alipay_token`
            keeps the one stored.

    Raises:
        NotAllowed: `actor` may not pay out at the place's union.
        RuleBroken: something is missing or has a wrong form; names each.
    """
    policy.require(actor, PAY_OUT, place.union)
    clean = {name: " ".join(str(value or "").split()) for name, value in values.items()}
    clean["number"] = clean.get("number", "").replace(" ", "")
    problems = [
        Problem(name, "", _("This is needed to pay the merchant."), "required")
        for name in ("holder", "bank", "number")
        if not clean.get(name)
    ]
    if clean["number"] and not _ACCOUNT_NUMBER.fullmatch(clean["number"]):
        problems.append(Problem("number", "", _("An account number has 8 to 30 digits."), "invalid"))
    if not _BRANCH_CODE.fullmatch(clean.get("branch_code", "")):
        problems.append(Problem("branch_code", clean["branch_code"], _("A branch code has 12 digits."), "invalid"))
    if problems:
        raise RuleBroken(problems)
    row: MerchantAccount | None = (
        MerchantAccount.objects.with_scopes_disabled().select_for_update().filter(place=place).first()
    )
    row = row or MerchantAccount(place=place)
    if not clean.get("alipay_token"):
        clean.pop("alipay_token", None)
    fields = [name for name, value in clean.items() if (getattr(row, name) or "") != value]
    for name in fields:
        setattr(row, name, clean[name])
    if fields or row.pk is None:
        row.changed_by = actor.user if isinstance(actor, Staff) else None
        row.save()
        record(actor, ACCOUNT_CHANGED, union=place.union, target=place, details={"fields": fields})
    return row


def sort_out(union: Union, *, maker: Staff | Operator) -> tuple[dict[Place, list[Statement]], list[LeftOut]]:
    """Which approved statements of a union a payout by `maker` would pay, by merchant, and whom it would leave out."""
    waiting = (
        Statement.objects.with_scopes_disabled()
        .filter(union=union, state=StatementState.APPROVED, payout__isnull=True)
        .select_related("place__union", "place__merchant_account")
        .order_by("place_id", "day", "pk")
    )
    by_place: dict[Place, list[Statement]] = defaultdict(list)
    for statement in waiting:
        by_place[statement.place].append(statement)
    payable, left_out = {}, []
    for place, statements in by_place.items():
        total = sum(statement.payable_fen for statement in statements)
        why = _obstacle(place, total, maker)
        if why:
            left_out.append(LeftOut(place, total, why))
        else:
            payable[place] = statements
    return payable, left_out


@transaction.atomic
def make_payout(union: Union, *, actor: Staff | Operator) -> Payout:
    """Put a union's approved statements into one payout, summed up by merchant.

    Merchants who owe more than they are owed, who have no account, or whose account the maker changed last are left
    out; `sort_out` tells of them.

    Raises:
        NotAllowed: `actor` may not pay out at this union.
        RuleBroken: nothing can be paid.
    """
    policy.require(actor, PAY_OUT, union)
    # Two payouts at once: the second finds the statements taken.
    list(
        Statement.objects.with_scopes_disabled()
        .select_for_update()
        .filter(union=union, state=StatementState.APPROVED, payout__isnull=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    payable, _left_out = sort_out(union, maker=actor)
    totals = {place: sum(statement.payable_fen for statement in found) for place, found in payable.items()}
    if not any(totals.values()):
        raise RuleBroken.at("", "", _("No approved statement can be paid now."), "nothing_to_pay")
    public_id, now = new_public_id(), timezone.now()
    made: Payout = Payout.objects.create(
        public_id=public_id,
        union=union,
        number=f"FK{timezone.localdate():%Y%m%d}-{public_id.hex[-8:].upper()}",
        total_fen=sum(totals.values()),
        made_by=actor.user if isinstance(actor, Staff) else None,
        made_at=now,
    )
    for place, fen in totals.items():
        if fen:
            account = place.merchant_account
            PayoutItem.objects.create(
                payout=made,
                place=place,
                holder=account.holder,
                bank=account.bank,
                branch_code=account.branch_code,
                number=account.number,
                fen=fen,
            )
    Statement.objects.with_scopes_disabled().filter(
        pk__in=[statement.pk for found in payable.values() for statement in found]
    ).update(payout=made)
    record(actor, PAYOUT_MADE, union=union, target=made, details={"payable_yuan": yuan(made.total_fen)})
    return made


@transaction.atomic
def mark_paid(payout: Payout, *, actor: Staff | Operator, bank_reference: str) -> Payout:
    """The bank has paid: the statements are paid, and the books say so. Marking it again changes nothing.

    Raises:
        NotAllowed: `actor` may not pay out at this union.
        RuleBroken: it was cancelled, or the bank's reference is missing.
    """
    kept = _locked(payout)
    policy.require(actor, PAY_OUT, kept.union)
    if kept.state == Payout.State.PAID:
        return kept
    _must_be_open(kept)
    reference = " ".join(bank_reference.split())[:60]
    if not reference:
        raise RuleBroken.at("bank_reference", "", _("Enter the number of the bank's batch or receipt."), "required")
    now = timezone.now()
    kept.state, kept.closed_at, kept.bank_reference = Payout.State.PAID, now, reference
    kept.closed_by = actor.user if isinstance(actor, Staff) else None
    kept.save(update_fields=["state", "closed_at", "closed_by", "bank_reference"])
    Statement.objects.with_scopes_disabled().filter(payout=kept).update(state=StatementState.PAID, paid_at=now)
    bank = ledger.account_of(AccountKind.BANK, union=kept.union)
    for item in PayoutItem.objects.with_scopes_disabled().filter(payout=kept).select_related("place__union"):
        owed = ledger.account_of(AccountKind.MERCHANT, place=item.place)
        ledger.post(
            TransactionKind.PAID_OUT,
            [(owed, -item.fen), (bank, item.fen)],
            union=kept.union,
            memo=kept.number,
            happened_at=now,
        )
    record(actor, PAYOUT_PAID, union=kept.union, target=kept, details={"bank_reference": reference})
    return kept


@transaction.atomic
def cancel_payout(payout: Payout, *, actor: Staff | Operator, reason: str) -> Payout:
    """The file was not used: its statements are approved and unpaid again.

    Raises:
        NotAllowed: `actor` may not pay out at this union.
        RuleBroken: it was paid or cancelled, or no reason is given.
    """
    kept = _locked(payout)
    policy.require(actor, PAY_OUT, kept.union)
    _must_be_open(kept)
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise RuleBroken.at("reason", "", _("Say why it is cancelled; the reason is kept."), "required")
    kept.state, kept.closed_at, kept.reason = Payout.State.CANCELLED, timezone.now(), reason
    kept.closed_by = actor.user if isinstance(actor, Staff) else None
    kept.save(update_fields=["state", "closed_at", "closed_by", "reason"])
    Statement.objects.with_scopes_disabled().filter(payout=kept).update(payout=None)
    record(actor, PAYOUT_CANCELLED, union=kept.union, target=kept, details={"reason": reason})
    return kept


def _obstacle(place: Place, total: int, maker: Staff | Operator) -> str:
    if total < 0:
        return _("Corrections outweigh what is owed: it is carried on to the next payout.")
    account: MerchantAccount | None = getattr(place, "merchant_account", None)
    if total and account is None:
        return _("The merchant has no bank account here yet.")
    if total and account and isinstance(maker, Staff) and account.changed_by_id == maker.user_id:
        return _("You changed this merchant's account last. Somebody else has to make its payout.")
    return ""


def _locked(payout: Payout) -> Payout:
    found: Payout = (
        Payout.objects.with_scopes_disabled().select_for_update(of=("self",)).select_related("union").get(pk=payout.pk)
    )
    return found


def _must_be_open(payout: Payout) -> None:
    if payout.state != Payout.State.MADE:
        raise RuleBroken.at(
            "state",
            payout.state,
            _("This payout is in the state “%(state)s”; this step is not possible from there.")
            % {"state": payout.get_state_display()},
            "wrong_state",
        )
