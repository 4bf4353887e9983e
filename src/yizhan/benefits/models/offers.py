"""What a programme offers at a place, and who pays how much of it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified

from .guards import never_deleted
from .ledger import Account
from .programme import Programme


class PartyKind(models.TextChoices):
    """Who pays a share of the list price."""

    WORKER = "worker", pgettext_lazy("programme", "Worker")
    MERCHANT = "merchant", _("Merchant")
    UNION = "union", _("Union")
    PLATFORM = "platform", _("Platform")
    SPONSOR = "sponsor", pgettext_lazy("funding", "Sponsor")


# Whose shares are money that a budget may cap.
FUNDING = [PartyKind.UNION, PartyKind.PLATFORM, PartyKind.SPONSOR]


class BenefitOffer(PubliclyIdentified, models.Model):
    """九元套餐 at one merchant: an item with a list price (fen) that the shares of its parties sum up to."""

    programme = models.ForeignKey(Programme, on_delete=models.CASCADE, related_name="offers")
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, related_name="benefit_offers", verbose_name=pgettext_lazy("merchant", "place")
    )
    name = models.CharField(_("name"), max_length=60)
    list_price_fen = models.PositiveIntegerField(_("list price"))
    # Two sums over the shares, kept here for lists and for the counter; the database compares them at commit.
    worker_fen = models.PositiveIntegerField(_("worker pays"))
    merchant_fen = models.PositiveIntegerField(_("merchant gives"))
    is_active = models.BooleanField(_("on offer"), default=True)
    # What the merchant is owed is booked here.
    merchant_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = pgettext_lazy("programme", "offer")
        verbose_name_plural = pgettext_lazy("programme", "offers")
        ordering = ["place__name", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "place", "name"], name="offer_is_named_once_at_a_place"),
            models.CheckConstraint(condition=Q(list_price_fen__gt=0), name="offer_has_a_price"),
        ]
        triggers = [
            never_deleted(
                "offer_stays",
                "EXISTS (SELECT 1 FROM benefits_redemption "
                "WHERE programme_id = OLD.programme_id AND offer_id = OLD.id)",
            ),
            pgtrigger.Trigger(
                name="split_sums_up_to_the_price",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                func="PERFORM benefits_check_split(NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def funded_fen(self) -> int:
        """What unions, platforms and sponsors pay together."""
        return self.list_price_fen - self.worker_fen - self.merchant_fen


class OfferShare(models.Model):
    """What one party pays of an offer, in fen. One party of each offer takes the remainder when the price changes."""

    offer = models.ForeignKey(BenefitOffer, on_delete=models.CASCADE, related_name="shares")
    party = models.CharField(_("party"), max_length=8, choices=PartyKind)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    fen = models.PositiveIntegerField(_("share"))
    takes_remainder = models.BooleanField(_("takes the remainder"), default=False)

    objects = ScopedManager(union="offer__programme__union__path__startswith")

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        ordering = ["offer", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "account"], name="share_once_a_party"),
            models.UniqueConstraint(
                fields=["offer"], condition=Q(takes_remainder=True), name="share_one_takes_the_remainder"
            ),
            models.CheckConstraint(condition=Q(party__in=PartyKind.values), name="share_party_is_known"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="shares_sum_up_to_the_price",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                timing=pgtrigger.Deferred,
                func=(
                    "IF TG_OP = 'DELETE' THEN PERFORM benefits_check_split(OLD.offer_id); "
                    "ELSE PERFORM benefits_check_split(NEW.offer_id); END IF; RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_party_display()} {self.fen}"
