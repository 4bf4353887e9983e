"""Signals of possible misuse: a list for people to look into. No signal ever refuses a meal."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, User, Worker

from .guards import never_deleted
from .moves import only_moves


class SignalKind(models.TextChoices):
    """What looks odd."""

    PAIR = "pair", _("The same worker and cashier too often")
    FAST = "fast", _("Redeemed faster than food is served")
    FAR = "far", _("The worker's phone was far from the counter")
    MIDNIGHT = "midnight", _("A burst before midnight")
    TWO_PLACES = "two_places", _("One code or worker at two places")


class SignalState(models.TextChoices):
    """What the review found."""

    OPEN = "open", _("To be looked into")
    FINE = "fine", _("Looked into: fine")
    MISUSE = "misuse", _("Looked into: misuse")


class Signal(PubliclyIdentified, models.Model):
    """One thing to look into. `figure` is what was counted or measured, `limit` what the union allows."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(pgettext_lazy("signal", "what"), max_length=12, choices=SignalKind)
    key = models.CharField(max_length=80)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", verbose_name=_("merchant"))
    other_place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cashier = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    figure = models.PositiveIntegerField(_("found"))
    limit = models.PositiveIntegerField(_("allowed"))
    state = models.CharField(_("state"), max_length=8, choices=SignalState, default=SignalState.OPEN)
    found_at = models.DateTimeField(_("found at"))
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(_("looked into at"), null=True, blank=True)
    words = models.CharField(_("what the review found"), max_length=300, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("signal")
        verbose_name_plural = _("signals")
        indexes = [models.Index(fields=["union", "state", "-until"], name="signal_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["union", "kind", "key"], name="signal_told_once"),
            models.CheckConstraint(condition=Q(kind__in=SignalKind.values), name="signal_kind_is_known"),
            models.CheckConstraint(
                condition=Q(state="open", reviewed_at__isnull=True)
                | (Q(state__in=["fine", "misuse"], reviewed_at__isnull=False) & ~Q(words="")),
                name="signal_reviewed_in_words",
            ),
        ]
        triggers = [
            only_moves("signal", {"open": ["fine", "misuse"], "fine": ["misuse"], "misuse": ["fine"]}),
            never_deleted("signal_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.place}"


# What a union may set: (least, most, default).
SIGNAL_LIMITS: Final[dict[str, tuple[int, int, int]]] = {
    "pair_a_week": (2, 100, 6),
    "least_seconds": (1, 600, 20),
    "fast_in_a_row": (2, 100, 5),
    "far_metres": (50, 100_000, 500),
    "midnight_minutes": (5, 180, 30),
    "midnight_count": (2, 1000, 10),
    "two_places_minutes": (1, 240, 15),
}


class SignalRules(models.Model):
    """From where on something is a signal, by union. What is empty comes from the nearest union above that says it."""

    union = models.OneToOneField(Union, on_delete=models.PROTECT, related_name="signal_rules")
    pair_a_week = models.PositiveIntegerField(_("same worker and cashier, times in seven days"), null=True, blank=True)
    least_seconds = models.PositiveIntegerField(_("seconds that serving one meal takes"), null=True, blank=True)
    fast_in_a_row = models.PositiveIntegerField(
        _("… and so many redemptions faster, one after another"), null=True, blank=True
    )
    far_metres = models.PositiveIntegerField(_("metres between phone and counter"), null=True, blank=True)
    midnight_minutes = models.PositiveIntegerField(_("minutes before midnight"), null=True, blank=True)
    midnight_count = models.PositiveIntegerField(_("… and so many redemptions at one counter"), null=True, blank=True)
    two_places_minutes = models.PositiveIntegerField(_("minutes between two places"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("limits of signals")
        verbose_name_plural = _("limits of signals")
        constraints = [
            models.CheckConstraint(
                condition=Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__range": (least, most)}),
                name=f"signal_rules_{field}",
            )
            for field, (least, most, _default) in SIGNAL_LIMITS.items()
        ]

    def __str__(self) -> str:
        return str(self.union)
