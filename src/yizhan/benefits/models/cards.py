"""What redeeming needs of an offer, read as one row."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from .offers import BenefitOffer


def _numbers() -> Any:
    return ArrayField(models.BigIntegerField(), default=list)


def _integers() -> Any:
    return ArrayField(models.IntegerField(), default=list)


def _words() -> Any:
    return ArrayField(models.TextField(), default=list)


class OfferCard(models.Model):
    """An offer with its split, its programme and its budgets; derived, and never written from here.

    Triggers (`sql/0005_cards.sql`) write a card anew in the transaction that changes what it is made from, whoever
    redeems only reads it, and `verify_books` compares it. Measured: this look-up, as a join of eight tables, was a
    third of a redemption's work and most of its locks. Columns stand in the order in which
    `benefits_offer_facts` gives them.

    `accounts` give `fens`. `budgets` are charged in this order with `budget_fens`, each renewed every `spans`. `unions`
    are those for whose workers the programme is; empty: for all.
    """

    offer = models.OneToOneField(BenefitOffer, on_delete=models.CASCADE, primary_key=True, related_name="card")
    programme_id = models.BigIntegerField()
    owner_id = models.BigIntegerField()
    place_id = models.BigIntegerField()
    merchant_account_id = models.BigIntegerField()
    list_price_fen = models.IntegerField()
    worker_fen = models.IntegerField()
    merchant_fen = models.IntegerField()
    is_active = models.BooleanField()
    programme_is_open = models.BooleanField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    weekdays = ArrayField(models.SmallIntegerField(), default=list)
    occupations = _words()
    companies = _words()
    memberships = _words()
    is_drawn = models.BooleanField()
    takes_paper = models.BooleanField()
    quota_period = models.IntegerField(null=True)
    quota_day = models.IntegerField(null=True)
    quota_month = models.IntegerField(null=True)
    place_quota_day = models.IntegerField(null=True)
    unions = _numbers()
    periods = _numbers()
    period_starts = _integers()
    period_ends = _integers()
    accounts = _numbers()
    fens = _integers()
    budgets = _numbers()
    spans = _words()
    shards = ArrayField(models.SmallIntegerField(), default=list)
    budget_fens = _integers()

    objects = ScopedManager(union="offer__programme__union__path__startswith")

    class Meta:
        verbose_name = _("card of an offer")
        verbose_name_plural = _("cards of offers")

    def __str__(self) -> str:
        return f"{self.pk}"
