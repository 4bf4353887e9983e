"""Cards of offers follow what they are made from, whoever changes it and however."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.forms.models import model_to_dict

from tests.benefits.conftest import Kitchen
from yizhan.benefits.books import verify_books
from yizhan.benefits.models import BenefitOffer, OfferCard, OfferShare, Period, Programme, Span
from yizhan.benefits.services.budgets import stop_budget
from yizhan.unions.rights import OPERATOR

pytestmark = pytest.mark.django_db


def card_of(offer: BenefitOffer) -> OfferCard:
    found: OfferCard = OfferCard.objects.with_scopes_disabled().get(pk=offer.pk)
    return found


def test_a_card_says_what_its_offer_programme_and_budgets_say(kitchen: Kitchen, offer: BenefitOffer) -> None:
    whole = kitchen.budget(offer, 10_000)
    daily = kitchen.budget(offer, 1_000, span=Span.DAY, shards=3)

    card = card_of(offer)

    assert (card.list_price_fen, card.worker_fen, card.merchant_fen) == (1500, 900, 200)
    assert sorted(card.fens) == [200, 400, 900]
    assert (card.budgets, card.spans, card.budget_fens) == ([whole.pk, daily.pk], ["total", "day"], [400, 400])
    assert card.shards == [whole.shards, 3]
    assert card.programme_is_open
    assert not verify_books().problems


CHANGES: dict[str, Callable[[Kitchen, BenefitOffer], object]] = {
    "programme": lambda kitchen, offer: _programmes().update(state="paused", quota_day=2, ends_on=date(2026, 12, 1)),
    "period": lambda kitchen, offer: Period.objects.with_scopes_disabled().create(
        programme=offer.programme, name="午餐", starts_minute=660, ends_minute=840
    ),
    "union": lambda kitchen, offer: offer.programme.unions.add(kitchen.tree.shifo),
    "offer": lambda kitchen, offer: BenefitOffer.objects.with_scopes_disabled().update(is_active=False),
    "budget": lambda kitchen, offer: kitchen.budget(offer, 5_000, span=Span.MONTH),
}


def _programmes() -> QuerySet[Programme]:
    rows: QuerySet[Programme] = Programme.objects.with_scopes_disabled()
    return rows


@pytest.mark.parametrize("what", CHANGES)
def test_a_card_follows_every_change(kitchen: Kitchen, offer: BenefitOffer, what: str) -> None:
    before = model_to_dict(card_of(offer))

    CHANGES[what](kitchen, offer)

    assert model_to_dict(card_of(offer)) != before
    assert not verify_books().problems


def test_a_card_follows_what_goes_away(kitchen: Kitchen, offer: BenefitOffer) -> None:
    budget = kitchen.budget(offer, 5_000)
    offer.programme.unions.add(kitchen.tree.shifo)

    stop_budget(budget, actor=OPERATOR)
    offer.programme.unions.clear()

    card = card_of(offer)
    assert (card.budgets, card.unions) == ([], [])


def test_a_card_that_is_not_as_its_offer_is_found(offer: BenefitOffer) -> None:
    OfferCard.objects.with_scopes_disabled().filter(pk=offer.pk).update(quota_day=99)

    assert any("card" in problem for problem in verify_books().problems)


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_leave_no_card_without_the_other(kitchen: Kitchen, offer: BenefitOffer) -> None:

    def close_the_offer() -> None:
        try:
            BenefitOffer.objects.with_scopes_disabled().filter(pk=offer.pk).update(is_active=False)
        finally:
            connection.close()

    with ThreadPoolExecutor() as others:
        with transaction.atomic():
            _programmes().filter(pk=offer.programme_id).update(quota_day=1)
            closing = others.submit(close_the_offer)
            with pytest.raises(TimeoutError):
                closing.result(0.3)  # it waits for us
            OfferShare.objects.with_scopes_disabled().filter(offer=offer).update(party=F("party"))
        closing.result(20)

    card = card_of(offer)
    assert (card.quota_day, card.is_active) == (1, False)
    assert not verify_books().problems
