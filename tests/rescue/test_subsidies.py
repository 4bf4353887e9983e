"""The subsidy of a rescue: one redemption in the books, paid once and only with evidence, gone with the call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.conftest import PostMaker, WorkerMaker
from tests.places.conftest import PlaceMaker
from tests.rescue.rescue_makers import HERE, fresh, photo
from tests.rescue.subsidy_makers import AMOUNT, Purse
from yizhan.benefits.models import (
    Budget,
    Entry,
    LedgerTransaction,
    ProgrammeState,
    Redemption,
    RedemptionState,
    Span,
    Statement,
)
from yizhan.benefits.queries.counters import offers_by_place
from yizhan.benefits.services import reconciliation
from yizhan.benefits.services.budgets import set_budget, spent_fen
from yizhan.benefits.services.ledger import balance
from yizhan.benefits.services.programmes import step_programme
from yizhan.benefits.services.scanning import offer_here
from yizhan.benefits.services.settlement import cut_off
from yizhan.rescue import reasons
from yizhan.rescue.models import By, CallState, RescueCall, Rescuer, SubsidyState
from yizhan.rescue.queries import subsidies as queries
from yizhan.rescue.services import answers
from yizhan.rescue.services.calls import confirm_done, reopen_call
from yizhan.rescue.services.desk import assign_call, mark_false
from yizhan.rescue.services.duty import go_on_duty
from yizhan.rescue.services.rescuers import RescuerFacts, change_rescuer
from yizhan.rescue.services.subsidies import pay, pay_due
from yizhan.rescue.services.terms import TermsFacts, change_terms
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import NotAllowed, Role

pytestmark = pytest.mark.django_db


def test_a_proven_rescue_is_one_redemption_in_books_budget_and_statement(purse: Purse) -> None:
    terms = purse.open(cap_day_fen=300_00)
    call = purse.mended()
    assert purse.of(call).state == SubsidyState.WAITING
    confirm_done(call, stars=5)
    assert purse.of(call).state == SubsidyState.DUE
    assert pay_due() == 1
    subsidy = purse.of(call)
    assert (subsidy.state, subsidy.reason) == (SubsidyState.PAID, "")
    paid = subsidy.redemption
    assert paid is not None
    assert (paid.state, paid.channel, paid.funded_fen, paid.worker_fen) == ("redeemed", "system", AMOUNT, 0)
    assert (paid.worker_id, paid.place_id, paid.day) == (call.worker_id, purse.point.pk, timezone.localdate())
    for budget in Budget.objects.with_scopes_disabled().filter(programme=terms.programme):
        assert spent_fen(budget) == AMOUNT
    booked = LedgerTransaction.objects.with_scopes_disabled().get(redemption=paid)
    entries = Entry.objects.with_scopes_disabled().filter(transaction=booked).select_related("account")
    assert {(entry.account.kind, entry.fen) for entry in entries} == {("merchant", AMOUNT), ("union", -AMOUNT)}
    union = terms.programme.union
    cut_off(union, actor=reconciliation.OPERATOR)
    statement = Statement.objects.with_scopes_disabled().get(place=purse.point)
    assert (statement.union_id, statement.redemptions, statement.payable_fen) == (union.pk, 1, AMOUNT)
    compared = reconciliation.reconcile(union)
    assert (compared.redeemed_fen, compared.booked_fen, compared.settled_fen) == (AMOUNT, AMOUNT, AMOUNT)
    assert compared.differences == 0


def test_paying_again_pays_nothing(purse: Purse) -> None:
    purse.open()
    subsidy = purse.confirmed()
    assert pay_due() == 0
    assert pay(subsidy, actor=purse.street.boss).redemption_id == subsidy.redemption_id
    confirm_done(subsidy.call)
    assert Redemption.objects.with_scopes_disabled().count() == 1


def test_without_the_riders_word_nothing_is_paid(purse: Purse) -> None:
    purse.open()
    call = purse.mended()
    tried = pay(purse.of(call), actor=purse.street.boss)
    assert (tried.state, tried.reason) == (SubsidyState.WAITING, reasons.NO_WORD)
    confirm_done(call, words="骑手 18:20 电话确认已修好", by=By.DESK, post=purse.street.boss)
    assert pay_due() == 1


def test_the_desk_says_how_it_knows_when_it_confirms_for_the_rider(purse: Purse) -> None:
    with pytest.raises(RuleBroken, match=r"word|谁"):
        confirm_done(purse.mended(), by=By.DESK, post=purse.street.boss)


def test_a_rescuer_far_from_the_mark_is_not_paid_until_the_radius_allows_it(purse: Purse) -> None:
    terms = purse.open()
    subsidy = purse.confirmed(away_m=800)
    assert (subsidy.state, subsidy.reason) == (SubsidyState.REFUSED, reasons.TOO_FAR)
    assert 780 < (subsidy.distance_m or 0) < 820
    change_terms(terms, TermsFacts(amount_fen=AMOUNT, proof_radius_m=1000), actor=purse.street.boss)
    assert pay(subsidy, actor=purse.street.boss).state == SubsidyState.PAID


def test_a_fixed_points_place_is_no_proof_of_where_its_helper_stood(purse: Purse) -> None:
    purse.open()
    facts = RescuerFacts(name="老李", skills=["flat_tyre"])
    from yizhan.rescue.services.rescuers import create_rescuer

    fixed = create_rescuer(facts, union=purse.street.tree.zhengzhou, actor=purse.street.boss, place=purse.point)
    go_on_duty(fixed)
    call = purse.street.call()
    assign_call(call, fixed, actor=purse.street.boss)
    answers.arrive(call, rescuer=fixed)
    answers.finish(call, rescuer=fixed, photo=photo(), request_id=uuid4())
    confirm_done(call)
    pay_due()
    assert purse.of(call).reason == reasons.NO_POSITION


def test_an_earlier_rescuers_photo_proves_nothing_of_the_next(purse: Purse) -> None:
    purse.open()
    call = purse.mended()
    reopen_call(call)
    second = purse.rescuer()
    assign_call(call, second, actor=purse.street.boss)
    answers.arrive(call, rescuer=second, position=HERE)
    with pytest.raises(RuleBroken, match=r"photo|照片"):
        answers.finish(call, rescuer=second, request_id=uuid4())


def test_nobody_is_paid_for_helping_themself(purse: Purse) -> None:
    purse.open()
    rescuer = purse.rescuer()
    assert rescuer.user is not None
    subsidy = purse.confirmed(rescuer, worker=rescuer.user.worker)
    assert subsidy.reason == reasons.OWN_CALL


def test_a_mobile_rescuer_without_a_point_is_paid_once_one_is_named(purse: Purse) -> None:
    purse.open()
    rescuer = purse.rescuer(paid=False)
    subsidy = purse.confirmed(rescuer)
    assert subsidy.reason == reasons.NOBODY_TO_PAY
    facts = RescuerFacts(
        name=rescuer.name, skills=rescuer.skills, lon=HERE[0], lat=HERE[1], paid_at=purse.point, spare_batteries=2
    )
    change_rescuer(rescuer, facts, actor=purse.street.boss)
    assert pay(subsidy, actor=purse.street.boss).state == SubsidyState.PAID


def test_a_caller_who_was_not_signed_in_is_paid_for_only_by_hand(purse: Purse, worker: WorkerMaker) -> None:
    purse.open()
    known = worker(purse.street.tree.zhengzhou)
    from yizhan.rescue.facts import CallFacts
    from yizhan.rescue.services.calls import submit_call

    facts = CallFacts(problem="flat_tyre", lon=HERE[0], lat=HERE[1], contact_phone=known.user.phone or "")
    call = submit_call(facts, request_id=uuid4())
    subsidy = purse.confirmed(call=call)
    assert subsidy.reason == reasons.UNKNOWN_RIDER
    paid = pay(subsidy, actor=purse.street.boss)
    assert (paid.state, paid.worker_id, paid.tried_by_id) == (SubsidyState.PAID, known.pk, purse.street.boss.pk)


def test_a_spent_budget_refuses_until_its_cap_is_raised_and_is_never_passed(purse: Purse) -> None:
    terms = purse.open(cap_fen=250_00)
    tried = [purse.confirmed() for _turn in range(3)]
    assert [each.state for each in tried] == ["paid", "paid", "refused"]
    assert tried[2].reason == "budget"
    assert pay(tried[2], actor=purse.street.boss).state == SubsidyState.REFUSED
    budget = Budget.objects.with_scopes_disabled().get(programme=terms.programme)
    assert spent_fen(budget) == 2 * AMOUNT
    set_budget(
        account=budget.account, programme=terms.programme, span=Span.TOTAL, cap_fen=300_00, actor=purse.street.boss
    )
    assert pay(tried[2], actor=purse.street.boss).state == SubsidyState.PAID
    assert spent_fen(budget) == 3 * AMOUNT


def test_what_a_spent_day_refused_can_be_paid_on_the_next(purse: Purse) -> None:
    purse.open(cap_fen=None, cap_day_fen=100_00)
    purse.confirmed()
    late = purse.confirmed()
    assert late.reason == "budget"
    RescueCall.objects.with_scopes_disabled().filter(pk=late.call_id).update(
        done_at=timezone.now() - timedelta(hours=30)
    )
    Redemption.objects.with_scopes_disabled().get()
    # Now it is the next day of the first one: the day that runs has paid nothing yet.
    first_day = Budget.objects.with_scopes_disabled().get(span=Span.DAY).shard_rows(manager="objects")
    first_day.with_scopes_disabled().update(bucket=timezone.localdate() - timedelta(days=1))
    paid = pay(late, actor=purse.street.boss)
    assert paid.state == SubsidyState.PAID
    assert paid.redemption is not None
    assert paid.redemption.day == timezone.localdate()


@pytest.mark.parametrize("how", ["reopened", "false"])
def test_opened_again_or_found_false_it_goes_back_to_books_budget_and_statement(purse: Purse, how: str) -> None:
    terms = purse.open()
    subsidy = purse.confirmed()
    union = terms.programme.union
    cut_off(union, actor=reconciliation.OPERATOR)
    if how == "reopened":
        reopen_call(subsidy.call, words="又漏气了")
    else:
        mark_false(subsidy.call, actor=purse.street.boss, words="没有这回事")
    gone = purse.of(subsidy.call)
    assert gone.redemption is not None
    assert (gone.state, gone.redemption.state) == (SubsidyState.DROPPED, RedemptionState.VOIDED)
    budget = Budget.objects.with_scopes_disabled().get(programme=terms.programme)
    assert (spent_fen(budget), balance(budget.account)) == (0, 0)
    cut_off(union, actor=reconciliation.OPERATOR)
    statements = Statement.objects.with_scopes_disabled().filter(place=purse.point)
    assert sorted(statements.values_list("payable_fen", flat=True)) == [-AMOUNT, AMOUNT]
    assert reconciliation.reconcile(union).differences == 0


def test_opened_again_and_mended_again_it_is_paid_once_in_the_end(purse: Purse) -> None:
    purse.open()
    rescuer = purse.rescuer()
    first = purse.confirmed(rescuer)
    reopen_call(first.call)
    second = purse.confirmed(rescuer, call=fresh(first.call))
    assert (second.state, second.turn) == (SubsidyState.PAID, 1)
    assert [each.state for each in queries.of_call(first.call)] == ["paid", "dropped"]
    standing = Redemption.objects.with_scopes_disabled().filter(state="redeemed")
    assert [each.pk for each in standing] == [second.redemption_id]


def test_a_slip_taken_back_leaves_one_expected_subsidy(purse: Purse) -> None:
    purse.open()
    rescuer = purse.rescuer()
    call = purse.mended(rescuer)
    answers.take_back_done(call, rescuer=rescuer)
    answers.finish(call, rescuer=rescuer, request_id=uuid4(), position=HERE)
    assert [each.state for each in queries.of_call(call)] == ["waiting", "dropped"]
    confirm_done(call)
    assert pay_due() == 1


def test_the_nearest_open_programme_that_covers_it_pays(purse: Purse) -> None:
    tree = purse.street.tree
    purse.open(problems=["battery"])
    assert purse.confirmed().reason == reasons.OTHER_PROBLEM
    purse.open(union=tree.zhengzhou)
    assert purse.confirmed().state == SubsidyState.PAID


def test_a_point_of_another_union_than_the_programmes_is_not_paid(purse: Purse, make_place: PlaceMaker) -> None:
    purse.open()
    purse.point = make_place(purse.street.tree.henan, name="省直修车点", kind="repair_point")
    subsidy = purse.confirmed(purse.street.rescuer())
    assert subsidy.reason == reasons.NOBODY_TO_PAY
    Rescuer.objects.with_scopes_disabled().filter(pk=subsidy.rescuer_id).update(paid_at=purse.point)
    assert pay(subsidy, actor=purse.street.boss).reason == reasons.POINT_ELSEWHERE


def test_a_paused_programme_pays_nothing_and_pays_after_it_runs_again(purse: Purse) -> None:
    terms = purse.open()
    step_programme(terms.programme, ProgrammeState.PAUSED, actor=purse.street.boss, reason="盘点")
    subsidy = purse.confirmed()
    assert subsidy.reason == reasons.NO_PROGRAMME
    step_programme(terms.programme, ProgrammeState.OPEN, actor=purse.street.boss)
    assert pay(subsidy, actor=purse.street.boss).state == SubsidyState.PAID


def test_without_any_programme_no_subsidy_is_spoken_of(purse: Purse) -> None:
    call = purse.mended()
    confirm_done(call)
    assert queries.of_call(call) == []


def test_the_counter_never_redeems_what_only_evidence_pays(purse: Purse) -> None:
    terms = purse.open()
    offer = terms.programme.offers(manager="objects").with_scopes_disabled().get()
    assert offer_here(purse.point, offer.public_id) is None
    assert offers_by_place([purse.point], at=timezone.now()) == {}


def test_a_new_amount_holds_from_the_next_rescue_on(purse: Purse) -> None:
    terms = purse.open()
    first = purse.confirmed()
    change_terms(terms, TermsFacts(amount_fen=60_00), actor=purse.street.boss)
    second = purse.confirmed()
    assert first.redemption is not None
    assert second.redemption is not None
    assert (first.redemption.funded_fen, second.redemption.funded_fen) == (AMOUNT, 60_00)


def test_a_point_that_is_new_is_paid_the_terms_amount(purse: Purse, make_place: PlaceMaker) -> None:
    purse.open()
    purse.point = make_place(purse.street.tree.zhengzhou, name="新修车点", kind="repair_point")
    subsidy = purse.confirmed()
    assert subsidy.state == SubsidyState.PAID
    assert subsidy.place == purse.point


def test_neighbours_and_those_without_the_right_neither_see_nor_pay(purse: Purse, post: PostMaker) -> None:
    purse.open()
    subsidy = purse.confirmed(away_m=900)
    neighbour, reader = post(purse.street.tree.shenzhen), post(purse.street.tree.zhengzhou, Role.READER)
    assert list(queries.subsidies_for(neighbour)) == []
    assert list(queries.subsidies_for(reader)) == [subsidy]
    for actor in (neighbour, reader):
        with pytest.raises(NotAllowed):
            pay(subsidy, actor=actor)
    with pytest.raises(NotAllowed):
        purse.open(actor=neighbour)
    with pytest.raises(NotAllowed):  # a cadre may not set budgets
        purse.open(actor=post(purse.street.tree.zhengzhou, Role.CADRE))


def test_without_a_cap_it_stays_a_draft_that_pays_nothing(purse: Purse, post: PostMaker) -> None:
    terms = purse.open(actor=post(purse.street.tree.zhengzhou, Role.CADRE), cap_fen=None)
    assert terms.programme.state == ProgrammeState.DRAFT
    call = purse.mended()
    assert queries.of_call(call) == []


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"amount_fen": 0}, "amount"),
        ({"amount_fen": 10_000_01}, "amount"),
        ({"amount_fen": 100, "problems": ["rocket"]}, "problems"),
        ({"amount_fen": 100, "proof_radius_m": 1}, "proof_radius_m"),
    ],
)
def test_terms_that_make_no_sense_are_refused(purse: Purse, told: dict[str, Any], field: str) -> None:
    terms = purse.open()
    with pytest.raises(RuleBroken) as refused:
        change_terms(terms, TermsFacts(**told), actor=purse.street.boss)
    assert refused.value.problems[0].field == field


def test_confirming_still_works_when_the_call_is_over_otherwise(purse: Purse) -> None:
    purse.open()
    call = purse.mended()
    mark_false(call, actor=purse.street.boss, words="试一试")
    assert fresh(call).state == CallState.FALSE_CALL
    with pytest.raises(RuleBroken):
        confirm_done(call)
    assert purse.of(call).state == SubsidyState.DROPPED
