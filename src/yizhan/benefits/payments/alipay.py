"""Alipay face-to-face (当面付, alipay.trade.pay) through the SDK `python-alipay-sdk`.

Untested live: tested against a local server that speaks the published protocol, signatures included, never with a real
account.
https://opendocs.alipay.com/open/194/106039
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import structlog

from . import UNANSWERED, Answer, Order, Outcome

logger = structlog.get_logger(__name__)

_SUCCESS = "10000"
_STATES = {
    "TRADE_SUCCESS": Outcome.PAID,
    "TRADE_FINISHED": Outcome.PAID,
    "WAIT_BUYER_PAY": Outcome.WAITING,
    "TRADE_CLOSED": Outcome.NOT_PAID,
}
# A business failure is a refusal, save for these, which say nothing about the money.
_IN_DOUBT = {"ACQ.SYSTEM_ERROR", "ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE", "aop.ACQ.SYSTEM_ERROR"}


class AlipayCarrier:
    """One application; with a merchant's `app_auth_token` the money reaches that merchant, else our own account."""

    name = "alipay"
    needed_options: ClassVar = ["appid", "private_key", "alipay_public_key"]
    optional_options: ClassVar = ["gateway", "timeout"]

    def __init__(
        self,
        *,
        appid: str,
        private_key: str,
        alipay_public_key: str,
        gateway: str = "https://openapi.alipay.com/gateway.do",
        timeout: float = 8.0,
    ) -> None:
        from alipay import AliPay
        from alipay.utils import AliPayConfig

        self._client: Any = AliPay(
            appid=appid,
            app_private_key_string=private_key,
            alipay_public_key_string=alipay_public_key,
            sign_type="RSA2",
            config=AliPayConfig(timeout=timeout),
        )
        self._client._gateway = gateway  # the SDK has no other way to name a test address

    def pay(self, order: Order, *, code: str) -> Answer:
        """By `alipay.trade.pay`, scene `bar_code`."""
        content = {
            "out_trade_no": order.number,
            "scene": "bar_code",
            "auth_code": code,
            "subject": order.description[:80],
            "total_amount": _yuan(order.amount_fen),
            "store_id": order.shop,
            "timeout_express": "2m",
        }
        found = self._asked(order, "alipay.trade.pay", content)
        if found is None:
            return UNANSWERED
        reason = _reason(found)
        match str(found.get("code")):
            case "10000":
                return self._paid(order, found, reason)
            case "10003":
                return Answer(Outcome.WAITING, reason, str(found.get("trade_no", "")))
            case "40004":
                return Answer(Outcome.UNKNOWN if reason in _IN_DOUBT else Outcome.NOT_PAID, reason)
            case "40001" | "40002" | "40003" | "40006":
                return Answer(Outcome.NOT_PAID, reason)  # the request itself was refused: no order was made
        return Answer(Outcome.UNKNOWN, reason)

    def query(self, order: Order) -> Answer:
        """By `alipay.trade.query`."""
        found = self._asked(order, "alipay.trade.query", {"out_trade_no": order.number})
        if found is None:
            return UNANSWERED
        reason = _reason(found)
        if str(found.get("code")) == _SUCCESS:
            state = str(found.get("trade_status"))
            outcome = _STATES.get(state, Outcome.UNKNOWN)
            if outcome is Outcome.PAID:
                return self._paid(order, found, state)
            return Answer(outcome, state, str(found.get("trade_no", "")))
        return Answer(Outcome.NOT_FOUND if reason == "ACQ.TRADE_NOT_EXIST" else Outcome.UNKNOWN, reason)

    def reverse(self, order: Order) -> Answer:
        """By `alipay.trade.cancel`: closes an unpaid order, gives the money of a paid one back."""
        found = self._asked(order, "alipay.trade.cancel", {"out_trade_no": order.number})
        if found is None:
            return UNANSWERED
        reason = _reason(found)
        if str(found.get("code")) == _SUCCESS and found.get("retry_flag", "N") != "Y":
            return Answer(Outcome.NOT_PAID, str(found.get("action") or "REVERSED"))
        return Answer(Outcome.NOT_FOUND if reason == "ACQ.TRADE_NOT_EXIST" else Outcome.UNKNOWN, reason)

    def refund(self, order: Order, *, number: str, reason: str) -> Answer:
        """By `alipay.trade.refund`; `fund_change` says whether this very call moved money."""
        content = {
            "out_trade_no": order.number,
            "refund_amount": _yuan(order.amount_fen),
            "out_request_no": number,
            "refund_reason": reason[:80],
        }
        found = self._asked(order, "alipay.trade.refund", content)
        if found is None:
            return UNANSWERED
        if str(found.get("code")) == _SUCCESS:
            return Answer(Outcome.NOT_PAID if found.get("fund_change") == "Y" else Outcome.WAITING, _reason(found))
        return Answer(Outcome.UNKNOWN, _reason(found))

    def query_refund(self, order: Order, *, number: str) -> Answer:
        """By `alipay.trade.fastpay.refund.query`; without `refund_status` there was no such refund."""
        content = {"out_trade_no": order.number, "out_request_no": number}
        found = self._asked(order, "alipay.trade.fastpay.refund.query", content)
        if found is None:
            return UNANSWERED
        if str(found.get("code")) != _SUCCESS:
            return Answer(Outcome.UNKNOWN, _reason(found))
        done = found.get("refund_status") == "REFUND_SUCCESS"
        return Answer(Outcome.NOT_PAID if done else Outcome.NOT_FOUND, str(found.get("refund_status") or "NO_REFUND"))

    def _paid(self, order: Order, found: dict[str, Any], reason: str) -> Answer:
        total = found.get("total_amount")
        if found.get("out_trade_no") != order.number or (
            total is not None and Decimal(str(total)) * 100 != order.amount_fen
        ):
            logger.error(
                "an answer of the carrier speaks of another order or amount", carrier=self.name, order=order.number
            )
            return Answer(Outcome.UNKNOWN, "MISMATCH")
        return Answer(Outcome.PAID, reason, str(found.get("trade_no", "")))

    def _asked(self, order: Order, method: str, content: dict[str, Any]) -> dict[str, Any] | None:
        """The body of one call; None when no answer came, or one that Alipay did not sign."""
        further = {"app_auth_token": order.account} if order.account else {}
        try:
            found = self._client.server_api(method, content, **further)
        except Exception as failure:  # noqa: BLE001 - whatever the SDK raises, no trustworthy answer came
            # Its text may hold the request, the payment code included: only its kind is written down.
            logger.warning(
                "no answer from the carrier", carrier=self.name, order=order.number, failure=type(failure).__name__
            )
            return None
        return found if isinstance(found, dict) else None


def _reason(found: dict[str, Any]) -> str:
    return str(found.get("sub_code") or found.get("code") or "")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
