"""The worker's share by phone: whatever the line does, a payment ends paid or not paid, and asks for the money once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.benefits.carriers import ASKS, EMPTY, PAYS, StandIn, standing_in
from tests.benefits.conftest import NOON, Kitchen, books
from yizhan.benefits.models import BenefitOffer, MerchantAccount, Payment, PaymentState, Redemption, RedemptionState
from yizhan.benefits.services import payments
from yizhan.benefits.services.taking_back import refund, void
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

ALIPAY = {PAYS: "281000000000000001", ASKS: "281000000000000002", EMPTY: "281000000000000003"}


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with standing_in() as carrier:
        yield carrier


@pytest.fixture
def phones(server: StandIn, settings: Settings) -> StandIn:
    """The carriers, with this installation's accounts."""
    settings.PAYMENT_OPTIONS = server.options()
    server.reset()
    return server


@pytest.fixture
def meal(kitchen: Kitchen, offer: BenefitOffer, rider: Worker) -> Redemption:
    """Nine yuan to pay."""
    return kitchen.eat(offer, rider).redemption()


def _take(meal: Redemption, code: str = PAYS, channel: str = "wechat", at: datetime = NOON) -> Payment:
    code = ALIPAY.get(code, code) if channel == "alipay" else code
    return payments.take(redemption=meal, channel=channel, request_id=uuid4(), actor=OPERATOR, code=code, at=at)


def _to_the_end(payment: Payment, at: datetime = NOON) -> Payment:
    """What the background does over the next days."""
    for _step in range(200):
        if not payment.is_open:
            return payment
        at = max(at, payment.next_step_at or at)
        payments.resolve_open(at=at)
        payment.refresh_from_db()
    pytest.fail(f"still {payment.state} after 200 steps")


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
def test_a_meal_is_paid_by_phone_and_the_code_is_kept_nowhere(phones: StandIn, meal: Redemption, channel: str) -> None:
    payment = _take(meal, channel=channel)
    assert payment.state == PaymentState.PAID
    assert phones.orders[payment.number].held_fen == meal.worker_fen == 900
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text FROM benefits_payment p")
        assert all(code not in row for (row,) in cursor.fetchall() for code in (PAYS, ALIPAY[PAYS]))


def test_at_the_till_nobody_is_asked(phones: StandIn, meal: Redemption) -> None:
    payment = _take(meal, channel="offline")
    assert (payment.state, payment.received_by_union, dict(phones.calls)) == (PaymentState.PAID, False, {})


def test_a_repeated_request_asks_for_the_money_once(phones: StandIn, meal: Redemption) -> None:
    request_id = uuid4()
    told = {"redemption": meal, "channel": "wechat", "request_id": request_id, "actor": OPERATOR, "code": PAYS}
    first, second = payments.take(**told), payments.take(**told)
    assert first.pk == second.pk
    assert phones.calls["pay"] == 1
    with pytest.raises(RuleBroken) as broken:
        _take(meal)
    assert broken.value.problems[0].code == "already_paid_for"


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
def test_the_worker_enters_the_password_and_has_paid(phones: StandIn, meal: Redemption, channel: str) -> None:
    payment = _take(meal, ASKS, channel)
    assert payment.state == PaymentState.WAITING
    assert payments.refresh(payment, at=NOON + timedelta(seconds=5)).state == PaymentState.WAITING
    phones.approve(payment.number)
    assert payments.refresh(payment, at=NOON + timedelta(seconds=10)).state == PaymentState.PAID
    meal.refresh_from_db()
    assert meal.state == RedemptionState.REDEEMED


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
def test_who_never_answers_has_not_paid_and_the_meal_is_voided(phones: StandIn, meal: Redemption, channel: str) -> None:
    payment = _to_the_end(_take(meal, ASKS, channel))
    assert payment.state == PaymentState.NOT_PAID
    assert phones.orders[payment.number].state == "REVOKED"
    meal.refresh_from_db()
    assert meal.state == RedemptionState.VOIDED
    assert books() == {}


