"""The plate at the door: its code, and how often it is scanned."""

from __future__ import annotations

import secrets

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from .place import Place

# Without letters and digits that look alike, since people also type a plate's address.
CODE_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 8  # 31^8 = 8.5 · 10^11: nobody finds plates by trying


def new_code() -> str:
    """A random code for a plate."""
    return "".join(secrets.choice(CODE_LETTERS) for _n in range(CODE_LENGTH))


class Plate(models.Model):
    """The stable code of a place, as printed beside its door."""

    place = models.OneToOneField(Place, on_delete=models.PROTECT, related_name="plate")
    code = models.CharField(_("code"), max_length=CODE_LENGTH, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("plate")
        verbose_name_plural = _("plates")

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("places:plate_scanned", args=[self.code])


class PlateVisits(models.Model):
    """How often a plate was scanned on one day in Shanghai. Nothing is known of who did."""

    plate = models.ForeignKey(Plate, on_delete=models.PROTECT, related_name="visits")
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(pgettext_lazy("plate", "visits"))

    objects = ScopedManager(union="plate__place__union__path__startswith")

    class Meta:
        verbose_name = _("visits by plate")
        verbose_name_plural = _("visits by plate")
        constraints = [models.UniqueConstraint(fields=["plate", "day"], name="plate_visits_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.count}"
