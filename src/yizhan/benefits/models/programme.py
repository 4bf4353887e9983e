"""What a programme is: who pays what for whom, when and how often."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Membership, Occupation, Staff, Union

from .guards import never_deleted

MINUTES_OF_A_DAY = 24 * 60
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


def every_day() -> list[int]:
    """Monday (1) to Sunday (7)."""
    return list(EVERY_DAY)


class ProgrammeKind(models.TextChoices):
    """What is funded. Every kind goes through the same engine; only words and pages differ."""

    MEAL = "meal", _("Meals")
    HEALTH_CHECK = "health_check", _("Health checks")
    RESCUE = "rescue", _("Roadside rescue")
    REPAIR = "repair", _("Repairs")
    INSURANCE = "insurance", _("Insurance")
    POWER_BANK = "power_bank", _("Power banks")
    OTHER = "other", _("Other benefit")


# Redeemed by the house itself, against evidence: at no counter, no plate, and by no programs of others.
PROVEN_KINDS = (ProgrammeKind.RESCUE,)


class ProgrammeState(models.TextChoices):
    """The life of a programme. Only `OPEN` ones redeem; `ENDED` is for good."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", pgettext_lazy("programme", "Open")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Allotment(models.TextChoices):
    """Who comes in when there are more workers than money."""

    FIRST_COME = "first_come", _("First come, first served")
    LOTTERY = "lottery", _("By lottery")


class Programme(PubliclyIdentified, models.Model):
    """惠骑餐厅九元餐 and the like: a funded benefit of a union.

    An empty list of occupations, companies, memberships or unions admits everyone. Quotas count redemptions of one
    worker (or of one place a day); None does not limit. Days are days in Shanghai. `revision` grows with every change.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="programmes", verbose_name=_("union"))
    kind = models.CharField(_("kind"), max_length=16, choices=ProgrammeKind, default=ProgrammeKind.MEAL)
    name = models.CharField(_("name"), max_length=80)
    summary = models.CharField(_("in one sentence"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=ProgrammeState, default=ProgrammeState.DRAFT)
    state_note = models.CharField(_("reason"), max_length=200, blank=True)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("weekdays"), default=every_day)
    occupations = ArrayField(
        models.CharField(max_length=16, choices=Occupation), verbose_name=_("occupations"), default=list, blank=True
    )
    companies = ArrayField(
        models.CharField(max_length=60), verbose_name=_("platform companies"), default=list, blank=True
    )
    memberships = ArrayField(
        models.CharField(max_length=8, choices=Membership), verbose_name=_("membership"), default=list, blank=True
    )
    unions = models.ManyToManyField(
        Union, related_name="+", blank=True, verbose_name=_("unions whose workers may take part")
    )
    quota_period = models.PositiveSmallIntegerField(_("most a worker a period"), null=True, blank=True)
    quota_day = models.PositiveSmallIntegerField(_("most a worker a day"), null=True, blank=True)
    quota_month = models.PositiveSmallIntegerField(_("most a worker a month"), null=True, blank=True)
    place_quota_day = models.PositiveIntegerField(_("most a merchant a day"), null=True, blank=True)
    allotment = models.CharField(_("who comes in"), max_length=12, choices=Allotment, default=Allotment.FIRST_COME)
    takes_paper = models.BooleanField(_("takes paper vouchers"), default=False)
    void_minutes = models.PositiveSmallIntegerField(
        _("minutes in which the counter may take a redemption back"), default=30
    )
    refund_days = models.PositiveSmallIntegerField(_("days in which staff may refund"), default=30)
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    # Only those of the acting union and below; raises outside of a scope.
    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        constraints = [
            models.UniqueConstraint(fields=["union", "name"], name="programme_is_named_once"),
            models.CheckConstraint(condition=~Q(name=""), name="programme_has_a_name"),
            models.CheckConstraint(condition=Q(kind__in=ProgrammeKind.values), name="programme_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=ProgrammeState.values), name="programme_state_is_known"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="programme_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=EVERY_DAY) & ~Q(weekdays=[]), name="programme_has_weekdays"
            ),
        ]
        triggers = [never_deleted("programme_stays", "OLD.state <> 'draft'")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("benefits:programme", args=[self.public_id])

    @property
    def is_open(self) -> bool:
        """Whether it redeems, dates and hours aside."""
        return self.state == ProgrammeState.OPEN


class Period(models.Model):
    """午餐 10:30-14:00: when in the day a programme redeems, in minutes after midnight in Shanghai, the end excluded.

    A period past midnight ends beyond 1440; what is redeemed in it belongs to the day on which it began. Periods of one
    programme don't overlap. A programme without periods redeems all day.
    """

    programme = models.ForeignKey(Programme, on_delete=models.CASCADE, related_name="periods")
    name = models.CharField(_("name"), max_length=20)
    starts_minute = models.PositiveSmallIntegerField(
        _("from"), validators=[MinValueValidator(0), MaxValueValidator(MINUTES_OF_A_DAY - 1)]
    )
    ends_minute = models.PositiveSmallIntegerField(
        _("until"), validators=[MinValueValidator(1), MaxValueValidator(2 * MINUTES_OF_A_DAY)]
    )

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ["starts_minute"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "name"], name="period_is_named_once"),
            models.CheckConstraint(
                condition=Q(starts_minute__lt=MINUTES_OF_A_DAY)
                & Q(ends_minute__gt=F("starts_minute"))
                & Q(ends_minute__lte=F("starts_minute") + MINUTES_OF_A_DAY),
                name="period_is_at_most_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hours(self) -> str:
        """`10:30-14:00`."""
        return f"{clock(self.starts_minute)}-{clock(self.ends_minute)}"


def clock(minute: int) -> str:
    """Minutes after midnight as people write them: 630 is `10:30`; the end of the day is `24:00`."""
    if minute == MINUTES_OF_A_DAY:
        return "24:00"
    return f"{minute % MINUTES_OF_A_DAY // 60:02}:{minute % 60:02}"
