"""What a place offers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.models import Union

from .place import Place, PlaceStatus


class OfferKind(models.Model):
    """One of the N in "1+N": the vocabulary of what a place may offer. A union can add its own words."""

    code = models.SlugField(_("code"), max_length=40)
    name_zh = models.CharField(_("Chinese name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=60)
    icon = models.CharField(_("icon"), max_length=40, blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=100)
    union = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, blank=True, related_name="offer_kinds")

    class Meta:
        verbose_name = _("kind of offer")
        verbose_name_plural = _("kinds of offer")
        ordering = ["order", "code"]
        constraints = [
            models.UniqueConstraint(fields=["union", "code"], name="offer_kind_once_per_union"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(union__isnull=True), name="offer_kind_once_for_all"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class OffersOfPublishedPlaces(models.Manager["Offer"]):
    """What everyone may see."""

    def get_queryset(self) -> models.QuerySet[Offer]:
        return super().get_queryset().filter(place__status=PlaceStatus.PUBLISHED, place__union__is_active=True)


class Offer(models.Model):
    """One service at one place."""

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="offers")
    kind = models.ForeignKey(OfferKind, on_delete=models.PROTECT, related_name="offers")
    note = models.CharField(_("note"), max_length=120, blank=True)

    objects = ScopedManager(union="place__union__path__startswith")
    published = OffersOfPublishedPlaces()

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(fields=["place", "kind"], name="place_offers_a_kind_once"),
        ]

    def __str__(self) -> str:
        return str(self.kind)
