"""The worker's share at the counter: each payment ends paid or not paid, never in doubt.

Every state is stored before the call outside is made, and no transaction stays open during a call. Whoever comes later
(the counter's page, the background after a crash) takes the next step from what is stored:

    sent ──────► paid ────────► refunding ──► refunded
      │  waiting ─┘                ▲
      └──► reversing ──► not paid  │ (too late to reverse)
                └──────────────────┘
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits import payments as carriers
from yizhan.benefits.models import (
    OPEN_PAYMENTS,
    AccountKind,
    MerchantAccount,
    Payment,
    PaymentChannel,
    PaymentState,
    PaymentStep,
    Redemption,
    RedemptionState,
    TransactionKind,
)
from yizhan.benefits.payments import Answer, Order, Outcome
from yizhan.benefits.rights import REDEEM
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, User
from yizhan.unions.rights import OPERATOR, Operator, policy

from . import ledger

logger = structlog.get_logger(__name__)

PATIENCE: Final = timedelta(seconds=60)  # for the password; by then the code of the phone has expired, too
REVERSIBLE: Final = timedelta(hours=23)  # Alipay takes an order back for 24 hours; afterwards only a refund helps
POLL: Final = timedelta(seconds=4)
LEASE: Final = timedelta(seconds=25)  # longer than any call may take: nobody else takes the step meanwhile
_LONGEST_PAUSE: Final = timedelta(minutes=10)
# https://pay.weixin.qq.com (18 digits from 10 to 15), https://opendocs.alipay.com (16 to 24 digits from 25 to 30)
_CODES: Final = {
    PaymentChannel.WECHAT: re.compile(r"1[0-5]\d{16}"),
    PaymentChannel.ALIPAY: re.compile(r"(?:2[5-9]|30)\d{14,22}"),
}


def channel_of(code: str) -> PaymentChannel | None:
    """Whose payment code a scanner read; None: neither's."""
    return next((channel for channel, pattern in _CODES.items() if pattern.fullmatch(code)), None)


def take(
    *,
    redemption: Redemption,
    channel: str,
    request_id: UUID,
    actor: Staff | User | Operator,
    code: str = "",
    at: datetime | None = None,
) -> Payment:
    """Take the worker's share of a redemption; call it outside of any transaction.

    Offline it is taken at once. By phone it asks the carrier and gives back a payment that is `PAID`, `NOT_PAID` (then
    the redemption is voided), or open: call `refresh` every few seconds, or leave it to the background.

    Idempotent in `request_id`: a repeated request asks the carrier for nothing and returns the payment as it stands.

    Args:
        code: What the worker's phone shows; never stored.

    Raises:
        NotAllowed: `actor` may not redeem at this place.
        RuleBroken: `already_paid_for`, `wrong_state`, `no_such_channel`, `not_a_payment_code`.
    """
    earlier: Payment | None = Payment.objects.with_scopes_disabled().filter(request_id=request_id).first()
    if earlier is not None:
        return earlier
    if not isinstance(actor, User):
        policy.require(actor, REDEEM, redemption.place.union, within=redemption.place)
    at = at or timezone.now()
    _check(redemption, channel, code)
    account = _account_of(redemption, channel)
    offline = channel == PaymentChannel.OFFLINE
    with transaction.atomic(durable=not offline):
        locked = Redemption.objects.with_scopes_disabled().select_for_update(no_key=True).get(pk=redemption.pk)
        earlier = Payment.objects.with_scopes_disabled().filter(redemption=locked).first()
        if earlier is not None:
            if earlier.request_id == request_id:
                return earlier
            raise RuleBroken.at(
                "redemption", "", _("A payment of this redemption was begun already."), "already_paid_for"
            )
        if locked.state != RedemptionState.REDEEMED:
            raise RuleBroken.at("redemption", "", _("This redemption was taken back."), "wrong_state")
        payment: Payment = Payment.objects.create(
            union_id=locked.union_id,
            redemption=locked,
            channel=channel,
            state=PaymentState.PAID if offline else PaymentState.SENT,
            request_id=request_id,
            amount_fen=locked.worker_fen,
            account=account,
            received_by_union=not carriers.pays_merchant_directly(channel, account),
            asked_at=at,
            next_step_at=None if offline else at + LEASE,
            finished_at=at if offline else None,
        )
    if offline:
        return payment
    answer = carriers.carrier(channel).pay(_order(payment), code=code)
    _note(payment, "pay", answer, at)
    return _apply(payment, answer, at)


def refresh(payment: Payment, *, at: datetime | None = None) -> Payment:
    """Take the next step of an open payment if it is due, and give the payment as it stands."""
    return step(payment, at=at) if payment.is_open else payment


def cancel(payment: Payment, *, actor: Staff | User | Operator, at: datetime | None = None) -> Payment:
    """The counter gives up waiting: an open payment is reversed. A paid one stays; void its redemption instead."""
    if not isinstance(actor, User):
        policy.require(actor, REDEEM, payment.redemption.place.union, within=payment.redemption.place)
    at = at or timezone.now()
    with transaction.atomic(durable=True):
        kept = _locked(payment)
        if kept.state not in (PaymentState.SENT, PaymentState.WAITING):
            return kept
        _move(kept, PaymentState.REVERSING, at=at, next_step_at=at)
    return step(kept, at=at)


