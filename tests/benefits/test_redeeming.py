"""Redeeming: rules, quotas, budgets, and one request counted once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from tests.benefits.conftest import NOON, Kitchen, books, counted, spent
from tests.places.conftest import PlaceMaker, shanghai
from yizhan.benefits.models import (
    BenefitOffer,
    Channel,
    Entry,
    LedgerTransaction,
    OfferShare,
    PartyKind,
    ProgrammeState,
    Redemption,
    RedemptionState,
    Span,
)
from yizhan.benefits.refusals import CODES, Refused
from yizhan.benefits.services.budgets import set_budget, stop_budget
from yizhan.benefits.services.exclusions import exclude, lift
from yizhan.benefits.services.offers import set_offer_active
from yizhan.benefits.services.programmes import PeriodFacts, step_programme
from yizhan.benefits.services.redeeming import why_not
from yizhan.benefits.split import Part
from yizhan.places.services import withdraw_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Membership, Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

LUNCH, SUPPER = PeriodFacts("午餐", 630, 870), PeriodFacts("夜宵", 1260, 1560)


def refusal(kitchen: Kitchen, offer: BenefitOffer, worker: Worker | None, **how: Any) -> str:
    """The code with which a redemption is refused; asking first says the same."""
    at = how.get("at", NOON)
    asked = why_not(offer=offer, worker=worker, at=at)
    with pytest.raises(Refused) as refused:
        kitchen.eat(offer, worker, **how)
    assert asked is not None
    assert asked.code == refused.value.code
    return refused.value.code


def test_every_party_gives_its_share_and_the_merchant_is_owed_the_list_price(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    receipt = kitchen.eat(offer, rider)
    assert (receipt.list_price_fen, receipt.worker_fen, receipt.merchant_fen, receipt.funded_fen) == (
        1500,
        900,
        200,
        400,
    )
    assert books() == {"worker_share": -900, "union": -400, "merchant_share": -200, "merchant": 1500}
    row = receipt.redemption()
    assert (row.state, row.day, row.worker, row.union) == (
        "redeemed",
        date(2026, 11, 24),
        rider,
        kitchen.tree.zhongyuan,
    )


def test_a_repeated_request_gets_the_first_answer_whatever_the_rules_say_by_now(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    request = uuid4()
    first = kitchen.eat(offer, rider, request_id=request)
    step_programme(offer.programme, ProgrammeState.PAUSED, actor=OPERATOR, reason="盘点")
    again = kitchen.eat(offer, rider, request_id=request)
    assert again.repeated
    assert again.public_id == first.public_id
    assert counted() == (1, 1)


def test_the_same_request_id_on_another_device_is_another_request(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    request = uuid4()
    kitchen.eat(offer, rider, request_id=request)
    assert not kitchen.eat(offer, rider, request_id=request, device="counter-2").repeated


def test_a_request_id_of_another_redemption_is_refused(kitchen: Kitchen, offer: BenefitOffer, rider: Worker) -> None:
    request = uuid4()
    kitchen.eat(offer, rider, request_id=request)
    with pytest.raises(Refused) as refused:
        kitchen.eat(offer, kitchen.worker(), request_id=request)
    assert refused.value.code == "request_reused"


def test_a_refusal_does_not_use_the_request_id_up(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(opened=False)
    request = uuid4()
    with pytest.raises(Refused):
        kitchen.eat(offer, rider, request_id=request)
    step_programme(offer.programme, ProgrammeState.OPEN, actor=OPERATOR)
    assert not kitchen.eat(offer, rider, request_id=request).repeated


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"starts_on": date(2026, 11, 25)}, "before_start"),
        ({"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 25), "weekdays": [1, 3]}, "wrong_weekday"),
        ({"periods": [SUPPER]}, "outside_periods"),
        ({"occupations": ["courier"]}, "occupation"),
        ({"companies": ["某外卖平台"]}, "company"),
        ({"memberships": [Membership.MEMBER]}, "membership"),
        ({"allotment": "lottery"}, "not_drawn"),
    ],
)
def test_each_rule_refuses_by_its_own_name(kitchen: Kitchen, rider: Worker, facts: dict[str, Any], code: str) -> None:
    assert refusal(kitchen, kitchen.offer(**facts), rider) == code


def test_a_programme_is_over_after_its_last_day(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(ends_on=date(2026, 12, 1))
    assert refusal(kitchen, offer, rider, at=shanghai(2026, 12, 2, 0, 0)) == "after_end"
    kitchen.eat(offer, rider, at=shanghai(2026, 12, 1, 23, 59))


def test_what_is_not_on_offer_is_refused(kitchen: Kitchen, offer: BenefitOffer, rider: Worker) -> None:
    set_offer_active(offer, is_active=False, actor=OPERATOR)
    assert refusal(kitchen, offer, rider) == "offer_not_available"
    set_offer_active(offer, is_active=True, actor=OPERATOR)
    withdraw_place(offer.place, actor=OPERATOR, reason="装修")
    assert refusal(kitchen, offer, rider) == "place_not_open"
    step_programme(offer.programme, ProgrammeState.ENDED, actor=OPERATOR, reason="结束")
    assert refusal(kitchen, offer, rider) == "programme_not_open"


def test_only_workers_of_the_named_unions_and_below_are_let_in(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(unions=[kitchen.tree.jinshui, kitchen.tree.zhongyuan])
    kitchen.eat(offer, rider)
    assert refusal(kitchen, offer, kitchen.worker(kitchen.tree.shenzhen)) == "union"
    assert refusal(kitchen, offer, kitchen.worker()) == "union"


def test_a_period_past_midnight_counts_for_the_day_on_which_it_began(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(periods=[LUNCH, SUPPER], quota_period=1, quota_day=2)
    assert kitchen.eat(offer, rider, at=shanghai(2026, 11, 24, 23, 0)).day == date(2026, 11, 24)
    assert refusal(kitchen, offer, rider, at=shanghai(2026, 11, 25, 1, 59)) == "quota_period"
    assert refusal(kitchen, offer, rider, at=shanghai(2026, 11, 25, 2, 0)) == "outside_periods"
    assert kitchen.eat(offer, rider, at=shanghai(2026, 11, 25, 12, 0)).day == date(2026, 11, 25)


def test_quotas_count_by_period_day_and_month(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(periods=[LUNCH, SUPPER], quota_period=1, quota_day=2, quota_month=3)
    kitchen.eat(offer, rider)
    assert refusal(kitchen, offer, rider) == "quota_period"
    kitchen.eat(offer, rider, at=shanghai(2026, 11, 24, 22, 0))
    kitchen.eat(offer, rider, at=shanghai(2026, 11, 25, 12, 0))
    assert refusal(kitchen, offer, rider, at=shanghai(2026, 11, 26, 12, 0)) == "quota_month"
    kitchen.eat(offer, rider, at=shanghai(2026, 12, 1, 12, 0))
    kitchen.eat(offer, kitchen.worker())


def test_a_merchant_serves_no_more_a_day_than_the_programme_allows(kitchen: Kitchen, make_place: PlaceMaker) -> None:
    offer = kitchen.offer(place_quota_day=2)
    other = kitchen.offer(offer.programme, place=make_place(kitchen.tree.zhongyuan, name="另一家"), opened=False)
    kitchen.eat(offer, kitchen.worker())
    kitchen.eat(offer, kitchen.worker())
    assert refusal(kitchen, offer, kitchen.worker()) == "place_quota"
    kitchen.eat(other, kitchen.worker())
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(days=1))


def test_the_last_affordable_meal_can_be_had_and_not_one_more(kitchen: Kitchen, offer: BenefitOffer) -> None:
    budget = kitchen.budget(offer, 400 * 7 + 399, shards=5)
    for _meal in range(7):
        kitchen.eat(offer, kitchen.worker())
    assert refusal(kitchen, offer, kitchen.worker()) == "budget"
    assert spent(budget) == 2800
    assert books()["union"] == -2800


def test_one_shard_alone_and_more_shards_than_fen_work_too(kitchen: Kitchen) -> None:
    for shards in (1, 64):
        offer = kitchen.offer(parts=None)
        kitchen.budget(offer, 800, shards=shards)
        kitchen.eat(offer, kitchen.worker())
        kitchen.eat(offer, kitchen.worker())
        assert refusal(kitchen, offer, kitchen.worker()) == "budget"


def test_every_budget_of_every_funding_union_is_charged_or_none(kitchen: Kitchen) -> None:
    programme = kitchen.programme()
    parts = [
        Part(PartyKind.WORKER, 100),
        Part(PartyKind.UNION, None, union=kitchen.tree.zhongyuan),
        Part(PartyKind.UNION, 300, union=kitchen.tree.zhengzhou),
        Part(PartyKind.SPONSOR, 50, name="某粮油公司"),
    ]
    offer = kitchen.offer(programme, parts=parts, price=1000)
    own = kitchen.budget(offer, 5500)
    city = kitchen.budget(offer, 600, union=kitchen.tree.zhengzhou)
    daily = kitchen.budget(offer, 300, union=kitchen.tree.zhengzhou, span=Span.DAY)
    kitchen.eat(offer, kitchen.worker())
    assert refusal(kitchen, offer, kitchen.worker()) == "budget"
    assert (spent(own), spent(city), spent(daily)) == (550, 300, 300)
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(days=1))
    assert (spent(own), spent(city), spent(daily)) == (1100, 600, 600)
    assert books() == {"worker_share": -200, "union": -1700, "sponsor": -100, "merchant": 2000}


def test_a_budget_of_a_union_over_all_its_programmes_caps_their_sum(kitchen: Kitchen) -> None:
    one, other = kitchen.offer(), kitchen.offer()
    account = kitchen.budget(one, 10_000).account
    set_budget(account=account, programme=None, span=Span.MONTH, cap_fen=800, actor=OPERATOR)
    kitchen.eat(one, kitchen.worker())
    kitchen.eat(other, kitchen.worker())
    assert refusal(kitchen, one, kitchen.worker()) == "budget"
    assert refusal(kitchen, other, kitchen.worker()) == "budget"


def test_a_cap_can_be_raised_and_lowered_but_not_below_what_is_spent(kitchen: Kitchen, offer: BenefitOffer) -> None:
    budget = kitchen.budget(offer, 400, shards=3)
    kitchen.eat(offer, kitchen.worker())
    assert refusal(kitchen, offer, kitchen.worker()) == "budget"
    kitchen.budget(offer, 1200)
    kitchen.eat(offer, kitchen.worker())
    with pytest.raises(RuleBroken) as broken:
        kitchen.budget(offer, 799)
    assert broken.value.problems[0].code == "below_spent"
    kitchen.budget(offer, 800)
    assert refusal(kitchen, offer, kitchen.worker()) == "budget"
    stop_budget(budget, actor=OPERATOR)
    kitchen.eat(offer, kitchen.worker())
    assert spent(budget) == 800


def test_an_excluded_worker_is_refused_until_the_exclusion_ends(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    post = kitchen.post(kitchen.tree.zhengzhou)
    kept = exclude(union=kitchen.tree.zhengzhou, programme=None, worker=rider, reason="代刷", actor=post, at=NOON)
    assert refusal(kitchen, offer, rider, at=NOON + timedelta(minutes=1)) == "excluded"
    lift(kept, actor=post)
    kitchen.eat(offer, rider, at=NOON + timedelta(minutes=2))


def test_bearers_vouchers_are_taken_only_where_the_programme_takes_paper(kitchen: Kitchen) -> None:
    assert refusal(kitchen, kitchen.offer(), None, channel=Channel.PAPER) == "paper_not_taken"
    offer = kitchen.offer(takes_paper=True, quota_day=1)
    kitchen.eat(offer, None, channel=Channel.PAPER)
    kitchen.eat(offer, None, channel=Channel.PAPER)
    with pytest.raises(Refused):
        kitchen.eat(offer, None, channel=Channel.CODE)


def test_what_was_redeemed_offline_against_a_rule_is_kept_as_an_exception_and_booked_nowhere(
    kitchen: Kitchen, rider: Worker
) -> None:
    offer = kitchen.offer(quota_day=1)
    budget = kitchen.budget(offer, 10_000)
    kitchen.eat(offer, rider)
    request = uuid4()
    kept = kitchen.eat(offer, rider, offline=True, request_id=request, at=NOON)
    assert (kept.state, kept.reason) == ("exception", "quota_day")
    assert kitchen.eat(offer, rider, offline=True, request_id=request, at=NOON).repeated
    assert counted() == (2, 1)
    assert spent(budget) == 400
    late = kitchen.eat(offer, kitchen.worker(), offline=True, at=shanghai(2026, 10, 1, 12, 0))
    assert late.reason == "before_start"


def test_who_may_redeem(kitchen: Kitchen, offer: BenefitOffer, rider: Worker) -> None:
    kitchen.eat(offer, rider, actor=kitchen.post(kitchen.tree.zhongyuan, Role.KEEPER))
    kitchen.eat(offer, rider, actor=rider.user)
    for stranger in (
        kitchen.post(kitchen.tree.jinshui, Role.ADMINISTRATOR),
        kitchen.post(kitchen.tree.zhongyuan, Role.READER),
    ):
        with pytest.raises(NotAllowed):
            kitchen.eat(offer, rider, actor=stranger)
    with pytest.raises(PermissionDenied):
        kitchen.eat(offer, rider, actor=kitchen.worker().user)
    assert counted() == (2, 2)


def test_the_cashier_never_learns_why_a_worker_is_refused() -> None:
    with translation.override("en"):
        personal = {code for code in CODES if str(Refused(code).for_cashier) != str(Refused(code).for_worker)}
        assert personal >= {"occupation", "company", "membership", "union", "excluded", "not_drawn", "quota_day"}
        assert len({str(Refused(code).for_cashier) for code in personal}) == 1


def test_the_database_refuses_what_does_not_balance_or_changes_the_books(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    booked = LedgerTransaction.objects.with_scopes_disabled().get(redemption=kitchen.eat(offer, rider).redemption_id)
    entry = Entry.objects.with_scopes_disabled().filter(transaction=booked).first()
    assert entry is not None
    booking, line, account = [booked.pk], [entry.pk], [entry.account_id]
    statements = [
        ("UPDATE benefits_entry SET fen = fen + 1 WHERE id = %s", line),
        ("DELETE FROM benefits_entry WHERE id = %s", line),
        ("INSERT INTO benefits_entry (transaction_id, account_id, fen) VALUES (%s, %s, 1)", booking + account),
        ("UPDATE benefits_ledgertransaction SET memo = 'x' WHERE id = %s", booking),
        ("UPDATE benefits_offershare SET fen = fen + 1 WHERE offer_id = %s AND party = 'union'", [offer.pk]),
        ("DELETE FROM benefits_redemption WHERE id = %s", [booked.redemption_id]),
        ("DELETE FROM benefits_account WHERE id = %s", account),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement, values in statements:
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement, values)


def test_shares_of_a_budget_cannot_pass_its_cap_even_by_hand(kitchen: Kitchen, offer: BenefitOffer) -> None:
    budget = kitchen.budget(offer, 1000)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for change in ("allotted_fen = allotted_fen + 1", "spent_fen = allotted_fen + 1", "spent_fen = -1"):
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(f"UPDATE benefits_budgetshard SET {change} WHERE budget_id = %s", [budget.pk])  # noqa: S608


def test_a_split_that_does_not_sum_up_is_refused_with_every_problem(kitchen: Kitchen) -> None:
    programme = kitchen.programme()
    with pytest.raises(RuleBroken) as broken:
        kitchen.offer(programme, parts=[Part(PartyKind.WORKER, 900), Part(PartyKind.UNION, 700)])
    assert {problem.code for problem in broken.value.problems} == {"required", "one_remainder", "too_much"}
    with pytest.raises(RuleBroken):
        kitchen.offer(programme, parts=kitchen.parts(kitchen.programme(union=kitchen.tree.jinshui)))
    assert not OfferShare.objects.with_scopes_disabled().exists()
    assert not Redemption.objects.with_scopes_disabled().filter(state=RedemptionState.REDEEMED).exists()
