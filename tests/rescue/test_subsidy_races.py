"""Money for rescues when several act at the same instant, in real transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.rescue.subsidy_makers import AMOUNT, Purse
from tests.rescue.test_races import at_once
from yizhan.benefits.models import Budget, Redemption
from yizhan.benefits.services import reconciliation
from yizhan.benefits.services.budgets import spent_fen
from yizhan.benefits.services.settlement import cut_off
from yizhan.rescue.models import SubsidyState
from yizhan.rescue.services.calls import confirm_done, reopen_call
from yizhan.rescue.services.desk import mark_false
from yizhan.rescue.services.subsidies import pay, pay_due

pytestmark = pytest.mark.django_db(transaction=True)


def spent(purse: Purse) -> int:
    assert purse.terms is not None
    return spent_fen(Budget.objects.with_scopes_disabled().get(programme=purse.terms.programme))


def standing() -> int:
    return int(Redemption.objects.with_scopes_disabled().filter(state="redeemed").count())


def test_one_rescue_paid_by_six_at_once_is_paid_once(purse: Purse) -> None:
    purse.open()
    call = purse.mended()
    acts: list[Callable[[], Any]] = [lambda: confirm_done(call)] * 2 + [pay_due] * 2
    acts += [lambda: pay(purse.of(call), actor=purse.street.boss)] * 2
    at_once(*acts)
    pay_due()
    assert (purse.of(call).state, standing(), spent(purse)) == (SubsidyState.PAID, 1, AMOUNT)


def test_of_five_rescues_at_once_a_budget_for_three_pays_three(purse: Purse) -> None:
    purse.open(cap_fen=3 * AMOUNT)
    calls = [purse.mended() for _turn in range(5)]
    at_once(*(lambda call=call: confirm_done(call) for call in calls))  # type: ignore[misc]
    pay_due()
    states = [purse.of(call).state for call in calls]
    assert sorted(states) == ["paid"] * 3 + ["refused"] * 2
    assert (standing(), spent(purse)) == (3, 3 * AMOUNT)
    assert {purse.of(call).reason for call in calls} == {"", "budget"}


@pytest.mark.parametrize("how", ["reopened", "false"])
def test_paid_and_taken_back_at_the_same_instant_the_books_agree(purse: Purse, how: str) -> None:
    terms = purse.open()
    for turn in range(3):
        call = purse.mended(purse.rescuer())
        confirm_done(call)

        def end(call: Any = call) -> Any:
            if how == "reopened":
                return reopen_call(call)
            return mark_false(call, actor=purse.street.boss, words="误报")

        acts: list[Callable[[], Any]] = [lambda call=call: pay(purse.of(call), actor=purse.street.boss), end]  # type: ignore[misc]
        at_once(*(acts if turn % 2 else acts[::-1]))
        assert purse.of(call).state == SubsidyState.DROPPED
    assert (standing(), spent(purse)) == (0, 0)
    union = terms.programme.union
    cut_off(union, actor=reconciliation.OPERATOR)
    assert reconciliation.reconcile(union).differences == 0
