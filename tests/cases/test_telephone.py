"""回访 and 12351: what is told on the telephone is noted with who called and when, and the person's own word stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cases.case_makers import make_case
from tests.cases.refusals import refused
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import Case, CaseEvent
from yizhan.cases.queries.visible import steps_of
from yizhan.cases.services.steps import accept_case, propose_result
from yizhan.cases.services.verdict import confirm_result, note_call, reopen_case
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import NotAllowed, Role

pytestmark = pytest.mark.django_db


def fresh(case: Case) -> Case:
    found: Case = Case.objects.with_scopes_disabled().get(pk=case.pk)
    return found


def signed_in(person: Staff | Worker) -> Client:
    client = Client()
    client.force_login(person.user)
    return client


def judged(tree: UnionTree, cadre: Staff, rider: Worker) -> Case:
    case = make_case(tree.zhongyuan, worker=rider)
    accept_case(case, actor=cadre)
    propose_result(case, actor=cadre, words="已装充电口")
    return fresh(case)


def test_a_verdict_on_the_telephone_says_who_called_when_and_is_marked(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, rider = post(tree.zhongyuan, Role.CADRE, name="王芳"), worker(tree.zhongyuan)
    case = judged(tree, cadre, rider)
    desk, phone = signed_in(cadre), signed_in(rider)
    assert "电话回访" in desk.get(case.get_absolute_url()).content.decode()
    told = {
        "call-seen": case.version,
        "call-called_at": f"{timezone.localtime():%Y-%m-%dT%H:%M}",
        "call-is_solved": "yes",
        "call-stars": "4",
        "call-words": "说充电口能用了",
    }
    assert desk.post(reverse("cases:take", args=[case.public_id, "call"]), told).status_code == 302
    now = fresh(case)
    assert (now.state, now.closed_how, now.stars) == ("closed", "telephone", 4)
    event = steps_of(case)[-1]
    assert (event.kind, event.by, event.post) == ("confirmed", "staff", cadre)
    assert event.data["called_at"]
    page = desk.get(case.get_absolute_url()).content.decode()
    assert "电话回访确认" in page
    own = phone.get(reverse("cases:own", args=[case.public_id])).content.decode()
    assert "说充电口能用了" in own
    assert "王芳" not in own
    # The rider sees it otherwise: their own stars take the place of those on the telephone.
    phone.post(reverse("cases:own_step", args=[case.public_id, "verdict"]), {"stars": "2", "words": "只装了一个"})
    now = fresh(case)
    assert (now.state, now.closed_how, now.stars) == ("closed", "confirmed", 2)
    assert now.closed_at is not None
    confirm_result(now, stars=5)
    assert fresh(case).stars == 2


def test_the_worker_can_still_say_that_it_is_not_solved(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    cadre, rider = post(tree.zhongyuan, Role.CADRE), worker(tree.zhongyuan)
    case = judged(tree, cadre, rider)
    note_call(case, actor=cadre, is_solved=True, words="满意")
    reopen_case(fresh(case), words="没有人给我打过电话")
    now = fresh(case)
    assert (now.state, now.closed_how, now.times_reopened) == ("accepted", "", 1)


def test_a_no_on_the_telephone_opens_the_case_again(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    case = judged(tree, cadre, worker(tree.zhongyuan))
    note_call(case, actor=cadre, is_solved=False, words="还是没有电")
    now = fresh(case)
    assert (now.state, now.times_reopened) == ("accepted", 1)


def test_calls_that_cannot_have_been_are_refused(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    cadre, neighbour = post(tree.zhongyuan, Role.CADRE), post(tree.jinshui, Role.CADRE)
    case = judged(tree, cadre, worker(tree.zhongyuan))
    call: dict[str, Any] = {"is_solved": True, "words": "满意"}
    with pytest.raises(NotAllowed):
        note_call(case, actor=neighbour, **call)
    now = timezone.now()
    for code, told in (
        ("out_of_range", {**call, "called_at": now + timedelta(hours=1)}),
        ("out_of_range", {**call, "called_at": now - timedelta(days=1)}),
        ("invalid", {**call, "stars": 6}),
        ("missing", {**call, "words": " "}),
    ):
        with refused(code):
            note_call(case, actor=cadre, **told)
    open_case = make_case(tree.zhongyuan, actor=cadre)
    with refused("wrong_state"):
        note_call(open_case, actor=cadre, **call)
    assert fresh(case).state == "proposed"


def test_an_order_of_the_hotline_is_taken_down_once_and_its_clock_runs_from_the_call(
    tree: UnionTree, post: PostMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    desk, address = signed_in(cadre), reverse("cases:hotline")
    assert "工单" in desk.get(address).content.decode()
    called = timezone.localtime() - timedelta(hours=5)
    told = {
        "hotline_number": "ZZ12351-0042",
        "called_at": f"{called:%Y-%m-%dT%H:%M}",
        "text": "超市门口没有地方停电动车",
        "contact_phone": "13800138000",
    }
    made = desk.post(address, told)
    assert made.status_code == 302
    case = Case.objects.with_scopes_disabled().get(hotline_number="ZZ12351-0042")
    assert case.source == "hotline"
    assert abs(case.submitted_at - called) < timedelta(minutes=1)
    assert "ZZ12351-0042" in desk.get(case.get_absolute_url()).content.decode()
    found = desk.get(reverse("cases:cases"), {"q": "ZZ12351-0042"}).content.decode()
    assert found.count("data-row") == 1
    again = desk.post(address, {**told, "text": "同一张工单"})
    assert again.status_code == 422
    assert case.number in again.content.decode()
    ahead = timezone.localtime() + timedelta(days=1)
    wrong = {**told, "hotline_number": "ZZ12351-0043", "called_at": f"{ahead:%Y-%m-%dT%H:%M}"}
    assert desk.post(address, wrong).status_code == 422
    assert CaseEvent.objects.with_scopes_disabled().filter(kind="submitted").count() == 1
