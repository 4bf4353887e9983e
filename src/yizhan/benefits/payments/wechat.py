"""WeChat Pay code-pay (付款码支付) by API v3, through the SDK `wechatpayv3`.

Untested live: tested against a local server that speaks the published protocol, signatures included, never with a real
account.
https://pay.weixin.qq.com/doc/v3/merchant/4012382150
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import structlog

from . import UNANSWERED, Answer, Order, Outcome

logger = structlog.get_logger(__name__)

_STATES = {
    "SUCCESS": Outcome.PAID,
    "REFUND": Outcome.PAID,  # paid, and later given back: the refund is asked about by itself
    "NOTPAY": Outcome.WAITING,
    "USERPAYING": Outcome.WAITING,
    "ACCEPT": Outcome.WAITING,
    "CLOSED": Outcome.NOT_PAID,
    "REVOKED": Outcome.NOT_PAID,
    "PAYERROR": Outcome.NOT_PAID,
}
# Codes after which this order can never be paid, underscores taken out: v3 writes AUTH_CODE_EXPIRED, v2 AUTHCODEEXPIRE.
_REFUSALS = {
    "AUTHCODEEXPIRE",
    "AUTHCODEEXPIRED",
    "AUTHCODEERROR",
    "AUTHCODEINVALID",
    "INVALIDAUTHCODE",
    "NOTENOUGH",
    "NOTSUPORTCARD",
    "NOTSUPPORTCARD",
    "ACCOUNTERROR",
    "TRADEERROR",
    "NOAUTH",
    "PARAMERROR",
    "SIGNERROR",
    "RULELIMIT",
    "RULELIMITED",
    "BUYERMISMATCH",
    "APPIDMCHIDNOTMATCH",
    "MCHNOTEXISTS",
}
_REFUNDS = {"SUCCESS": Outcome.NOT_PAID, "PROCESSING": Outcome.WAITING}


class WeChatCarrier:
    """Direct mode (one account, the union's) or partner mode (each merchant's `sub_mchid` receives its money)."""

    name = "wechat"
    needed_options: ClassVar = [
        "mchid",
        "appid",
        "private_key",
        "cert_serial_no",
        "apiv3_key",
        "public_key",
        "public_key_id",
    ]
    optional_options: ClassVar = ["partner_mode", "gateway", "device_ip", "timeout"]

    def __init__(
        self,
        *,
        mchid: str,
        appid: str,
        private_key: str,
        cert_serial_no: str,
        apiv3_key: str,
        public_key: str,
        public_key_id: str,
        partner_mode: bool = False,
        gateway: str = "https://api.mch.weixin.qq.com",
        device_ip: str = "127.0.0.1",
        timeout: float = 8.0,
    ) -> None:
        from wechatpayv3 import WeChatPay, WeChatPayType

        self._device_ip, self._partner_mode = device_ip, partner_mode
        self._pay_type = WeChatPayType.CODEPAY
        self._client: Any = WeChatPay(
            wechatpay_type=WeChatPayType.CODEPAY,
            mchid=mchid,
            private_key=private_key,
            cert_serial_no=cert_serial_no,
            appid=appid,
            apiv3_key=apiv3_key,
            partner_mode=partner_mode,
            timeout=(3.05, timeout),
            public_key=public_key,
            public_key_id=public_key_id,
        )
        self._client._core._gate_way = gateway  # the SDK has no other way to name a test address

    def pay(self, order: Order, *, code: str) -> Answer:
        """By `/v3/pay/transactions/codepay`."""
        found = self._asked(
            order,
            self._client.pay,
            pay_type=self._pay_type,  # by this the SDK leaves out the address of notices, which code-pay has not
            description=order.description[:40],
            out_trade_no=order.number,
            amount={"total": order.amount_fen, "currency": "CNY"},
            payer={"auth_code": code},
            scene_info={"device_ip": self._device_ip, "store_info": {"out_id": order.shop}},
        )
        if found is None:
            return UNANSWERED
        status, body = found
        if status in (200, 202) and "trade_state" in body:
            return self._by_state(order, body)
        reason = str(body.get("code", status))
        plain = reason.replace("_", "")
        if plain == "USERPAYING":
            return Answer(Outcome.WAITING, reason)
        return Answer(Outcome.NOT_PAID if plain in _REFUSALS else Outcome.UNKNOWN, reason)

    def query(self, order: Order) -> Answer:
        """By `/v3/pay/transactions/out-trade-no/…`."""
        found = self._asked(order, self._client.query, out_trade_no=order.number)
        if found is None:
            return UNANSWERED
        status, body = found
        if status == 200 and "trade_state" in body:
            return self._by_state(order, body)
        reason = str(body.get("code", status))
        if reason.replace("_", "") in {"ORDERNOTEXIST", "ORDERNOTEXISTS"} or status == 404:
            return Answer(Outcome.NOT_FOUND, reason)
        return Answer(Outcome.UNKNOWN, reason)

    def reverse(self, order: Order) -> Answer:
        """By `…/reverse`: closes an unpaid order, gives the money of a paid one back."""
        found = self._asked(order, self._client.codepay_reverse, out_trade_no=order.number)
        if found is None:
            return UNANSWERED
        status, body = found
        if status in (200, 204) and body.get("recall", "N") != "Y":
            return Answer(Outcome.NOT_PAID, "REVERSED")
        reason = str(body.get("code", status))
        if reason.replace("_", "") in {"ORDERNOTEXIST", "ORDERNOTEXISTS"}:
            return Answer(Outcome.NOT_FOUND, reason)
        return Answer(Outcome.UNKNOWN, reason)

    def refund(self, order: Order, *, number: str, reason: str) -> Answer:
        """By `/v3/refund/domestic/refunds`."""
        amount = {"refund": order.amount_fen, "total": order.amount_fen, "currency": "CNY"}
        return self._by_refund(
            self._asked(
                order,
                self._client.refund,
                out_refund_no=number,
                out_trade_no=order.number,
                amount=amount,
                reason=reason[:40],
            )
        )

    def query_refund(self, order: Order, *, number: str) -> Answer:
        """By `/v3/refund/domestic/refunds/…`."""
        return self._by_refund(self._asked(order, self._client.query_refund, out_refund_no=number))

    def _by_refund(self, found: tuple[int, dict[str, Any]] | None) -> Answer:
        if found is None:
            return UNANSWERED
        status, body = found
        state = str(body.get("status", body.get("code", status)))
        if status == 404:
            return Answer(Outcome.NOT_FOUND, state)
        return Answer(_REFUNDS.get(state, Outcome.UNKNOWN) if status == 200 else Outcome.UNKNOWN, state)

    def _by_state(self, order: Order, body: dict[str, Any]) -> Answer:
        state = str(body["trade_state"])
        outcome = _STATES.get(state, Outcome.UNKNOWN)
        if outcome is Outcome.PAID and not self._is_ours(order, body):
            logger.error(
                "an answer of the carrier speaks of another order or amount", carrier=self.name, order=order.number
            )
            return Answer(Outcome.UNKNOWN, "MISMATCH")
        return Answer(outcome, state, str(body.get("transaction_id", "")))

    @staticmethod
    def _is_ours(order: Order, body: dict[str, Any]) -> bool:
        amount = body.get("amount") or {}
        return body.get("out_trade_no") == order.number and amount.get("total", order.amount_fen) == order.amount_fen

    def _asked(self, order: Order, call: Any, **arguments: Any) -> tuple[int, dict[str, Any]] | None:
        """Status and body of one call; None when no answer came, or one that WeChat did not sign."""
        if self._partner_mode and order.account:
            arguments["sub_mchid"] = order.account
        try:
            status, text = call(**arguments)
            body = json.loads(text) if text else {}
        except Exception as failure:  # noqa: BLE001 - the SDK raises bare exceptions for bad signatures; no answer is no answer
            # Its text may hold the request, the payment code included: only its kind is written down.
            logger.warning(
                "no answer from the carrier", carrier=self.name, order=order.number, failure=type(failure).__name__
            )
            return None
        return int(status), body if isinstance(body, dict) else {}
