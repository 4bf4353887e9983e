"""What cashiers' phones redeemed without a network and told later."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff

from .offers import BenefitOffer
from .redemptions import Redemption


class UploadState(models.TextChoices):
    """`ACCEPTED`: a redemption that stands. `EXCEPTION`: finance decides. `SET_ASIDE`: finance decided against it."""

    ACCEPTED = "accepted", pgettext_lazy("upload", "Accepted")
    EXCEPTION = "exception", _("To be decided")
    SET_ASIDE = "set_aside", pgettext_lazy("upload", "Set aside")


class UploadReason(models.TextChoices):
    """Why an upload waits for a decision. `RULE`: the programme's rules, which the redemption itself names."""

    NONE = "", "–"
    RULE = "rule", _("A rule of the programme")
    DUPLICATE = "duplicate", _("This code was redeemed already")
    LATE = "late", _("Uploaded too late")
    CLOCK = "clock", _("The time does not fit")
    UNKNOWN = "unknown", _("Unknown code or offer")
    FORGED = "forged", _("The signature does not hold")
    REVOKED = "revoked", _("The phone was blocked")
    EXPIRED = "expired", _("The certificate had expired")


class Upload(PubliclyIdentified, models.Model):
    """One redemption made without a network, as the cashier's phone tells it: a fact, never refused, kept once.

    `device` and `request_id` are the phone's own and name the request. `scanned_at` is by the phone's clock; what
    counts is the time signed in the code. `text` is what was scanned, so that a decision can be checked later.
    """

    device = models.CharField(max_length=40)
    request_id = models.UUIDField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    offer = models.ForeignKey(BenefitOffer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cashier = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    scanned_at = models.DateTimeField(_("scanned at"))
    uploaded_at = models.DateTimeField(_("uploaded at"))
    state = models.CharField(_("state"), max_length=10, choices=UploadState)
    reason = models.CharField(_("reason"), max_length=12, choices=UploadReason, blank=True)
    redemption = models.OneToOneField(
        Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="upload"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(_("words on the decision"), max_length=200, blank=True)

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("redemption made offline")
        verbose_name_plural = _("redemptions made offline")
        indexes = [models.Index(fields=["place"], condition=Q(state="exception"), name="upload_to_decide")]
        constraints = [
            models.UniqueConstraint(fields=["request_id", "device"], name="upload_once"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(redemption__isnull=False), name="upload_accepted_is_a_redemption"
            ),
            models.CheckConstraint(condition=Q(state="accepted") | ~Q(reason=""), name="upload_exception_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.state}"
