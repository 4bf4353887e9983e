"""Who works at a merchant's counter, and what left it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff

from .redemptions import Redemption


class CounterPost(PubliclyIdentified, models.Model):
    """Binds a merchant's or cashier's post to one place: elsewhere it may do nothing. Who leaves is kept as gone."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="counters")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="counter_posts")
    is_active = models.BooleanField(pgettext_lazy("counter post", "active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("post at a counter")
        verbose_name_plural = _("posts at counters")
        constraints = [models.UniqueConstraint(fields=["staff", "place"], name="counter_post_once")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.place}"

    @property
    def dialog(self) -> str:
        """Name of its dialog on a page."""
        return f"leave-{self.public_id.hex}"


class Serving(models.Model):
    """The cashier has seen the ticket of a redemption: a second phone with the same picture comes too late."""

    redemption = models.OneToOneField(Redemption, on_delete=models.PROTECT, related_name="serving")
    served_at = models.DateTimeField(_("served at"))
    served_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")

    objects = ScopedManager(union="redemption__place__union__path__startswith")

    class Meta:
        verbose_name = _("serving")
        verbose_name_plural = _("servings")

    def __str__(self) -> str:
        return f"{self.served_at:%H:%M}"
