"""How much may be spent, kept in shares so that thousands can spend from one budget at once."""

from __future__ import annotations

from datetime import date
from typing import Final

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union

from .ledger import Account
from .programme import Programme

# The bucket of a budget that is not renewed.
WHOLE: Final = date(2000, 1, 1)
SHARDS: Final = 32


class Span(models.TextChoices):
    """How often a budget begins anew."""

    TOTAL = "total", _("In all")
    MONTH = "month", _("A month")
    DAY = "day", _("A day")


class Budget(PubliclyIdentified, models.Model):
    """A cap in fen on what one account (a union, platform or sponsor) gives: to one programme, or to all (None).

    `union` is whose budget it is: who may change it.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="budgets")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="budgets")
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="budgets", verbose_name=_("programme")
    )
    span = models.CharField(_("renewed"), max_length=8, choices=Span, default=Span.TOTAL)
    cap_fen = models.BigIntegerField(_("cap"))
    shards = models.PositiveSmallIntegerField(default=SHARDS)
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "programme", "span"], nulls_distinct=False, name="budget_once_a_span"
            ),
            models.CheckConstraint(condition=Q(cap_fen__gte=0), name="budget_cap_is_not_negative"),
            models.CheckConstraint(condition=Q(shards__gte=1), name="budget_has_a_shard"),
            models.CheckConstraint(condition=Q(span__in=Span.values), name="budget_span_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.account} · {self.programme or '*'} · {self.get_span_display()}"


class BudgetShard(models.Model):
    """One share of a budget in one bucket (a day, the first of a month, or `WHOLE`).

    The database holds `0 <= spent <= allotted` for each shard and `sum(allotted) <= cap` for the bucket: together they
    say that the cap cannot be passed by a fen.
    """

    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="shard_rows")
    bucket = models.DateField()
    shard = models.SmallIntegerField()
    allotted_fen = models.BigIntegerField()
    spent_fen = models.BigIntegerField(default=0, db_default=0)

    objects = ScopedManager(union="budget__union__path__startswith")

    class Meta:
        verbose_name = _("share of a budget")
        verbose_name_plural = _("shares of budgets")
        constraints = [
            models.UniqueConstraint(fields=["budget", "bucket", "shard"], name="shard_once"),
            models.CheckConstraint(
                condition=Q(spent_fen__gte=0, spent_fen__lte=F("allotted_fen")), name="shard_spends_what_it_has"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="shards_stay_below_the_cap",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("allotted_fen"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                func="PERFORM benefits_check_cap(NEW.budget_id, NEW.bucket); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.bucket} {self.shard}"


class PlaceDay(models.Model):
    """How often a programme was redeemed at one place on one day; kept only where the programme limits it."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = _("day of a merchant")
        verbose_name_plural = _("days of merchants")
        constraints = [models.UniqueConstraint(fields=["programme", "place", "day"], name="place_day_once")]

    def __str__(self) -> str:
        return f"{self.place_id} {self.day}"
