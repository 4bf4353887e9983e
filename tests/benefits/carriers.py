"""A stand-in for WeChat Pay and Alipay: a local server that speaks their published protocols, signatures included.

It checks the signature of every request and signs every answer. What the worker's phone shows decides what happens, and
faults can be ordered for the next calls.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

# Alipay's codes begin otherwise and end alike.
PAYS: Final = "131000000000000001"  # pays at once
ASKS: Final = "131000000000000002"  # asks for the password; see `approve` and `decline`
EMPTY: Final = "131000000000000003"  # not enough money

_PROBLEM = "application/json"


@cache
def _key(_whose: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _private(whose: str) -> str:
    return _key(whose).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(whose: str) -> str:
    return _key(whose).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _signed(whose: str, text: str) -> str:
    return base64.b64encode(_key(whose).sign(text.encode(), PKCS1v15(), SHA256())).decode()


def _fits(whose: str, text: str, signature: str) -> bool:
    try:
        _key(whose).public_key().verify(base64.b64decode(signature), text.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@dataclass
class Kept:
    """One order at the carrier."""

    number: str
    fen: int
    state: str  # USERPAYING, SUCCESS, REVOKED, PAYERROR
    account: str = ""
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def held_fen(self) -> int:
        """What the payer is without."""
        return self.fen - sum(self.refunds.values()) if self.state == "SUCCESS" else 0


class StandIn:
    """Both carriers at one address.

    Attributes:
        orders: What they keep, by our number.
        calls: How often each act was asked for.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Kept] = {}
        self.calls: dict[str, int] = defaultdict(int)
        self.address = ""
        self._faults: dict[str, deque[str]] = defaultdict(deque)
        self._lock = threading.Lock()

    def order_fault(self, act: str, *faults: str) -> None:
        """For the next calls of `act` (pay, query, reverse, refund, query_refund), one fault each.

        `lost`: never arrives. `answer_lost`: done, but no answer. `error`: a passing error, nothing done. `forged`:
        done, wrongly signed. `slow`: done, and the answer comes after the caller's patience. `fine`: none.
        """
        self._faults[act].extend(faults)

    def reset(self) -> None:
        """Forget faults and counts; orders stay."""
        self._faults.clear()
        self.calls.clear()

    def approve_if_asked(self, number: str) -> None:
        """The worker enters the password, if the phone asks for one."""
        if number in self.orders and self.orders[number].state == "USERPAYING":
            self.approve(number)

    def approve(self, number: str) -> None:
        """The worker enters the password."""
        self.orders[number].state = "SUCCESS"

    def decline(self, number: str) -> None:
        """The worker taps it away."""
        self.orders[number].state = "PAYERROR"

    def options(self, *, timeout: float = 1.0) -> dict[str, dict[str, Any]]:
        """`settings.PAYMENT_OPTIONS` that lead here."""
        return {
            "wechat": {
                "mchid": "1900000001",
                "appid": "wx0123456789abcdef",
                "private_key": _private("merchant"),
                "cert_serial_no": "5157F09EFDC096DE15EBE81A47057A72",
                "apiv3_key": "0123456789abcdef0123456789abcdef",
                "public_key": _public("wechat"),
                "public_key_id": "PUB_KEY_ID_0119000000012026112400000001",
                "gateway": self.address,
                "timeout": timeout,
            },
            "alipay": {
                "appid": "2021000000000001",
                "private_key": _private("merchant"),
                "alipay_public_key": _public("alipay"),
                "gateway": f"{self.address}/gateway.do",
                "timeout": timeout,
            },
        }

    # What both carriers do; each handler puts it into its own words.

    def fault_of(self, act: str) -> str:
        with self._lock:
            self.calls[act] += 1
            return self._faults[act].popleft() if self._faults[act] else "fine"

    def pay(self, number: str, fen: int, code: str, account: str) -> str:
        with self._lock:
            code = f"13{code[2:]}" if code.startswith("28") else code
            if number in self.orders:
                return "ORDERPAID" if self.orders[number].state == "SUCCESS" else "OUT_TRADE_NO_USED"
            if code == EMPTY:
                return "NOTENOUGH"
            if code not in (PAYS, ASKS):
                return "AUTH_CODE_INVALID"
            self.orders[number] = Kept(number, fen, "SUCCESS" if code == PAYS else "USERPAYING", account)
            return self.orders[number].state

    def reverse(self, number: str) -> bool:
        with self._lock:
            if number not in self.orders:
                return False
            self.orders[number].state = "REVOKED"
            return True

    def refund(self, number: str, refund: str, fen: int) -> str:
        with self._lock:
            order = self.orders[number]
            if refund in order.refunds:
                return "again"
            if fen > order.held_fen:
                return "too_much"
            order.refunds[refund] = fen
            return "done"


