"""One use of a benefit."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, User, Worker

from .guards import never_deleted
from .offers import BenefitOffer
from .programme import Period, Programme


class RedemptionState(models.TextChoices):
    """`REDEEMED` counts and is booked. `VOIDED` never happened, `REFUNDED` was given back: both reverse the booking.

    `EXCEPTION` was redeemed offline against a rule: it counts and is booked nowhere until staff accept it (then
    `REDEEMED`) or refuse it (then `VOIDED`).
    """

    REDEEMED = "redeemed", _("Redeemed")
    VOIDED = "voided", _("Voided")
    REFUNDED = "refunded", _("Refunded")
    EXCEPTION = "exception", _("To be decided")


class Channel(models.TextChoices):
    """How it was redeemed."""

    CODE = "code", _("Worker's code")
    PLATE = "plate", _("Merchant's plate")
    PAPER = "paper", _("Paper voucher")
    SYSTEM = "system", _("By the system")


class Redemption(PubliclyIdentified, models.Model):
    """One use of an offer by one worker at one place.

    `device` and `request_id` name the request, unique together. `day` and `period` are those of the rules (Shanghai).
    `redeemed_at` is when it happened, `recorded_at` when we learnt of it. `worker` is None for a bearer's voucher.
    `charged_shards` and `charged_fen` say from which shares of budgets it took how much, so that all of it goes back.

    Two checks stand in `sql/0006_lighter.sql`, where they are short: that states are known and those that end it have a
    time (`redemption_ended_since`), and that amounts and distances are not negative.
    """

    device = models.CharField(max_length=40)
    request_id = models.UUIDField()
    # No foreign-key locks on rows that many redemptions share; see guards.never_deleted. Indexes stand below.
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, related_name="redemptions", db_constraint=False, db_index=False
    )
    offer = models.ForeignKey(
        BenefitOffer, on_delete=models.PROTECT, related_name="redemptions", db_constraint=False, db_index=False
    )
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, related_name="redemptions", db_constraint=False, db_index=False
    )
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    worker = models.ForeignKey(
        Worker,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="redemptions",
        verbose_name=pgettext_lazy("programme", "worker"),
        db_index=False,
        db_constraint=False,
    )
    cashier = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    channel = models.CharField(_("how"), max_length=8, choices=Channel, default=Channel.CODE)
    offline = models.BooleanField(_("offline"), default=False, db_default=False)
    state = models.CharField(_("state"), max_length=10, choices=RedemptionState)
    reason = models.CharField(_("why it is to be decided"), max_length=24, blank=True, db_default="")
    day = models.DateField(_("day"))
    period = models.ForeignKey(
        Period, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    redeemed_at = models.DateTimeField(_("redeemed at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    list_price_fen = models.IntegerField(_("list price"))
    worker_fen = models.IntegerField(_("worker's share"))
    merchant_fen = models.IntegerField(_("merchant's share"))
    funded_fen = models.IntegerField(_("funded"))
    distance_m = models.IntegerField(_("metres from the counter"), null=True, blank=True)
    charged_shards = ArrayField(models.BigIntegerField(), default=list)
    charged_fen = ArrayField(models.BigIntegerField(), default=list)
    ended_at = models.DateTimeField(_("voided or refunded at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    ended_reason = models.CharField(_("why it was taken back"), max_length=200, blank=True, db_default="")
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        indexes = [
            models.Index(fields=["worker", "programme", "day"], name="redemption_of_worker"),
            models.Index(fields=["place", "redeemed_at"], name="redemption_at_place"),
            models.Index(fields=["programme", "redeemed_at"], name="redemption_of_programme"),
            models.Index(fields=["union"], condition=Q(state="exception"), name="redemption_to_decide"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["request_id", "device"], name="redemption_requested_once"),
        ]
        triggers = [never_deleted("redemption_stays")]

    def __str__(self) -> str:
        return f"{self.public_id}"

    @property
    def counts(self) -> bool:
        """Whether it counts towards quotas and is booked."""
        return self.state == RedemptionState.REDEEMED