def give_back(redemption: Redemption, *, at: datetime | None = None) -> None:
    """The redemption was taken back: so is its payment. Called inside the transaction that takes it back.

    Money paid at the till is handed back there. Money paid by phone is reversed or refunded by the background, which
    goes on until it is.
    """
    at = at or timezone.now()
    payment = Payment.objects.with_scopes_disabled().select_for_update().filter(redemption=redemption).first()
    if payment is None:
        return
    if payment.state == PaymentState.PAID:
        if payment.channel == PaymentChannel.OFFLINE:
            _move(payment, PaymentState.REFUNDED, at=at, next_step_at=None)
        else:
            _move(payment, PaymentState.REFUNDING, at=at, next_step_at=at)
    elif payment.state in (PaymentState.SENT, PaymentState.WAITING):
        _move(payment, PaymentState.REVERSING, at=at, next_step_at=at)


def resolve_open(*, at: datetime | None = None, most: int = 200) -> int:
    """Take the next step of every open payment whose step is due; says how many became known."""
    at = at or timezone.now()
    due = Payment.objects.with_scopes_disabled().filter(next_step_at__lte=at).order_by("next_step_at")[:most]
    known = 0
    for payment in due:
        known += not step(payment, at=at).is_open
    return known


def step(payment: Payment, *, at: datetime | None = None) -> Payment:
    """One step of an open payment: ask, reverse or refund. Of two at once one takes it: the other sees it is leased."""
    now = at or timezone.now()
    leased = (
        Payment.objects.with_scopes_disabled()
        .filter(pk=payment.pk, state__in=OPEN_PAYMENTS, next_step_at__lte=now)
        .update(next_step_at=now + LEASE, tries=F("tries") + 1)
    )
    payment.refresh_from_db()
    if not leased:
        return payment
    if payment.state in (PaymentState.SENT, PaymentState.WAITING):
        return _ask(payment, now)
    if payment.state == PaymentState.REVERSING:
        return _reverse(payment, now)
    return _refund(payment, now)


def _ask(payment: Payment, at: datetime) -> Payment:
    answer = carriers.carrier(payment.channel).query(_order(payment))
    _note(payment, "query", answer, at)
    if answer.outcome in (Outcome.PAID, Outcome.NOT_PAID) or at < payment.asked_at + PATIENCE:
        return _apply(payment, answer, at)
    with transaction.atomic(durable=True):
        kept = _locked(payment)
        if kept.state in (PaymentState.SENT, PaymentState.WAITING):
            _move(kept, PaymentState.REVERSING, at=at, next_step_at=at + LEASE, reason=answer.reason)
    # The last question and the reversal follow one another at once, as both carriers ask for.
    return _reverse(kept, at) if kept.state == PaymentState.REVERSING else kept


def _reverse(payment: Payment, at: datetime) -> Payment:
    order, carrier = _order(payment), carriers.carrier(payment.channel)
    late = at >= payment.asked_at + REVERSIBLE
    answer = carrier.query(order) if late else carrier.reverse(order)
    _note(payment, "query" if late else "reverse", answer, at)
    undone = answer.outcome is Outcome.NOT_PAID or (
        # What the carrier does not know once the phone's code has expired, it will never know.
        answer.outcome is Outcome.NOT_FOUND and at >= payment.asked_at + PATIENCE
    )
    with transaction.atomic(durable=True):
        kept = _locked(payment)
        if kept.state != PaymentState.REVERSING:
            return kept
        if undone:
            _end_unpaid(kept, answer.reason, at)
        elif late and answer.outcome is Outcome.PAID:
            _move(kept, PaymentState.REFUNDING, at=at, next_step_at=at, reason=answer.reason)
            _void(kept, answer.reason)
        else:
            _wait(kept, at + _pause(kept.tries), answer.reason)
    return kept


def _refund(payment: Payment, at: datetime) -> Payment:
    order, carrier = _order(payment), carriers.carrier(payment.channel)
    answer = carrier.query_refund(order, number=payment.refund_number)
    _note(payment, "query_refund", answer, at)
    if answer.outcome is Outcome.NOT_FOUND:
        answer = carrier.refund(order, number=payment.refund_number, reason=_("Taken back"))
        _note(payment, "refund", answer, at)
    with transaction.atomic(durable=True):
        kept = _locked(payment)
        if kept.state != PaymentState.REFUNDING:
            return kept
        if answer.outcome is Outcome.NOT_PAID:
            _move(kept, PaymentState.REFUNDED, at=at, next_step_at=None, reason=answer.reason)
            if _was_paid(kept):
                _book(kept, -1)
        else:
            _wait(kept, at + _pause(kept.tries), answer.reason)
    return kept


