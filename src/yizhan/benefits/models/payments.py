"""The worker's share, as it is paid at the counter, and where merchants receive money."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union, User

from .guards import append_only, never_deleted
from .moves import only_moves
from .redemptions import Redemption


def new_number() -> str:
    """32 letters and digits: what both carriers accept as a merchant's order number."""
    return uuid4().hex


class PaymentChannel(models.TextChoices):
    """How the worker pays."""

    OFFLINE = "offline", _("At the merchant's till")
    WECHAT = "wechat", _("WeChat Pay")
    ALIPAY = "alipay", _("Alipay")


class PaymentState(models.TextChoices):
    """Where the money is. Each state is stored before the call that it names is made, so that a crash loses none."""

    SENT = "sent", _("Asked for")
    WAITING = "waiting", _("The worker is paying")
    REVERSING = "reversing", _("Being taken back")
    PAID = "paid", _("Paid")
    NOT_PAID = "not_paid", _("Not paid")
    REFUNDING = "refunding", _("Being refunded")
    REFUNDED = "refunded", _("Refunded")


OPEN_PAYMENTS: Final = (PaymentState.SENT, PaymentState.WAITING, PaymentState.REVERSING, PaymentState.REFUNDING)
_MOVES: Final = {
    "sent": ["waiting", "reversing", "paid", "not_paid"],
    "waiting": ["reversing", "paid", "not_paid"],
    "reversing": ["not_paid", "refunding"],
    "paid": ["refunding", "refunded"],
    "refunding": ["refunded"],
}


class Payment(PubliclyIdentified, models.Model):
    """The worker's share of one redemption.

    `number` is our order number at the carrier, `refund_number` that of the refund. `account` is the merchant's own
    account there; without one the union receives the money and owes it to the merchant (`received_by_union`). The code
    that the worker's phone showed is never stored. `next_step_at` is when the next step of an open payment is due.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    redemption = models.OneToOneField(Redemption, on_delete=models.PROTECT, related_name="payment")
    channel = models.CharField(_("paid by"), max_length=8, choices=PaymentChannel)
    state = models.CharField(_("state"), max_length=10, choices=PaymentState)
    request_id = models.UUIDField(unique=True, editable=False)
    number = models.CharField(max_length=32, unique=True, default=new_number, editable=False)
    refund_number = models.CharField(max_length=32, unique=True, default=new_number, editable=False)
    amount_fen = models.PositiveIntegerField(_("amount"))
    account = EncryptedTextField(blank=True, default="")
    received_by_union = models.BooleanField(_("received by the union"), default=False)
    carrier_number = models.CharField(_("number at the carrier"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=80, blank=True)
    tries = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(_("asked for at"))
    next_step_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("known since"), null=True, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [
            models.Index(fields=["next_step_at"], name="payment_to_resolve", condition=Q(next_step_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=PaymentChannel.values), name="payment_channel_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN_PAYMENTS], next_step_at__isnull=False)
                | Q(state__in=["paid", "not_paid", "refunded"], next_step_at__isnull=True, finished_at__isnull=False),
                name="payment_open_or_known",
            ),
            models.CheckConstraint(
                condition=~Q(channel="offline") | Q(state__in=["paid", "refunded"], received_by_union=False),
                name="payment_offline_is_the_merchants",
            ),
        ]
        triggers = [
            only_moves("payment", _MOVES),
            never_deleted("payment_stays"),
            pgtrigger.Trigger(
                name="payment_keeps_its_terms",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "redemption", "channel", "number", "refund_number", "amount_fen", "request_id", "received_by_union"
                ),
                func="RAISE EXCEPTION 'the terms of a payment do not change';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        """Whether it is not yet known for good where the money is."""
        return self.state in OPEN_PAYMENTS


class PaymentStep(models.Model):
    """One call to a carrier and what it said. Append-only."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField(_("time"))
    act = models.CharField(_("asked for"), max_length=12)  # pay, query, reverse, refund, query_refund
    outcome = models.CharField(_("answer"), max_length=10)
    reason = models.CharField(_("reason"), max_length=80, blank=True)

    objects = ScopedManager(union="payment__union__path__startswith")

    class Meta:
        verbose_name = _("step of a payment")
        verbose_name_plural = _("steps of payments")
        triggers = append_only("payment_step")

    def __str__(self) -> str:
        return f"{self.act}: {self.outcome}"


class MerchantAccount(PubliclyIdentified, models.Model):
    """Where a merchant receives money: its bank, and its own accounts at the carriers."""

    place = models.OneToOneField(
        Place, on_delete=models.PROTECT, related_name="merchant_account", verbose_name=_("merchant")
    )
    holder = models.CharField(_("account holder"), max_length=80)
    bank = models.CharField(_("bank and branch"), max_length=80)
    branch_code = models.CharField(_("branch code (12 digits)"), max_length=12, blank=True)
    number = EncryptedTextField(_("account number"))
    wechat_account = models.CharField(_("WeChat Pay sub-merchant number"), max_length=32, blank=True)
    alipay_token = EncryptedTextField(_("Alipay authorisation token"), blank=True, default="")
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("merchant's account")
        verbose_name_plural = _("merchants' accounts")

    def __str__(self) -> str:
        return f"{self.holder} {self.masked_number}"

    @property
    def masked_number(self) -> str:
        """What a screen may show of the number: its last four digits."""
        return f"**** {self.number[-4:]}" if self.number else ""
