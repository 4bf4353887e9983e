"""The worker's share, paid at the counter: one interface, several carriers of it.

`offline` (cash, or the merchant's till) is the default and asks nobody. `wechat` (付款码) and `alipay` (当面付) scan
the code that the worker's phone shows; they exist where `settings.PAYMENT_OPTIONS` names their account.

A carrier never raises for what goes wrong outside: it says what it knows as an `Answer`. "Unknown" is a fact about
the line, not about the money; `services.payments` goes on until the money is known to be paid or not paid.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

OFFLINE, WECHAT, ALIPAY = "offline", "wechat", "alipay"


class Outcome(enum.Enum):
    """What a carrier knows of an order after one call."""

    PAID = "paid"
    WAITING = "waiting"  # the worker is entering the password
    NOT_PAID = "not_paid"  # for good: this order can never become paid
    NOT_FOUND = "not_found"  # no such order, or none yet: a call may still be under way
    UNKNOWN = "unknown"  # no answer, or one that says nothing


@dataclass(frozen=True, slots=True)
class Order:
    """One payment as the carrier knows it.

    Attributes:
        number: Ours, 32 letters and digits, never used twice.
        amount_fen: What the worker pays.
        description: Line in the worker's bill.
        shop: Number of the merchant in our house, at most 32 characters.
        account: The merchant's own account at the carrier (WeChat `sub_mchid`, Alipay `app_auth_token`); empty: the
            union's.
    """

    number: str
    amount_fen: int
    description: str
    shop: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brought.

    Attributes:
        outcome: What is known of the money.
        reason: The carrier's own code, for people who look into it; holds nothing personal.
        carrier_number: The carrier's number of the order, when it gave one.
    """

    outcome: Outcome
    reason: str = ""
    carrier_number: str = ""


UNANSWERED = Answer(Outcome.UNKNOWN, "no_answer")


class Carrier(Protocol):
    """Moves the worker's money."""

    name: str

    def pay(self, order: Order, *, code: str) -> Answer:
        """Ask for the money with the code that the worker's phone shows. Call it once an order."""

    def query(self, order: Order) -> Answer:
        """What became of the order."""

    def reverse(self, order: Order) -> Answer:
        """Undo the order, paid or not. NOT_PAID: it is undone; anything else: ask again."""

    def refund(self, order: Order, *, number: str, reason: str) -> Answer:
        """Give the whole amount back; may be repeated with the same `number`.

        NOT_PAID: the money went back. WAITING: it is on its way.
        """

    def query_refund(self, order: Order, *, number: str) -> Answer:
        """What became of a refund, in the words of `refund`; NOT_FOUND: it never arrived."""


def available() -> list[str]:
    """The channels of this installation, `offline` first."""
    return [OFFLINE, *(name for name in (WECHAT, ALIPAY) if name in settings.PAYMENT_OPTIONS)]


def carrier(name: str) -> Carrier:
    """The carrier of a channel.

    Raises:
        ImproperlyConfigured: the channel has no account here, or its options are wrong.
    """
    options = settings.PAYMENT_OPTIONS.get(name)
    if options is None:
        msg = f"YIZHAN_PAYMENT_OPTIONS names no account of {name!r}"
        raise ImproperlyConfigured(msg)
    return _made(name, json.dumps(options, sort_keys=True))


def pays_merchant_directly(name: str, account: str) -> bool:
    """Whether the money of `name` reaches the merchant itself: always offline, otherwise with an account of its own."""
    return name == OFFLINE or bool(account)


@lru_cache(maxsize=8)
def _made(name: str, options: str) -> Carrier:
    # SDKs are optional: only the chosen one is imported.
    given: dict[str, Any] = json.loads(options)
    if name == WECHAT:
        from .wechat import WeChatCarrier

        return WeChatCarrier(**_checked(name, WeChatCarrier, given))
    if name == ALIPAY:
        from .alipay import AlipayCarrier

        return AlipayCarrier(**_checked(name, AlipayCarrier, given))
    msg = f"YIZHAN_PAYMENT_OPTIONS: {name!r} is none of wechat, alipay"
    raise ImproperlyConfigured(msg)


def _checked(name: str, kind: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    needed, optional = set(kind.needed_options), set(kind.optional_options)
    if missing := sorted(needed - options.keys()):
        msg = f"YIZHAN_PAYMENT_OPTIONS.{name} lacks {', '.join(missing)}"
        raise ImproperlyConfigured(msg)
    if unknown := sorted(options.keys() - needed - optional):
        msg = f"YIZHAN_PAYMENT_OPTIONS.{name} has unknown options: {', '.join(unknown)}"
        raise ImproperlyConfigured(msg)
    return dict(options)
