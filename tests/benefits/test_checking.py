"""The nightly reconciliation finds what does not agree; signals find what is odd and refuse nobody."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from tests.benefits.conftest import NOON, Kitchen
from tests.benefits.counter_people import WorkersPhone, at_counter
from tests.places.conftest import PlaceMaker
from yizhan.benefits.models import (
    BenefitOffer,
    CounterPost,
    Difference,
    DifferenceKind,
    DifferenceState,
    Redemption,
    Signal,
    SignalState,
)
from yizhan.benefits.queries.signals import limits_of
from yizhan.benefits.services import reconciliation, settlement
from yizhan.benefits.services.scanning import ScanRefused, redeem_scanned
from yizhan.benefits.services.signals import look_for_signals, review, set_signal_rules
from yizhan.benefits.services.taking_back import refund
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

LATER = NOON + timedelta(days=4)


def _sql(text: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def _kinds(state: DifferenceState = DifferenceState.OPEN) -> set[str]:
    return set(Difference.objects.with_scopes_disabled().filter(state=state).values_list("kind", flat=True))


def _signals() -> dict[str, int]:
    return dict(Signal.objects.with_scopes_disabled().values_list("kind", "figure"))


@pytest.fixture
def cashier(kitchen: Kitchen) -> Staff:
    post = kitchen.post(kitchen.tree.zhongyuan, Role.CASHIER)
    CounterPost.objects.create(staff=post, place=kitchen.place)
    return post


@pytest.fixture
def settled(kitchen: Kitchen, offer: BenefitOffer) -> list[Redemption]:
    meals = [kitchen.eat(offer, kitchen.worker()).redemption() for _meal in range(3)]
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NOON + timedelta(hours=9))
    return meals


def test_what_agrees_gives_no_difference_also_with_refunds_before_and_after_the_cut_off(
    kitchen: Kitchen, offer: BenefitOffer, settled: list[Redemption]
) -> None:
    refund(kitchen.eat(offer, kitchen.worker()).redemption(), actor=OPERATOR, reason="退")
    refund(settled[0], actor=OPERATOR, reason="退")
    kitchen.eat(offer, kitchen.worker())
    made = reconciliation.reconcile(kitchen.tree.zhongyuan, at=NOON + timedelta(days=30) - timedelta(days=30))
    assert made.differences == 0
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NOON + timedelta(hours=10))
    made = reconciliation.reconcile(kitchen.tree.zhongyuan, at=LATER)
    assert (made.redeemed_fen, made.booked_fen, made.settled_fen, made.unsettled_fen) == (1200, 1200, 1200, 0)
    assert _kinds() == set()


@pytest.mark.parametrize(
    ("falsified", "kinds"),
    [
        ("UPDATE benefits_redemption SET funded_fen = 500, worker_fen = 800 WHERE id = %s",
         {DifferenceKind.SHARES_DIFFER, DifferenceKind.SETTLED_OTHERWISE}),
        ("UPDATE benefits_redemption SET list_price_fen = 1600, merchant_fen = 300 WHERE id = %s",
         {DifferenceKind.NOT_BOOKED}),
        ("UPDATE benefits_redemption SET state = 'voided', ended_at = now() - interval '9 days' WHERE id = %s",
         {DifferenceKind.BOOKED_WITHOUT, DifferenceKind.NOT_CORRECTED}),
    ],
)  # fmt: skip
def test_what_was_falsified_is_found_kept_once_and_gone_when_put_right(
    kitchen: Kitchen, settled: list[Redemption], falsified: str, kinds: set[str]
) -> None:
    union, meal = kitchen.tree.zhongyuan, settled[1]
    _sql(falsified, meal.pk)
    for night in range(2):
        reconciliation.reconcile(union, at=LATER + timedelta(days=night))
    assert _kinds() == kinds
    assert Difference.objects.with_scopes_disabled().count() == len(kinds)
    found = Difference.objects.with_scopes_disabled().first()
    reconciliation.resolve(found, actor=OPERATOR, reason="已查明")
    with pytest.raises(RuleBroken):
        reconciliation.resolve(found, actor=OPERATOR, reason="再来")
    _sql(
        "UPDATE benefits_redemption SET list_price_fen = 1500, worker_fen = 900, merchant_fen = 200, funded_fen = 400, "
        "state = 'redeemed', ended_at = NULL WHERE id = %s",
        meal.pk,
    )
    reconciliation.reconcile(union, at=LATER + timedelta(days=3))
    assert _kinds() == set()
    assert _kinds(DifferenceState.GONE) == kinds


def test_what_no_cut_off_took_is_a_difference_after_a_day_and_a_half(kitchen: Kitchen, offer: BenefitOffer) -> None:
    meal = kitchen.eat(offer, kitchen.worker()).redemption()
    reconciliation.reconcile(kitchen.tree.zhongyuan, at=meal.recorded_at + timedelta(hours=30))
    assert _kinds() == set()
    reconciliation.reconcile(kitchen.tree.zhongyuan, at=max(meal.recorded_at, meal.redeemed_at) + timedelta(hours=37))
    assert _kinds() == {DifferenceKind.NOT_SETTLED}


def test_a_neighbour_neither_compares_nor_resolves(kitchen: Kitchen, settled: list[Redemption]) -> None:
    neighbour = kitchen.post(kitchen.tree.jinshui, Role.FINANCE)
    with pytest.raises(NotAllowed):
        reconciliation.reconcile(kitchen.tree.zhongyuan, actor=neighbour)


def test_the_same_worker_and_cashier_too_often(kitchen: Kitchen, offer: BenefitOffer, cashier: Staff) -> None:
    rider = kitchen.worker()
    for day in range(7):
        kitchen.eat(offer, rider, at=NOON - timedelta(days=day), actor=cashier, device=f"d{day}")
    assert look_for_signals(kitchen.tree.zhongyuan, day=NOON.date()) == 1
    assert _signals() == {"pair": 7}
    assert look_for_signals(kitchen.tree.zhongyuan, day=NOON.date()) == 0


def test_faster_than_food_is_served(kitchen: Kitchen, offer: BenefitOffer, cashier: Staff) -> None:
    for meal in range(6):
        kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(seconds=4 * meal), actor=cashier)
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(minutes=5), actor=cashier)
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    assert _signals() == {"fast": 6}


def test_a_phone_far_from_the_counter_and_one_that_says_nothing(kitchen: Kitchen, offer: BenefitOffer) -> None:
    kitchen.eat(offer, kitchen.worker(), distance_m=2_300)
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(minutes=9), distance_m=80)
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(minutes=19))
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    assert _signals() == {"far": 2_300}


def test_a_burst_before_midnight(kitchen: Kitchen, offer: BenefitOffer) -> None:
    late = NOON.replace(hour=23, minute=35)
    for meal in range(11):
        kitchen.eat(offer, kitchen.worker(), at=late + timedelta(minutes=2 * meal))
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    assert _signals() == {"midnight": 11}


def test_one_worker_at_two_places(kitchen: Kitchen, offer: BenefitOffer, make_place: PlaceMaker) -> None:
    other = kitchen.offer(offer.programme, place=make_place(kitchen.tree.zhongyuan, kind="restaurant"), opened=False)
    rider = kitchen.worker()
    kitchen.eat(offer, rider)
    kitchen.eat(other, rider, at=NOON + timedelta(minutes=6))
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    assert _signals() == {"two_places": 6}


def test_a_code_that_redeemed_and_was_refused_elsewhere(
    kitchen: Kitchen, offer: BenefitOffer, make_place: PlaceMaker
) -> None:
    other = kitchen.offer(offer.programme, place=make_place(kitchen.tree.zhongyuan, kind="restaurant"), opened=False)
    shown = WorkersPhone.of(kitchen.worker(), NOON).code(NOON)
    for meal, later in ((offer, 0), (other, 6)):
        scan = {"text": shown, "request_id": uuid4(), "device": "phone-0001", "at": NOON + timedelta(seconds=later)}
        cashier = at_counter(meal.place)
        with nullcontext() if meal is offer else pytest.raises(ScanRefused, match="code_used"):
            redeem_scanned(cashier=cashier, place=meal.place, offer=meal.public_id, **scan)
    assert look_for_signals(kitchen.tree.zhongyuan, day=NOON.date()) == 1
    signal = Signal.objects.with_scopes_disabled().get()
    assert (signal.kind, signal.place, signal.other_place) == ("two_places", other.place, offer.place)
    assert look_for_signals(kitchen.tree.zhongyuan, day=NOON.date()) == 0


def test_limits_come_from_above_until_a_union_says_its_own(kitchen: Kitchen, offer: BenefitOffer) -> None:
    tree = kitchen.tree
    set_signal_rules(tree.zhengzhou, {"far_metres": 100}, actor=OPERATOR)
    assert limits_of(tree.shifo)["far_metres"] == 100
    set_signal_rules(tree.zhongyuan, {"far_metres": 900}, actor=OPERATOR)
    assert (limits_of(tree.shifo)["far_metres"], limits_of(tree.jinshui)["far_metres"]) == (900, 100)
    kitchen.eat(offer, kitchen.worker(), distance_m=700)
    assert look_for_signals(tree.zhongyuan, day=NOON.date()) == 0
    with pytest.raises(RuleBroken):
        set_signal_rules(tree.zhongyuan, {"far_metres": 3}, actor=OPERATOR)


def test_the_outcome_of_a_review_is_kept_and_a_neighbour_gives_none(kitchen: Kitchen, offer: BenefitOffer) -> None:
    kitchen.eat(offer, kitchen.worker(), distance_m=2_300)
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    signal = Signal.objects.with_scopes_disabled().get()
    with pytest.raises(NotAllowed):
        review(signal, actor=kitchen.post(kitchen.tree.jinshui, Role.FINANCE), misuse=True, words="看")
    with pytest.raises(RuleBroken):
        review(signal, actor=OPERATOR, misuse=False, words=" ")
    assert review(signal, actor=OPERATOR, misuse=False, words="定位漂移").state == SignalState.FINE
    look_for_signals(kitchen.tree.zhongyuan, day=NOON.date())
    assert Signal.objects.with_scopes_disabled().get().words == "定位漂移"