def _apply(payment: Payment, answer: Answer, at: datetime) -> Payment:
    """Store what the carrier said of an order that is being paid."""
    with transaction.atomic(durable=True):
        kept = _locked(payment)
        if kept.state not in (PaymentState.SENT, PaymentState.WAITING):
            return kept  # being reversed meanwhile: the reversal also gives back what was paid
        if answer.outcome is Outcome.PAID:
            kept.carrier_number = answer.carrier_number[:64]
            _move(kept, PaymentState.PAID, at=at, next_step_at=None, reason=answer.reason)
            _book(kept, 1)
        elif answer.outcome is Outcome.NOT_PAID:
            _end_unpaid(kept, answer.reason, at)
        elif answer.outcome is Outcome.WAITING and kept.state == PaymentState.SENT:
            _move(kept, PaymentState.WAITING, at=at, next_step_at=at + POLL, reason=answer.reason)
        else:
            _wait(kept, at + POLL, answer.reason)
    return kept


def _end_unpaid(payment: Payment, reason: str, at: datetime) -> None:
    _move(payment, PaymentState.NOT_PAID, at=at, next_step_at=None, reason=reason)
    _void(payment, reason)


def _void(payment: Payment, reason: str) -> None:
    from .taking_back import void  # which gives back payments in turn

    if payment.redemption.state == RedemptionState.REDEEMED:
        void(
            payment.redemption,
            actor=OPERATOR,
            reason=_("The worker's share was not paid (%(reason)s).") % {"reason": reason},
        )


def _locked(payment: Payment) -> Payment:
    """The payment, locked after its redemption: the order in which everyone locks the two."""
    redemption = Redemption.objects.with_scopes_disabled().select_for_update(no_key=True).get(pk=payment.redemption_id)
    kept: Payment = Payment.objects.with_scopes_disabled().select_for_update().get(pk=payment.pk)
    kept.redemption = redemption
    return kept


def _move(
    payment: Payment, state: PaymentState, *, at: datetime, next_step_at: datetime | None, reason: str | None = None
) -> None:
    payment.state, payment.next_step_at, payment.tries = state, next_step_at, 0
    if reason is not None:
        payment.reason = reason[:80]
    if state not in OPEN_PAYMENTS:
        payment.finished_at = at
    payment.save(update_fields=["state", "next_step_at", "tries", "reason", "finished_at", "carrier_number"])
    logger.info("a payment moved", number=payment.number, state=str(state), reason=payment.reason)


def _wait(payment: Payment, until: datetime, reason: str) -> None:
    payment.next_step_at, payment.reason = until, reason[:80]
    payment.save(update_fields=["next_step_at", "reason"])


def _pause(tries: int) -> timedelta:
    return min(timedelta(seconds=2 << min(tries, 9)), _LONGEST_PAUSE)


def _note(payment: Payment, act: str, answer: Answer, at: datetime) -> None:
    PaymentStep.objects.create(payment=payment, at=at, act=act, outcome=answer.outcome.value, reason=answer.reason[:80])


def _was_paid(payment: Payment) -> bool:
    # One that was found paid only when it was too late to reverse has never been booked.
    return not PaymentStep.objects.with_scopes_disabled().filter(payment=payment, act="reverse").exists()


def _book(payment: Payment, sign: int) -> None:
    """What a union receives for a merchant goes through its bank: received here, paid out with the statement."""
    if not payment.received_by_union or not payment.amount_fen:
        return
    redemption, amount = payment.redemption, sign * payment.amount_fen
    ledger.post(
        TransactionKind.ADJUSTED,
        [
            (ledger.account_of(AccountKind.WORKER_SHARE, programme=redemption.programme), amount),
            (ledger.account_of(AccountKind.BANK, union=redemption.union), -amount),
        ],
        union=redemption.union,
        programme=redemption.programme,
        memo=f"{payment.get_channel_display()} {payment.number}"[:120],
    )


def _check(redemption: Redemption, channel: str, code: str) -> None:
    if channel not in carriers.available():
        raise RuleBroken.at("channel", channel, _("This way of paying is not set up here."), "no_such_channel")
    if channel != PaymentChannel.OFFLINE:
        if not redemption.worker_fen:
            raise RuleBroken.at("channel", channel, _("The worker pays nothing for this meal."), "nothing_to_pay")
        if not _CODES[PaymentChannel(channel)].fullmatch(code):
            raise RuleBroken.at(
                "code",
                "",
                _("This is not a payment code. Ask the worker to open the payment code."),
                "not_a_payment_code",
            )


def _account_of(redemption: Redemption, channel: str) -> str:
    if channel == PaymentChannel.OFFLINE:
        return ""
    account = MerchantAccount.objects.with_scopes_disabled().filter(place=redemption.place_id).first()
    if account is None:
        return ""
    return account.wechat_account if channel == PaymentChannel.WECHAT else (account.alipay_token or "")


def _order(payment: Payment) -> Order:
    redemption = payment.redemption
    return Order(
        number=payment.number,
        amount_fen=payment.amount_fen,
        description=f"{redemption.place.name} {redemption.offer.name}"[:40],
        shop=redemption.place.public_id.hex,
        account=payment.account or "",
    )