class _Handler(BaseHTTPRequestHandler):
    carrier: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path.startswith("/gateway.do"):
            self._alipay()
        else:
            self._wechat(body)

    # WeChat Pay API v3

    def _wechat(self, body: str) -> None:
        told = dict(re.findall(r'(\w+)="([^"]*)"', self.headers["Authorization"].split(" ", 1)[1]))
        text = f"{self.command}\n{self.path}\n{told['timestamp']}\n{told['nonce_str']}\n{body}\n"
        if not _fits("merchant", text, told["signature"]):
            self._answer_wechat(401, {"code": "SIGN_ERROR", "message": "签名错误"})
            return
        path, asked = urlsplit(self.path).path, json.loads(body) if body else {}
        act = (
            "pay" if path.endswith("/codepay")
            else "reverse" if path.endswith("/reverse")
            else "refund" if path == "/v3/refund/domestic/refunds"
            else "query_refund" if path.startswith("/v3/refund/")
            else "query"
        )  # fmt: skip
        fault = self.carrier.fault_of(act)
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "error":
            self._answer_wechat(500, {"code": "SYSTEM_ERROR", "message": "系统异常"})
            return
        status, answer = self._wechat_does(act, path, asked)
        self._with_fault(fault, lambda: self._answer_wechat(status, answer, forged=fault == "forged"))

    def _wechat_does(self, act: str, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        carrier = self.carrier
        if act == "pay":
            number, fen = asked["out_trade_no"], asked["amount"]["total"]
            state = carrier.pay(number, fen, asked["payer"]["auth_code"], asked.get("sub_mchid", ""))
            if state == "SUCCESS":
                return 200, self._wechat_order(number)
            return 202 if state == "USERPAYING" else 400, {"code": state, "message": "…"}
        if act == "refund":
            done = carrier.refund(asked["out_trade_no"], asked["out_refund_no"], asked["amount"]["refund"])
            return (400, {"code": "NOT_ENOUGH", "message": "…"}) if done == "too_much" else (200, {"status": "SUCCESS"})
        if act == "query_refund":
            known = any(path.rsplit("/", 1)[1] in order.refunds for order in carrier.orders.values())
            return (200, {"status": "SUCCESS"}) if known else (404, {"code": "RESOURCE_NOT_EXISTS", "message": "…"})
        number = path.split("/out-trade-no/")[1].split("/")[0]
        if act == "reverse":
            return (200, {"out_trade_no": number}) if carrier.reverse(number) else (404, {"code": "ORDER_NOT_EXIST"})
        if number not in carrier.orders:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        return 200, self._wechat_order(number)

    def _wechat_order(self, number: str) -> dict[str, Any]:
        order = self.carrier.orders[number]
        return {
            "out_trade_no": number,
            "trade_state": order.state,
            "amount": {"total": order.fen, "currency": "CNY"},
            **({"transaction_id": f"42{number[:26]}"} if order.state == "SUCCESS" else {}),
        }

    def _answer_wechat(self, status: int, answer: dict[str, Any], *, forged: bool = False) -> None:
        body, timestamp, nonce = json.dumps(answer), str(int(time.time())), "abcdef"
        self._send(
            status,
            body,
            {
                "Wechatpay-Timestamp": timestamp,
                "Wechatpay-Nonce": nonce,
                "Wechatpay-Serial": self.headers.get("Wechatpay-Serial", ""),
                "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
                "Wechatpay-Signature": _signed("somebody" if forged else "wechat", f"{timestamp}\n{nonce}\n{body}\n"),
            },
        )

    # Alipay

    def _alipay(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        signature = asked.pop("sign")
        method = asked["method"]
        response = method.replace(".", "_") + "_response"
        if not _fits("merchant", "&".join(f"{k}={v}" for k, v in sorted(asked.items())), signature):
            self._answer_alipay(
                response, {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
            )
            return
        content = json.loads(asked["biz_content"])
        act = {
            "alipay.trade.pay": "pay",
            "alipay.trade.query": "query",
            "alipay.trade.cancel": "reverse",
            "alipay.trade.refund": "refund",
            "alipay.trade.fastpay.refund.query": "query_refund",
        }[method]
        fault = self.carrier.fault_of(act)
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "error":
            self._answer_alipay(
                response, {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error"}
            )
            return
        answer = self._alipay_does(act, content, asked.get("app_auth_token", ""))
        self._with_fault(fault, lambda: self._answer_alipay(response, answer, forged=fault == "forged"))

    def _alipay_does(self, act: str, content: dict[str, Any], account: str) -> dict[str, Any]:
        carrier, number = self.carrier, content["out_trade_no"]
        missing = {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST"}
        if act == "pay":
            fen = round(float(content["total_amount"]) * 100)
            state = carrier.pay(number, fen, content["auth_code"], account)
            if state == "SUCCESS":
                return {"code": "10000", "msg": "Success", **self._alipay_order(number)}
            if state == "USERPAYING":
                return {"code": "10003", "msg": "order success pay inprocess", **self._alipay_order(number)}
            words = {"NOTENOUGH": "ACQ.BUYER_BALANCE_NOT_ENOUGH", "ORDERPAID": "ACQ.TRADE_HAS_SUCCESS"}
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": words.get(state, "ACQ.PAYMENT_AUTH_CODE_INVALID"),
            }
        if number not in carrier.orders:
            return missing
        order = carrier.orders[number]
        if act == "reverse":
            action = "refund" if order.state == "SUCCESS" else "close"
            carrier.reverse(number)
            return {"code": "10000", "msg": "Success", "out_trade_no": number, "retry_flag": "N", "action": action}
        if act == "refund":
            done = carrier.refund(number, content["out_request_no"], round(float(content["refund_amount"]) * 100))
            if done == "too_much":
                return {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"}
            return {
                "code": "10000",
                "msg": "Success",
                "out_trade_no": number,
                "fund_change": "Y" if done == "done" else "N",
            }
        if act == "query_refund":
            done = {"refund_status": "REFUND_SUCCESS"} if content["out_request_no"] in order.refunds else {}
            return {"code": "10000", "msg": "Success", "out_trade_no": number, **done}
        states = {"SUCCESS": "TRADE_SUCCESS", "USERPAYING": "WAIT_BUYER_PAY"}
        return {
            "code": "10000",
            "msg": "Success",
            **self._alipay_order(number),
            "trade_status": states.get(order.state, "TRADE_CLOSED"),
        }

    def _alipay_order(self, number: str) -> dict[str, Any]:
        fen = self.carrier.orders[number].fen
        return {"out_trade_no": number, "trade_no": f"20{number[:26]}", "total_amount": f"{fen // 100}.{fen % 100:02}"}

    def _answer_alipay(self, response: str, answer: dict[str, Any], *, forged: bool = False) -> None:
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        self._send(200, f'{{"{response}":{text},"sign":"{_signed("somebody" if forged else "alipay", text)}"}}', {})

    # Both

    def _with_fault(self, fault: str, answer: Any) -> None:
        if fault == "answer_lost":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(1.6)
        answer()

    def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
        raw = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """The server, for as long as the block lasts."""
    carrier = StandIn()
    handler = type("Handler", (_Handler,), {"carrier": carrier})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    carrier.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield carrier
    finally:
        server.shutdown()
        server.server_close()
