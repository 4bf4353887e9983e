"""Consultations: agenda from cases, what was agreed, and what follows to the end."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from tests.cases.case_makers import make_case
from tests.cases.refusals import refused
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import Meeting, Task, TaskState
from yizhan.cases.services import ledger, meetings
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import NotAllowed, Role


def planned(union: Union, actor: Staff, **told: Any) -> Meeting:
    facts = {"title": "配送单价协商", "where": "三楼会议室", "starts_at": timezone.now() - timedelta(days=1), **told}
    return meetings.plan_meeting(union=union, actor=actor, **facts)


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def test_a_consultation_goes_from_cases_to_an_agreement_to_tasks_that_are_done(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, kind="consultation", title="单价三年没涨", worker=worker(tree.zhongyuan))
    meeting = planned(tree.zhongyuan, admin, chair=admin)
    meetings.add_party(meeting, side="company", body="外卖平台", person="王经理", actor=admin)
    item = meetings.add_item(meeting, case=case, proposal="每单加一元", actor=admin)
    with refused("taken"):
        meetings.add_item(meeting, case=case, actor=admin)
    with refused("open_items"):
        meetings.record_agreement(meeting, text="同意", agreed_on=timezone.localdate(), actor=admin)
    with refused("missing"):
        meetings.decide_item(item, actor=admin, outcome="agreed")
    with refused("state"):
        meetings.follow_up(item, title="核对", actor=admin)
    meetings.decide_item(item, actor=admin, outcome="agreed", result="=下月起每单加一元", reply="同意")
    later = timezone.localdate() + timedelta(days=1)
    with refused("future"):
        meetings.record_agreement(meeting, text="同意", agreed_on=later, actor=admin)
    meetings.record_agreement(meeting, text="双方同意", agreed_on=timezone.localdate(), actor=admin)
    task = meetings.follow_up(item, title="核对平台执行情况", actor=admin, responsible=admin)
    with refused("open_tasks"):
        meetings.close_meeting(meeting, actor=admin)
    client = signed_in(admin)
    page = client.get(meeting.get_absolute_url()).content.decode()
    for text in ("单价三年没涨", "外卖平台", "双方同意", "核对平台执行情况"):
        assert text in page
    assert "双方同意" in client.get(reverse("cases:print_meeting", args=[meeting.public_id])).content.decode()
    answer = client.get(reverse("cases:export_meeting", args=[meeting.public_id]))
    assert answer["X-Row-Count"] == "1"
    cells = [str(cell.value) for row in load_workbook(io.BytesIO(answer.content)).active.rows for cell in row]
    assert "'=下月起每单加一元" in cells
    ledger.tell_progress(actor=admin, task=task, percent=100, state=TaskState.DONE)
    assert Task.objects.with_scopes_disabled().get(pk=task.pk).state == "done"
    assert meetings.close_meeting(meeting, actor=admin).state == "closed"
    with refused("closed"):
        meetings.add_item(meeting, title="还有一件", actor=admin)


def test_only_what_may_be_seen_and_is_open_comes_on_the_agenda(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, neighbour, reader = post(tree.zhongyuan), post(tree.jinshui), post(tree.zhongyuan, Role.READER)
    meeting = planned(tree.zhongyuan, admin)
    foreign = make_case(tree.jinshui, kind="consultation", worker=worker(tree.jinshui))
    need = make_case(tree.zhongyuan, worker=worker(tree.zhongyuan))
    for case in (foreign, need):
        with refused("kind"):
            meetings.add_item(meeting, case=case, actor=admin)
    for actor in (neighbour, reader):
        with pytest.raises(NotAllowed):
            meetings.add_item(meeting, title="一件事", actor=actor)
        with pytest.raises(NotAllowed):
            planned(tree.zhongyuan, actor)
    client = signed_in(neighbour)
    assert client.get(meeting.get_absolute_url()).status_code == 404
    assert client.get(reverse("cases:export_meeting", args=[meeting.public_id])).status_code == 404
    assert client.get(reverse("cases:meetings")).context["page"].paginator.count == 0
    assert signed_in(reader).get(meeting.get_absolute_url()).status_code == 200
    with refused("changed_meanwhile"):
        meetings.plan_meeting(
            union=tree.zhongyuan, title="x", where="y", starts_at=timezone.now(), actor=admin, meeting=meeting, seen=9
        )


def test_the_pages_do_what_they_offer_and_ask_no_more_for_many(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin = post(tree.zhongyuan)
    client = signed_in(admin)
    posted = client.post(
        reverse("cases:new_meeting"),
        {"title": "暑期高温协商", "where": "会议室", "starts_at": "2026-11-20T09:00", "chair": str(admin.public_id)},
    )
    assert posted.status_code == 302
    meeting = Meeting.objects.with_scopes_disabled().get()

    def do(step: str, **told: Any) -> int:
        answer = client.post(reverse("cases:meeting_step", args=[meeting.public_id, step]), told)
        return answer.status_code

    assert do("party", side="workers", body="区总工会") == 302
    assert do("item", title="高温津贴", proposal="每天二十元") == 302
    assert do("party", side="nobody", body="") == 422
    with CaptureQueriesContext(connection) as few:
        client.get(meeting.get_absolute_url())
    for number in range(5):
        assert do("item", title=f"第{number}件") == 302
    with CaptureQueriesContext(connection) as many:
        page = client.get(meeting.get_absolute_url())
    # A task's responsible person is chosen from one list that is asked for each open item.
    assert len(many) <= len(few) + 2
    item = page.context["rows"][0]["item"]
    decide = reverse("cases:item_step", args=[meeting.public_id, item.public_id, "decide"])
    for row in page.context["rows"]:
        address = reverse("cases:item_step", args=[meeting.public_id, row["item"].public_id, "decide"])
        assert client.post(address, {"outcome": "not_agreed"}).status_code == 302
    client.post(decide, {"outcome": "agreed", "result": "每天二十元"})
    assert do("agree", seen=1, text="", agreed_on="2026-11-20") == 422
    assert do("agree", seen=1, text="每天二十元", agreed_on="2026-11-20") == 302
    follow = reverse("cases:item_step", args=[meeting.public_id, item.public_id, "follow"])
    client.post(follow, {"title": "发放津贴", "responsible": str(admin.public_id), "deadline": "2026-12-31"})
    assert Task.objects.with_scopes_disabled().get().follows_from.item == item
    assert do("close") == 302
    assert Meeting.objects.with_scopes_disabled().get().state == "held"
    other = planned(tree.zhongyuan, admin)
    client.post(reverse("cases:meeting_step", args=[other.public_id, "call-off"]))
    other.refresh_from_db(from_queryset=Meeting.objects.with_scopes_disabled())
    assert other.state == "cancelled"