def test_no_money_on_the_phone_voids_the_meal_at_once(phones: StandIn, meal: Redemption) -> None:
    assert _take(meal, EMPTY).state == PaymentState.NOT_PAID
    meal.refresh_from_db()
    assert (meal.state, "NOTENOUGH" in meal.ended_reason) == (RedemptionState.VOIDED, True)


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
def test_paid_but_the_answer_was_lost(phones: StandIn, meal: Redemption, channel: str) -> None:
    phones.order_fault("pay", "answer_lost")
    payment = _take(meal, channel=channel)
    assert payment.state == PaymentState.SENT
    assert _to_the_end(payment).state == PaymentState.PAID
    assert phones.calls["pay"] == 1


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
def test_reversing_fails_then_works(phones: StandIn, meal: Redemption, channel: str) -> None:
    phones.order_fault("reverse", "error", "lost", "answer_lost")
    payment = _to_the_end(_take(meal, ASKS, channel))
    assert payment.state == PaymentState.NOT_PAID
    assert phones.calls["reverse"] == 4
    assert phones.orders[payment.number].held_fen == 0


def test_one_who_pays_while_it_is_taken_back_gets_the_money_again(phones: StandIn, meal: Redemption) -> None:
    payment = _take(meal, ASKS)
    phones.order_fault("reverse", "error")
    payments.cancel(payment, actor=OPERATOR, at=NOON + timedelta(seconds=6))
    phones.approve(payment.number)
    assert _to_the_end(payment).state == PaymentState.NOT_PAID
    assert phones.orders[payment.number].held_fen == 0


def test_what_can_be_reversed_no_more_is_refunded(phones: StandIn, meal: Redemption) -> None:
    phones.order_fault("reverse", *["lost"] * 400)
    phones.order_fault("pay", "answer_lost")
    phones.order_fault("query", *["lost"] * 40)
    payment = _take(meal)
    at = NOON
    while payment.state != PaymentState.REFUNDING:
        at = max(at, payment.next_step_at or at)
        phones.order_fault("query", *["fine"] * 3)
        payments.step(payment, at=at)
        assert at < NOON + timedelta(days=2)
    assert _to_the_end(payment, at).state == PaymentState.REFUNDED
    assert phones.orders[payment.number].held_fen == 0
    meal.refresh_from_db()
    assert meal.state == RedemptionState.VOIDED


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
@pytest.mark.parametrize("faults", [(), ("lost",), ("answer_lost", "error")])
def test_a_refunded_meal_gives_the_money_back_once(
    phones: StandIn, meal: Redemption, channel: str, faults: tuple[str, ...]
) -> None:
    payment = _take(meal, channel=channel)
    phones.order_fault("refund", *faults)
    refund(meal, actor=OPERATOR, reason="没货了")
    payment.refresh_from_db()
    assert payment.state == PaymentState.REFUNDING
    assert _to_the_end(payment, datetime.now(NOON.tzinfo)).state == PaymentState.REFUNDED
    assert list(phones.orders[payment.number].refunds.values()) == [900]
    assert books() == {}


def test_a_void_while_the_worker_pays_takes_the_payment_back(phones: StandIn, meal: Redemption) -> None:
    payment = _take(meal, ASKS)
    void(meal, actor=OPERATOR, reason="点错了")
    phones.approve(payment.number)
    payment.refresh_from_db()
    assert _to_the_end(payment, datetime.now(NOON.tzinfo)).state == PaymentState.NOT_PAID
    assert phones.orders[payment.number].held_fen == 0


def test_cash_goes_back_over_the_counter(meal: Redemption) -> None:
    payment = _take(meal, channel="offline")
    void(meal, actor=OPERATOR, reason="点错了")
    payment.refresh_from_db()
    assert payment.state == PaymentState.REFUNDED


def test_money_that_the_union_receives_is_booked_and_a_merchant_with_an_account_receives_its_own(
    phones: StandIn, kitchen: Kitchen, offer: BenefitOffer, meal: Redemption
) -> None:
    before = books()
    assert _take(meal).received_by_union
    received = books()
    assert received["bank"] - before.get("bank", 0) == -900
    MerchantAccount.objects.create(
        place=kitchen.place, holder="店", bank="银行", number="6222000000001", wechat_account="1900009999"
    )
    other = kitchen.eat(offer, kitchen.worker()).redemption()
    payment = _take(other)
    assert not payment.received_by_union
    assert payment.account == "1900009999"
    assert books().get("bank") == -900


