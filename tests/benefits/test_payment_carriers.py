"""What each carrier makes of the answers of the published protocols, good and bad."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.benefits.carriers import ASKS, EMPTY, PAYS, StandIn, standing_in
from yizhan.benefits import payments
from yizhan.benefits.payments import Order, Outcome


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with standing_in() as carrier:
        yield carrier


@pytest.fixture(params=["wechat", "alipay"])
def carrier(request: pytest.FixtureRequest, server: StandIn, settings: Settings) -> payments.Carrier:
    settings.PAYMENT_OPTIONS = server.options()
    return payments.carrier(request.param)


def _order(fen: int = 900) -> Order:
    return Order(number=uuid4().hex, amount_fen=fen, description="惠骑餐厅 午餐", shop=uuid4().hex)


def test_a_code_that_pays_is_paid_and_can_be_asked_about(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    paid = carrier.pay(order, code=PAYS)
    assert paid.outcome is Outcome.PAID
    assert paid.carrier_number
    assert carrier.query(order) == payments.Answer(Outcome.PAID, carrier.query(order).reason, paid.carrier_number)
    assert server.orders[order.number].fen == 900


def test_a_worker_who_is_asked_for_the_password_is_waited_for(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    assert carrier.pay(order, code=ASKS).outcome is Outcome.WAITING
    assert carrier.query(order).outcome is Outcome.WAITING
    server.approve(order.number)
    assert carrier.query(order).outcome is Outcome.PAID


def test_who_taps_it_away_has_not_paid(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    carrier.pay(order, code=ASKS)
    server.decline(order.number)
    assert carrier.query(order).outcome is Outcome.NOT_PAID


@pytest.mark.parametrize("code", [EMPTY, "999999999999999999"])
def test_a_refused_code_has_not_paid(carrier: payments.Carrier, code: str) -> None:
    refused = carrier.pay(_order(), code=code)
    assert refused.outcome is Outcome.NOT_PAID
    assert refused.reason


@pytest.mark.parametrize("fault", ["lost", "answer_lost", "error", "forged", "slow"])
def test_a_faulty_line_leaves_the_payment_unknown_never_refused(
    carrier: payments.Carrier, server: StandIn, fault: str
) -> None:
    order = _order()
    server.order_fault("pay", fault)
    assert carrier.pay(order, code=PAYS).outcome is Outcome.UNKNOWN
    wanted = Outcome.NOT_FOUND if fault in {"lost", "error"} else Outcome.PAID
    assert carrier.query(order).outcome is wanted


def test_an_order_number_that_was_used_is_looked_into_not_refused(carrier: payments.Carrier) -> None:
    order = _order()
    carrier.pay(order, code=PAYS)
    assert carrier.pay(order, code=PAYS).outcome in {Outcome.UNKNOWN, Outcome.PAID}


def test_reversing_gives_the_money_back_and_repeats_without_harm(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    carrier.pay(order, code=PAYS)
    assert carrier.reverse(order).outcome is Outcome.NOT_PAID
    assert carrier.reverse(order).outcome is Outcome.NOT_PAID
    assert carrier.query(order).outcome is Outcome.NOT_PAID
    assert server.orders[order.number].held_fen == 0
    assert carrier.reverse(_order()).outcome is Outcome.NOT_FOUND


def test_a_refund_repeated_with_its_number_gives_back_once(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    carrier.pay(order, code=PAYS)
    number = uuid4().hex
    assert carrier.query_refund(order, number=number).outcome is Outcome.NOT_FOUND
    server.order_fault("refund", "answer_lost")
    assert carrier.refund(order, number=number, reason="退餐").outcome is Outcome.UNKNOWN
    assert carrier.refund(order, number=number, reason="退餐").outcome in {Outcome.NOT_PAID, Outcome.WAITING}
    assert carrier.query_refund(order, number=number).outcome is Outcome.NOT_PAID
    assert server.orders[order.number].refunds == {number: 900}


def test_an_answer_about_another_amount_is_not_believed(carrier: payments.Carrier, server: StandIn) -> None:
    order = _order()
    carrier.pay(order, code=PAYS)
    server.orders[order.number].fen = 1
    assert carrier.query(order).outcome is Outcome.UNKNOWN


def test_what_is_written_down_holds_no_payment_code(
    carrier: payments.Carrier, server: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    server.order_fault("pay", "lost")
    carrier.pay(_order(), code=PAYS)
    assert "no answer from the carrier" in caplog.text
    assert PAYS not in caplog.text


def test_missing_and_unknown_options_are_named(settings: Settings) -> None:
    settings.PAYMENT_OPTIONS = {"alipay": {"appid": "1"}}
    with pytest.raises(ImproperlyConfigured, match="alipay_public_key, private_key"):
        payments.carrier("alipay")
    with pytest.raises(ImproperlyConfigured, match="names no account"):
        payments.carrier("wechat")
    assert payments.available() == ["offline", "alipay"]
