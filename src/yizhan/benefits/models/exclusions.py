"""Workers who may not redeem, why, and what they say to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker

from .programme import Programme


class AppealState(models.TextChoices):
    """What became of a worker's appeal."""

    NONE = "none", _("No appeal")
    WAITING = "waiting", _("Appeal waits for an answer")
    GRANTED = "granted", _("Appeal granted")
    REFUSED = "refused", _("Appeal refused")


class Exclusion(PubliclyIdentified, models.Model):
    """A worker kept from one programme, or from all of a union and below (`programme` None), with a reason.

    The worker reads the reason and may appeal once. It holds from `since` until `until` (None: until it is lifted).
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="exclusions")
    reason = models.CharField(_("reason"), max_length=200)
    since = models.DateTimeField(pgettext_lazy("exclusion", "since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    excluded_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    appeal_state = models.CharField(max_length=8, choices=AppealState, default=AppealState.NONE)
    appeal = models.CharField(_("appeal"), max_length=500, blank=True)
    appealed_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        indexes = [models.Index(fields=["worker"], condition=Q(lifted_at__isnull=True), name="exclusion_in_force")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="exclusion_has_a_reason"),
            models.CheckConstraint(
                condition=Q(appeal_state="none", appealed_at__isnull=True) | Q(appealed_at__isnull=False),
                name="exclusion_appeal_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(appeal_state__in=["none", "waiting"], answered_at__isnull=True)
                | Q(appeal_state__in=["granted", "refused"], answered_at__isnull=False),
                name="exclusion_answer_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.worker} {self.since:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("benefits:exclusion", args=[self.public_id])
