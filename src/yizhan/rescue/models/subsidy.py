"""What a union pays for a rescue: the terms of a programme, and what became of each finished call."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.benefits.models import Programme, Redemption
from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Worker

from .call import RescueCall
from .problem import Problem
from .rescuer import Rescuer

PROOF_RADIUS_M: Final = (50, 5_000)


class SubsidyTerms(PubliclyIdentified, models.Model):
    """What a programme of kind rescue pays for one rescue, for what, and how near the rescuer must have been.

    Budgets, days, who may take part and how often stand in the programme itself, as those of any other.
    """

    programme = models.OneToOneField(
        Programme, on_delete=models.PROTECT, related_name="rescue_terms", verbose_name=_("programme")
    )
    amount_fen = models.PositiveIntegerField(_("amount for one rescue"))
    problems = ArrayField(
        models.CharField(max_length=12, choices=Problem), verbose_name=_("for what"), default=list, blank=True
    )
    proof_radius_m = models.PositiveIntegerField(
        _("how far from the rider the rescuer may have been, metres"),
        default=500,
        validators=[MinValueValidator(PROOF_RADIUS_M[0]), MaxValueValidator(PROOF_RADIUS_M[1])],
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = _("terms of a rescue subsidy")
        verbose_name_plural = _("terms of rescue subsidies")
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="subsidy_terms_pay_something"),
            models.CheckConstraint(condition=Q(proof_radius_m__range=PROOF_RADIUS_M), name="subsidy_terms_radius"),
        ]

    def __str__(self) -> str:
        return str(self.programme)

    def get_absolute_url(self) -> str:
        return reverse("rescue:subsidy_terms", args=[self.public_id])

    def covers(self, problem: str) -> bool:
        """Whether they pay for what was broken."""
        return not self.problems or problem in self.problems


class SubsidyState(models.TextChoices):
    """Where the subsidy of a finished call stands."""

    WAITING = "waiting", _("Waits for the rider's word")
    DUE = "due", _("About to be paid")
    REFUSED = "refused", _("Not paid yet")
    PAID = "paid", pgettext_lazy("subsidy", "Paid")
    DROPPED = "dropped", pgettext_lazy("subsidy", "Taken back")


class Subsidy(PubliclyIdentified, models.Model):
    """The subsidy of one finish of a call. Opened again and finished again, a call gets another row, another `turn`.

    A call has at most one that is paid, as the database sees to. What was paid is the redemption: its state, its
    entries and its lines on statements are the truth about money; `reason` says why nothing was paid.
    """

    call = models.ForeignKey(RescueCall, on_delete=models.PROTECT, related_name="subsidies")
    turn = models.PositiveSmallIntegerField()
    rescuer = models.ForeignKey(Rescuer, on_delete=models.PROTECT, related_name="subsidies")
    state = models.CharField(_("state"), max_length=8, choices=SubsidyState, default=SubsidyState.WAITING)
    reason = models.CharField(_("why not"), max_length=24, blank=True, default="")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    redemption = models.OneToOneField(
        Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="rescue_subsidy"
    )
    distance_m = models.PositiveIntegerField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(_("since"))
    tried_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    tried_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScopedManager(union="call__union__path__startswith")

    class Meta:
        verbose_name = _("rescue subsidy")
        verbose_name_plural = _("rescue subsidies")
        indexes = [
            models.Index(fields=["made_at"], name="subsidy_due", condition=Q(state="due")),
            models.Index(fields=["-made_at"], name="subsidy_newest"),
            models.Index(fields=["rescuer", "-made_at"], name="subsidy_of_rescuer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SubsidyState.values), name="subsidy_state_is_known"),
            models.UniqueConstraint(fields=["call", "turn"], name="subsidy_once_a_finish"),
            models.UniqueConstraint(fields=["call"], condition=Q(state="paid"), name="subsidy_paid_once_a_call"),
            models.UniqueConstraint(fields=["call"], condition=~Q(state="dropped"), name="subsidy_open_once_a_call"),
            models.CheckConstraint(
                condition=Q(state="paid", redemption__isnull=False, reason="")
                | Q(state__in=["waiting", "due"], redemption=None)
                | (Q(state="refused", redemption=None) & ~Q(reason=""))
                | (Q(state="dropped", ended_at__isnull=False) & ~Q(reason="")),
                name="subsidy_is_what_it_says",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
