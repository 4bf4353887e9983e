"""One call offered to one rescuer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified

from .call import RescueCall
from .rescuer import Rescuer


class OfferState(models.TextChoices):
    """What became of an offer."""

    OPEN = "open", pgettext_lazy("offer", "waits for an answer")
    ACCEPTED = "accepted", pgettext_lazy("offer", "accepted")
    DECLINED = "declined", pgettext_lazy("offer", "declined")
    LAPSED = "lapsed", _("not answered in time")
    WITHDRAWN = "withdrawn", pgettext_lazy("offer", "taken back")
    GIVEN_BACK = "given_back", _("accepted, then given back")


class Offer(PubliclyIdentified, models.Model):
    """A call, offered to a rescuer until `expires_at`. Times are those of the database.

    A call reaches a rescuer at most once an attempt; a call that is reopened or re-assigned begins another attempt.
    """

    call = models.ForeignKey(RescueCall, on_delete=models.PROTECT, related_name="offers")
    rescuer = models.ForeignKey(Rescuer, on_delete=models.PROTECT, related_name="offers")
    attempt = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=OfferState, default=OfferState.OPEN)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    travel_s = models.PositiveIntegerField(_("seconds to get there"))

    objects = ScopedManager(union="call__union__path__startswith")

    class Meta:
        verbose_name = _("offer of a call")
        verbose_name_plural = _("offers of calls")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OfferState.values), name="offer_state_is_known"),
            models.UniqueConstraint(fields=["call"], condition=Q(state="accepted"), name="call_accepted_once"),
            models.UniqueConstraint(fields=["rescuer"], condition=Q(state="open"), name="rescuer_asked_one_thing"),
            models.UniqueConstraint(fields=["call", "rescuer", "attempt"], name="call_offered_once_to_each"),
            models.CheckConstraint(
                condition=Q(state="open", answered_at=None) | (~Q(state="open") & Q(answered_at__isnull=False)),
                name="offer_answered_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="offer_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.call} → {self.rescuer}"
