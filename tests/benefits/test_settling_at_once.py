"""Two cut-offs at once, and voids while cut-offs run, in real transactions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Count, Sum

from tests.benefits.conftest import NOON, Kitchen
from tests.conftest import UnionTree
from tests.unions.test_at_once import at_once
from yizhan.benefits.models import CutOff, Payout, Redemption, Statement, StatementLine
from yizhan.benefits.services import reconciliation, settlement, statements
from yizhan.benefits.services.payouts import make_payout, set_merchant_account
from yizhan.benefits.services.taking_back import refund
from yizhan.unions.rights import OPERATOR, Role

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = NOON + timedelta(hours=9)


@pytest.fixture
def tree(transactional_db: None, tree: UnionTree) -> UnionTree:
    return tree


@pytest.fixture
def meals(kitchen: Kitchen) -> list[Redemption]:
    offer = kitchen.offer()
    return [kitchen.eat(offer, kitchen.worker()).redemption() for _meal in range(12)]


def _settle(kitchen: Kitchen) -> CutOff:
    return settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)


def test_two_cut_offs_at_once_put_each_redemption_on_one_statement(kitchen: Kitchen, meals: list[Redemption]) -> None:
    results = at_once(*[lambda: _settle(kitchen)] * 3)
    assert [type(result) for result in results] == [CutOff] * 3
    lines = StatementLine.objects.with_scopes_disabled()
    assert lines.count() == lines.values("redemption").distinct().count() == 12
    assert Statement.objects.with_scopes_disabled().aggregate(fen=Sum("payable_fen"))["fen"] == 12 * 400


def test_the_nightly_cut_off_asked_for_twice_at_once_is_made_once(kitchen: Kitchen, meals: list[Redemption]) -> None:
    at = NOON + timedelta(days=1)
    union = kitchen.tree.zhongyuan
    results = at_once(*[lambda: settlement.nightly_cut_off(union, at=at)] * 3)
    assert len({result.pk for result in results}) == 1


def test_voids_during_a_cut_off_are_on_no_statement_or_corrected_on_the_next(
    kitchen: Kitchen, meals: list[Redemption]
) -> None:
    at_once(
        lambda: _settle(kitchen),
        lambda: [refund(meal, actor=OPERATOR, reason="退") for meal in meals[:5]],
        lambda: [refund(meal, actor=OPERATOR, reason="退") for meal in meals[5:9]],
        lambda: _settle(kitchen),
    )
    _settle(kitchen)
    lines = StatementLine.objects.with_scopes_disabled()
    sums = lines.values("redemption").annotate(fen=Sum("payable_fen"), lines=Count("pk"))
    by_meal = {row["redemption"]: (row["fen"], row["lines"]) for row in sums}
    for meal in meals[:9]:
        assert by_meal.get(meal.pk, (0, 0)) in {(0, 0), (0, 2)}
    assert [by_meal[meal.pk] for meal in meals[9:]] == [(400, 1)] * 3
    assert reconciliation.reconcile(kitchen.tree.zhongyuan, at=NIGHT + timedelta(days=9)).differences == 0


def test_two_payouts_at_once_pay_a_statement_once(kitchen: Kitchen, meals: list[Redemption]) -> None:
    first, second = (kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE) for _number in range(2))
    _settle(kitchen)
    statement = Statement.objects.with_scopes_disabled().get()
    statements.confirm(statement, actor=first, words="电话")
    statements.approve(statement, actor=second)
    set_merchant_account(kitchen.place, actor=OPERATOR, holder="店", bank="行", branch_code="", number="62220001")
    results = at_once(
        lambda: make_payout(kitchen.tree.zhongyuan, actor=first),
        lambda: make_payout(kitchen.tree.zhongyuan, actor=second),
    )
    assert sorted(type(result).__name__ for result in results) == ["Payout", "RuleBroken"]
    assert Payout.objects.with_scopes_disabled().get().total_fen == 12 * 400
