"""Places in a programme given by lot, so that anyone can check the draw."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Worker

from .programme import Programme


class Lottery(PubliclyIdentified, models.Model):
    """One draw. The digest of the seed is published before anyone enters, the seed itself when it is drawn.

    Tickets are ranked by SHA-256 of seed and ticket number; the first `places` win, and may redeem from `valid_from` to
    `valid_until`, both included.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="lotteries")
    places = models.PositiveIntegerField(pgettext_lazy("lottery", "places"))
    valid_from = models.DateField(_("first day"))
    valid_until = models.DateField(_("last day"))
    closes_at = models.DateTimeField(_("entries until"))
    seed_digest = models.CharField(max_length=64)
    sealed_seed = EncryptedTextField(editable=False)  # hex; nobody reads it before the draw
    seed = models.CharField(_("seed"), max_length=64, blank=True)
    drawn_at = models.DateTimeField(_("drawn at"), null=True, blank=True)
    drawn_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = _("lottery")
        verbose_name_plural = _("lotteries")
        ordering = ["-valid_from", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(places__gte=1), name="lottery_has_places"),
            models.CheckConstraint(condition=Q(valid_until__gte=F("valid_from")), name="lottery_is_valid_for_a_day"),
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True, seed="") | (Q(drawn_at__isnull=False) & ~Q(seed="")),
                name="lottery_tells_its_seed_when_drawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.valid_from}"


class LotteryTicket(PubliclyIdentified, models.Model):
    """One worker's ticket; `rank` from 1 and `won` are set by the draw."""

    lottery = models.ForeignKey(Lottery, on_delete=models.PROTECT, related_name="tickets")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="lottery_tickets")
    entered_at = models.DateTimeField(auto_now_add=True)
    rank = models.PositiveIntegerField(null=True, blank=True)
    won = models.BooleanField(default=False)

    objects = ScopedManager(union="lottery__programme__union__path__startswith")

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [models.UniqueConstraint(fields=["lottery", "worker"], name="ticket_once_a_worker")]
        indexes = [models.Index(fields=["worker"], condition=Q(won=True), name="ticket_that_won")]

    def __str__(self) -> str:
        return str(self.public_id)