def test_a_crash_after_the_call_is_resolved_from_what_is_stored(
    phones: StandIn, meal: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(payments, "_apply", killed)
        with pytest.raises(KeyboardInterrupt):
            _take(meal)
    payment = Payment.objects.with_scopes_disabled().get(redemption=meal)
    assert payment.state == PaymentState.SENT
    assert _to_the_end(payment).state == PaymentState.PAID
    assert phones.calls["pay"] == 1


def test_nobody_else_takes_a_step_that_is_being_taken(phones: StandIn, meal: Redemption) -> None:
    payment = _take(meal, ASKS)
    at = NOON + timedelta(seconds=5)
    payments.step(payment, at=at)
    payments.step(payment, at=at)
    assert phones.calls["query"] == 1


def test_only_the_counter_takes_payments(kitchen: Kitchen, meal: Redemption) -> None:
    with pytest.raises(NotAllowed):
        payments.take(
            redemption=meal,
            channel="offline",
            request_id=uuid4(),
            actor=kitchen.post(kitchen.tree.jinshui, Role.ADMINISTRATOR),
        )


@pytest.mark.parametrize(
    ("channel", "code", "problem"),
    [("wechat", "12", "not_a_payment_code"), ("alipay", PAYS, "not_a_payment_code"), ("card", "", "no_such_channel")],
)
def test_what_is_no_payment_code_is_refused_before_anything_is_stored(
    phones: StandIn, meal: Redemption, channel: str, code: str, problem: str
) -> None:
    with pytest.raises(RuleBroken) as broken:
        payments.take(redemption=meal, channel=channel, request_id=uuid4(), actor=OPERATOR, code=code)
    assert broken.value.problems[0].code == problem
    assert not Payment.objects.with_scopes_disabled().exists()
    assert payments.channel_of(PAYS) == "wechat"
    assert payments.channel_of(ALIPAY[PAYS]) == "alipay"


@pytest.mark.parametrize("change", ["state = 'waiting'", "amount_fen = 1", "received_by_union = true"])
def test_the_database_refuses_what_a_payment_may_not_become(meal: Redemption, change: str) -> None:
    payment = _take(meal, channel="offline")
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE benefits_payment SET {change} WHERE id = %s", [payment.pk])  # noqa: S608


FAULTS = st.sampled_from(["fine", "fine", "lost", "answer_lost", "error", "forged"])


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channel=st.sampled_from(["wechat", "alipay"]),
    code=st.sampled_from([PAYS, ASKS, EMPTY]),
    approves_at=st.none() | st.integers(0, 90),
    pay=FAULTS,
    queries=st.lists(FAULTS, max_size=6),
    reversals=st.lists(FAULTS, max_size=6),
    taken_back=st.booleans(),
    refunds=st.lists(FAULTS, max_size=3),
)
def test_whatever_the_line_does_money_and_meal_agree_in_the_end(
    phones: StandIn,
    kitchen: Kitchen,
    offer: BenefitOffer,
    channel: str,
    code: str,
    approves_at: int | None,
    pay: str,
    queries: list[str],
    reversals: list[str],
    taken_back: bool,
    refunds: list[str],
) -> None:
    phones.reset()
    meal = kitchen.eat(offer, kitchen.worker()).redemption()
    for act, faults in (("pay", [pay]), ("query", queries), ("reverse", reversals), ("refund", refunds)):
        phones.order_fault(act, *faults)
    payment, at = _take(meal, code, channel), NOON
    while payment.is_open:
        at = max(at, payment.next_step_at or at)
        if approves_at is not None and at >= NOON + timedelta(seconds=approves_at):
            phones.approve_if_asked(payment.number)
        payments.resolve_open(at=at)
        payment.refresh_from_db()
    if taken_back and payment.state == PaymentState.PAID:
        refund(meal, actor=OPERATOR, reason="退")
        payment.refresh_from_db()
        payment = _to_the_end(payment, datetime.now(NOON.tzinfo))
    meal.refresh_from_db()
    held = phones.orders[payment.number].held_fen if payment.number in phones.orders else 0
    assert (payment.state == PaymentState.PAID) == (held == 900) == (meal.state == RedemptionState.REDEEMED)
    assert held in (0, 900)
    assert phones.calls["pay"] == 1
