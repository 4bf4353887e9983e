"""What the demo shows of money: some days settled, one statement disputed, accounts, a payout, signals to look into."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import OPERATOR, Role

from .clock import day_of, last_cut
from .models import CutOff, MerchantAccount, Statement, StatementLine, StatementState
from .services import reconciliation, settlement, signals, statements
from .services.payouts import make_payout, mark_paid, set_merchant_account, sort_out

_NIGHTS: Final = 3
_APPROVED: Final = 4


def fill_money(union: Union, *, actor: Staff) -> None:
    """Settle what `sample_programmes` let be eaten; harmless when called twice. Quick: a few statements are led on."""
    if CutOff.objects.with_scopes_disabled().filter(union__path__startswith=union.path).exists():
        return
    now = timezone.now()
    paying = [each for each in reconciliation.unions_with_programmes() if each.path.startswith(union.path)]
    for each in paying:
        for night in range(_NIGHTS, -1, -1):
            settlement.nightly_cut_off(each, at=now - timedelta(days=night))
        _lead_on(each)
        reconciliation.reconcile(each, at=now)
        for back in range(3):
            signals.look_for_signals(each, day=day_of(last_cut(now)) - timedelta(days=back), at=now)


def _lead_on(union: Union) -> None:
    """Oldest statements are paid, the next ones approved, one disputed; the rest waits for merchants."""
    approving = (
        Staff.objects.with_scopes_disabled()
        .filter(union=union, role__in=[Role.FINANCE, Role.ADMINISTRATOR], is_active=True)
        .select_related("user", "union")
        .order_by("-role", "pk")
        .first()
    )
    found = list(
        Statement.objects.with_scopes_disabled().filter(union=union).select_related("place").order_by("day", "pk")
    )
    if not found:
        return
    for number, statement in enumerate(found[:_APPROVED], start=1):
        _account(statement, number)
    for statement in found[:_APPROVED]:
        statements.confirm(statement, actor=OPERATOR, words="商户电话确认（示例）")
        if approving is not None and statement is not found[_APPROVED - 1]:
            statements.approve(statement, actor=approving)
    payable, _left_out = sort_out(union, maker=OPERATOR)
    if any(sum(each.payable_fen for each in waiting) > 0 for waiting in payable.values()):
        mark_paid(make_payout(union, actor=OPERATOR), actor=OPERATOR, bank_reference="示例批次-0001")
    for statement in found[_APPROVED : _APPROVED + 1]:
        line = StatementLine.objects.with_scopes_disabled().filter(statement=statement).first()
        if line is not None and statement.state == StatementState.MADE:
            statements.dispute(statement, lines={line.public_id: "这一单没有来取餐（示例）"}, actor=OPERATOR)


def _account(statement: Statement, number: int) -> None:
    if MerchantAccount.objects.with_scopes_disabled().filter(place=statement.place).exists():
        return
    set_merchant_account(
        statement.place,
        actor=OPERATOR,
        holder=statement.place.name[:60],
        bank="示例银行郑州分行",
        branch_code="",
        number=f"62220000000000{number:02}",
    )
