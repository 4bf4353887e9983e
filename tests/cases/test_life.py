"""The life of one case: who may do what when, and what the worker's promise means in working days."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from tests.cases.case_makers import make_case, shanghai
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.clocks import Span, due_with_pauses, is_provisional, last_day
from yizhan.cases.facts import CaseFacts
from yizhan.cases.models import Case, CaseEvent, CaseParty, CaseSource, CaseState
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.services.clock import watch_cases
from yizhan.cases.services.intake import submit_case
from yizhan.cases.services.joining import followed, merge_case, split_case
from yizhan.cases.services.kinds import set_kind
from yizhan.cases.services.log import ChangedMeanwhile, rebuild_case
from yizhan.cases.services.parties import add_co_handler, supervise_case, urge_case
from yizhan.cases.services.steps import (
    accept_case,
    assign_case,
    correct_case,
    note_on_case,
    pause_clock,
    propose_result,
    refuse_case,
    resume_clock,
    tell_progress,
)
from yizhan.cases.services.transfers import accept_transfer, cancel_transfer, offer_transfer, refuse_transfer
from yizhan.cases.services.verdict import add_to_case, confirm_result, reopen_case, withdraw_case
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage
from yizhan.unions.rights import NotAllowed, Role


def fresh(case: Case) -> Case:
    found: Case = Case.objects.with_scopes_disabled().get(pk=case.pk)
    return found


def kinds_of_steps(case: Case) -> list[str]:
    return list(
        CaseEvent.objects.with_scopes_disabled().filter(case=case).order_by("number").values_list("kind", flat=True)
    )


def test_a_need_is_heard_worked_on_and_confirmed_by_the_worker(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, rider = post(tree.zhongyuan, Role.CADRE), worker(tree.zhongyuan)
    case = make_case(tree.zhongyuan, worker=rider)
    assert case.state == CaseState.SUBMITTED
    assert InboxMessage.objects.with_scopes_disabled().filter(post=cadre, link=case.get_absolute_url()).exists()
    accept_case(case, actor=cadre)
    assign_case(case, handler=cadre, actor=cadre)
    tell_progress(case, actor=cadre, words="已联系物业加装充电柜")
    propose_result(case, actor=cadre, words="已加装四个充电口")
    confirm_result(case, stars=5, words="谢谢")
    done = fresh(case)
    assert (done.state, done.stars, done.closed_how, done.was_late) == ("closed", 5, "confirmed", False)
    assert kinds_of_steps(case) == ["submitted", "accepted", "assigned", "progress", "proposed", "confirmed"]
    assert rebuild_case(case, check=True) == []


def test_steps_that_are_not_possible_are_refused_and_leave_nothing(tree: UnionTree, post: PostMaker) -> None:
    cadre = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, actor=cadre)
    for step in (
        lambda: propose_result(case, actor=cadre, words="好了"),
        lambda: confirm_result(case, stars=5),
        lambda: reopen_case(case, words="没有好"),
        lambda: resume_clock(case, actor=cadre),
    ):
        with pytest.raises(RuleBroken) as refused:
            step()
        assert refused.value.problems[0].code == "wrong_state"
    with pytest.raises(RuleBroken, match="理由"):
        refuse_case(case, actor=cadre, words="  ")
    assert kinds_of_steps(case) == ["submitted"]


def test_two_cadres_at_once_the_second_is_shown_what_the_first_did(tree: UnionTree, post: PostMaker) -> None:
    first, second = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.CADRE)
    case = make_case(tree.zhongyuan, actor=first)
    seen = case.version
    accept_case(case, actor=first, seen=seen)
    with pytest.raises(ChangedMeanwhile) as refused:
        refuse_case(case, actor=second, seen=seen, words="重复")
    assert [event.kind for event in refused.value.events] == ["accepted"]
    assert refused.value.events[0].post == first
    assert fresh(case).state == CaseState.ACCEPTED


def test_the_log_can_be_neither_changed_nor_removed(tree: UnionTree, post: PostMaker) -> None:
    case = make_case(tree.zhongyuan, actor=post(tree.zhongyuan))
    for sql in (
        "UPDATE cases_caseevent SET words = 'x' WHERE case_id = %s",
        "DELETE FROM cases_caseevent WHERE case_id = %s",
    ):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [case.pk])


def test_a_transfer_moves_only_when_the_other_union_accepts(tree: UnionTree, post: PostMaker) -> None:
    here, there, beside = post(tree.zhongyuan), post(tree.jinshui), post(tree.shenzhen)
    case = make_case(tree.zhongyuan, actor=here)
    offer_transfer(case, to=tree.jinshui, actor=here, words="属地在金水")
    assert fresh(case).union == tree.zhongyuan
    assert visible_cases(there).filter(pk=case.pk).exists()
    with pytest.raises(NotAllowed):
        accept_transfer(case, actor=beside)
    with pytest.raises(RuleBroken, match="不能办理"):
        accept_case(case, actor=here)  # who is to answer is not settled
    refuse_transfer(case, actor=there, words="不在我区")
    assert fresh(case).union == tree.zhongyuan
    assert not visible_cases(there).filter(pk=case.pk).exists()
    offer_transfer(case, to=tree.jinshui, actor=here, words="再看一下")
    accept_transfer(case, actor=there)
    moved = fresh(case)
    assert (moved.union, moved.offered_to) == (tree.jinshui, None)
    kept = CaseParty.objects.with_scopes_disabled().exclude(role="taker").get(case=case)
    assert (kept.union, kept.role) == (tree.zhongyuan, "earlier_owner")
    assert visible_cases(here).filter(pk=case.pk).exists()
    with pytest.raises(NotAllowed):
        accept_case(case, actor=here)
    with pytest.raises(RuleBroken, match="这次转办已不存在"):
        accept_transfer(case, actor=there)
    assert rebuild_case(case, check=True) == []


def test_an_offer_can_be_taken_back_until_it_is_accepted(tree: UnionTree, post: PostMaker) -> None:
    here, above = post(tree.zhongyuan), post(tree.zhengzhou)
    case = make_case(tree.zhongyuan, actor=here)
    offer_transfer(case, to=tree.zhengzhou, actor=here, words="请市总办理")
    cancel_transfer(case, actor=here)
    with pytest.raises(RuleBroken):
        accept_transfer(case, actor=above)
    accept_case(case, actor=here)


def test_nobody_offers_a_case_to_a_union_without_people(tree: UnionTree, post: PostMaker) -> None:
    here = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, actor=here)
    with pytest.raises(RuleBroken, match="没有人能接办"):
        offer_transfer(case, to=tree.shifo, actor=here, words="属地")


def test_a_case_for_a_union_without_people_goes_to_the_nearest_above(tree: UnionTree, post: PostMaker) -> None:
    post(tree.zhengzhou, Role.CADRE)
    case = make_case(tree.shifo)
    assert (case.union, case.submitted_to) == (tree.zhengzhou, tree.shifo)


def test_deadlines_run_in_working_days_and_stand_while_paused(tree: UnionTree, post: PostMaker) -> None:
    cadre = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, actor=cadre, at=shanghai(2026, 3, 6, 15))  # a Friday
    assert last_day(case.answer_due).isoformat() == "2026-03-10"  # type: ignore[arg-type]
    accept_case(case, actor=cadre, at=shanghai(2026, 3, 9, 10))
    accepted = fresh(case)
    assert accepted.answer_due is None
    assert last_day(accepted.result_due).isoformat() == "2026-03-23"  # type: ignore[arg-type]
    pause_clock(case, actor=cadre, words="等物业答复", at=shanghai(2026, 3, 10, 9))
    assert fresh(case).result_due is None
    resume_clock(case, actor=cadre, at=shanghai(2026, 3, 12, 9))
    assert last_day(fresh(case).result_due).isoformat() == "2026-03-25"  # type: ignore[arg-type]


def test_a_pause_over_lunch_costs_no_day_and_an_unknown_year_is_said() -> None:
    start = shanghai(2026, 3, 6, 15)
    lunch = Span(shanghai(2026, 3, 9, 12), shanghai(2026, 3, 9, 13))
    assert due_with_pauses(start, 3, [lunch]) == due_with_pauses(start, 3)
    assert is_provisional(shanghai(2031, 1, 5))
    assert not is_provisional(shanghai(2026, 3, 9))


def test_overdue_cases_are_told_once_and_escalate_level_by_level(tree: UnionTree, post: PostMaker) -> None:
    cadre, city, province = post(tree.zhongyuan), post(tree.zhengzhou), post(tree.henan)
    case = make_case(tree.zhongyuan, actor=cadre, at=shanghai(2026, 3, 6, 15))
    at = shanghai(2026, 3, 11, 0)
    assert [watch_cases(at=at), watch_cases(at=at)] == [1, 0]
    assert kinds_of_steps(case)[-1] == "overdue"
    watch_cases(at=shanghai(2026, 3, 13, 1))
    assert kinds_of_steps(case)[-1] == "escalated"
    watch_cases(at=shanghai(2026, 3, 20, 1))
    assert kinds_of_steps(case).count("escalated") == 2
    for above in (city, province):
        assert InboxMessage.objects.with_scopes_disabled().filter(post=above).count() == 1
    assert fresh(case).version == 1  # nobody's picture of the case became wrong by it


def test_silence_closes_a_proposed_result_and_says_so(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    cadre = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, worker=worker(), at=shanghai(2026, 3, 2, 9))
    accept_case(case, actor=cadre, at=shanghai(2026, 3, 2, 10))
    propose_result(case, actor=cadre, words="已解决", at=shanghai(2026, 3, 3, 9))
    assert watch_cases(at=shanghai(2026, 3, 10, 23)) == 0
    assert watch_cases(at=shanghai(2026, 3, 11, 0)) == 1
    closed = fresh(case)
    assert (closed.state, closed.closed_how, closed.stars) == ("closed", "silent", None)
    reopen_case(case, words="其实没有解决", at=shanghai(2026, 3, 12, 9))
    assert (fresh(case).state, fresh(case).times_reopened) == ("accepted", 1)
    assert rebuild_case(case, check=True) == []


def test_a_worker_may_object_to_a_refusal_and_not_without_end(tree: UnionTree, post: PostMaker) -> None:
    cadre = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan)
    for _turn in range(3):
        refuse_case(case, actor=cadre, words="不属于工会职责")
        reopen_case(case, words="属于")
        assert fresh(case).state == CaseState.SUBMITTED
    refuse_case(case, actor=cadre, words="不属于工会职责")
    with pytest.raises(RuleBroken) as refused:
        reopen_case(case, words="属于")
    assert refused.value.problems[0].code == "too_often"


def test_rules_reach_down_and_open_cases_follow_them_closed_ones_do_not(tree: UnionTree, post: PostMaker) -> None:
    above, cadre = post(tree.zhengzhou), post(tree.zhongyuan)
    done = make_case(tree.zhongyuan, actor=cadre, at=shanghai(2026, 3, 2, 9))
    accept_case(done, actor=cadre, at=shanghai(2026, 3, 4, 9))
    propose_result(done, actor=cadre, words="好了", at=shanghai(2026, 3, 6, 9))
    confirm_result(done, stars=4, at=shanghai(2026, 3, 6, 10))
    case = make_case(tree.zhongyuan, actor=cadre, at=shanghai(2026, 3, 6, 15))
    set_kind(tree.zhengzhou, "need", {"answer_days": 1, "result_days": 2}, actor=above)
    assert last_day(fresh(case).answer_due).isoformat() == "2026-03-09"  # type: ignore[arg-type]
    assert not fresh(done).was_late
    assert rebuild_case(done, check=True) == []
    assert rebuild_case(case, check=True) == []
    with pytest.raises(RuleBroken):
        set_kind(tree.zhengzhou, "need", {"answer_days": 99}, actor=above)
    with pytest.raises(NotAllowed):
        set_kind(tree.zhengzhou, "need", {"answer_days": 2}, actor=cadre)


def test_a_union_adds_fields_of_its_own_and_values_are_checked(tree: UnionTree, post: PostMaker) -> None:
    boss = post(tree.zhongyuan)
    own = [{"name": "shift", "label": ["班次", "Shift"], "type": "choice", "required": True,
            "choices": [["day", "白班", "Day"], ["night", "夜班", "Night"]]}]  # fmt: skip
    set_kind(tree.zhongyuan, "need", {"fields": own}, actor=boss)
    with pytest.raises(RuleBroken) as refused:
        make_case(tree.zhongyuan, actor=boss, fields={"about": "nothing", "stranger": 1})
    assert {problem.field for problem in refused.value.problems} == {"about", "shift", "stranger"}
    case = make_case(tree.zhongyuan, actor=boss, fields={"about": "rest", "shift": "night"})
    assert case.fields == {"about": "rest", "shift": "night"}
    make_case(tree.zhengzhou, actor=post(tree.zhengzhou))  # above, the union's own field does not hold
    with pytest.raises(RuleBroken):
        set_kind(tree.zhongyuan, "need", {"fields": [{"name": "Bad Name", "label": ["甲", "A"]}]}, actor=boss)


def test_a_request_that_is_repeated_makes_one_case(tree: UnionTree, post: PostMaker) -> None:
    from uuid import uuid4

    cadre, request_id = post(tree.zhongyuan), uuid4()
    facts = CaseFacts(kind="need", text="没有热水")
    made = [
        submit_case(facts, union=tree.zhongyuan, source=CaseSource.CADRE, actor=cadre, request_id=request_id)
        for _turn in range(2)
    ]
    assert made[0].pk == made[1].pk


def test_helpers_tell_and_note_but_do_not_decide(tree: UnionTree, post: PostMaker) -> None:
    here, helper, stranger = post(tree.zhongyuan), post(tree.jinshui), post(tree.shenzhen)
    case = make_case(tree.zhongyuan, actor=here)
    accept_case(case, actor=here)
    add_co_handler(case, actor=here, union=tree.jinshui, words="请协助核实")
    note_on_case(case, actor=helper, words="已核实")
    tell_progress(case, actor=helper, words="正在核实")
    with pytest.raises(NotAllowed):
        propose_result(case, actor=helper, words="好了")
    with pytest.raises(NotAllowed):
        note_on_case(case, actor=stranger, words="路过")


def test_urging_and_supervision_come_from_above(tree: UnionTree, post: PostMaker) -> None:
    here, above = post(tree.zhongyuan), post(tree.zhengzhou)
    case = make_case(tree.zhongyuan, actor=here)
    due = fresh(case).due_order
    urge_case(case, actor=above)
    supervise_case(case, actor=above, words="本周内解决")
    assert fresh(case).is_supervised
    assert fresh(case).due_order == due
    with pytest.raises(NotAllowed):
        urge_case(case, actor=post(tree.jinshui))


def test_duplicates_become_one_and_parts_their_own(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    cadre = post(tree.zhongyuan)
    first, second = make_case(tree.zhongyuan, worker=worker()), make_case(tree.zhongyuan, worker=worker())
    merge_case(second, into=first, actor=cadre, words="同一处")
    assert followed(fresh(second)).pk == first.pk
    with pytest.raises(RuleBroken):
        merge_case(first, into=second, actor=cadre)
    with pytest.raises(RuleBroken):
        merge_case(first, into=first, actor=cadre)
    parts = [CaseFacts(kind="suggestion", text="加装遮阳棚"), CaseFacts(kind="need", text="加装充电口")]
    made = split_case(first, parts=parts, actor=cadre, words="两件事")
    assert [part.split_from_id for part in made] == [first.pk, first.pk]
    assert {part.worker_id for part in made} == {first.worker_id}
    assert fresh(first).state == CaseState.SUBMITTED


def test_a_correction_keeps_what_stood_there(tree: UnionTree, post: PostMaker) -> None:
    cadre = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, actor=cadre, title="充电")
    correct_case(case, actor=cadre, words="错字", title="充电口", text="没有充电口", fields={"about": "rest"})
    event = CaseEvent.objects.with_scopes_disabled().get(case=case, kind="edited")
    assert event.data["before"]["title"] == "充电"
    assert fresh(case).title == "充电口"


def test_the_worker_adds_and_takes_back(tree: UnionTree, post: PostMaker) -> None:
    post(tree.zhongyuan)
    case = make_case(tree.zhongyuan)
    add_to_case(case, words="在东门")
    withdraw_case(case)
    withdraw_case(case)
    assert kinds_of_steps(case) == ["submitted", "added", "withdrawn"]
    with pytest.raises(RuleBroken):
        add_to_case(case, words="还有")


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b\u202e"])
def test_a_case_without_words_is_refused(tree: UnionTree, post: PostMaker, text: str) -> None:
    with pytest.raises(RuleBroken, match="请写是什么事"):
        make_case(tree.zhongyuan, actor=post(tree.zhongyuan), title="", text=text)
