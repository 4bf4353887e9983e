"""A confidential case does not exist outside of its circle: not in lists, counts, searches, exports or figures."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import Case, CaseEvent
from yizhan.cases.queries.desk import counted, counts, open_cases
from yizhan.cases.queries.figures import figures, figures_by
from yizhan.cases.queries.public import public_figures
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.services.kinds import set_circle
from yizhan.cases.services.parties import add_co_handler
from yizhan.cases.services.steps import accept_case, assign_case, note_on_case, propose_result
from yizhan.cases.services.transfers import accept_transfer, offer_transfer
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage, Staff
from yizhan.unions.rights import NotAllowed, Role

SECRET = "站点欠薪秘密"


def secret_case(tree: UnionTree, worker: WorkerMaker) -> Case:
    return make_case(tree.zhongyuan, kind="rights", title=SECRET, text=SECRET, worker=worker(tree.zhongyuan))


def knows(staff: Staff, case: Case) -> set[str]:
    """By which ways a post hears of a case."""
    ways = set()
    if visible_cases(staff).filter(pk=case.pk).exists():
        ways.add("list")
    if counted([visible_cases(staff)])[0] or open_cases(staff).exists():
        ways.add("count")
    if any(vars_of(counts(staff))):
        ways.add("counts")
    if figures(staff).submitted or figures_by(visible_cases(staff), "kind"):
        ways.add("figures")
    client = Client()
    client.force_login(staff.user)
    for way, address in (
        ("page", case.get_absolute_url()),
        ("print", reverse("cases:print", args=[case.public_id])),
        ("search", f"{reverse('cases:cases')}?q={case.number}"),
        ("all", f"{reverse('cases:cases')}?waiting=all"),
        ("export", reverse("cases:export", args=["csv"])),
        ("api", f"/api/cases/{case.public_id}"),
        ("api list", "/api/cases"),
        ("problems", reverse("cases:problems")),
    ):
        response = client.get(address)
        text = response.content.decode()
        if way in {"page", "print", "api"}:
            if response.status_code == 200:
                ways.add(way)
        elif SECRET in text or str(case.public_id) in text:
            ways.add(way)
    return ways


def vars_of(told: Any) -> list[int]:
    return [getattr(told, name) for name in ("overdue", "to_answer", "in_work", "to_judge", "mine", "offered")]


def test_only_the_circle_knows_of_it(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin, cadre = post(tree.zhongyuan, Role.ADMINISTRATOR), post(tree.zhongyuan, Role.CADRE)
    above, reader = post(tree.zhengzhou, Role.ADMINISTRATOR), post(tree.henan, Role.READER)
    below, neighbour = post(tree.shifo, Role.ADMINISTRATOR), post(tree.jinshui, Role.ADMINISTRATOR)
    case = secret_case(tree, worker)
    for outsider in (cadre, above, reader, below, neighbour):
        assert knows(outsider, case) == set()
        with pytest.raises(NotAllowed):
            accept_case(case, actor=outsider)
    assert {"list", "count", "counts", "figures", "page", "search", "export", "api", "api list"} <= knows(admin, case)
    assert public_figures(tree.zhongyuan) == []
    told = InboxMessage.objects.with_scopes_disabled().filter(link=case.get_absolute_url())
    assert {message.post_id for message in told} == {admin.pk}
    assert SECRET not in "".join(message.title + message.body for message in told)


def test_a_named_circle_takes_the_place_of_the_administrators(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, lawyer = post(tree.zhongyuan, Role.ADMINISTRATOR), post(tree.zhongyuan, Role.CADRE)
    set_circle(tree.zhongyuan, "rights", [lawyer], actor=admin)
    case = secret_case(tree, worker)
    assert knows(admin, case) == set()
    assert "page" in knows(lawyer, case)
    with pytest.raises(RuleBroken):
        set_circle(tree.zhongyuan, "need", [lawyer], actor=admin)
    with pytest.raises(RuleBroken):
        set_circle(tree.zhongyuan, "rights", [post(tree.jinshui)], actor=admin)
    with pytest.raises(NotAllowed):
        set_circle(tree.zhongyuan, "rights", [lawyer], actor=lawyer)


def test_the_circle_grows_by_helpers_only_one_by_one_and_moves_with_a_transfer(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, helper, colleague = post(tree.zhongyuan), post(tree.jinshui, Role.CADRE), post(tree.jinshui, Role.CADRE)
    there = post(tree.jinshui, Role.ADMINISTRATOR)
    case = secret_case(tree, worker)
    with pytest.raises(RuleBroken, match="具体的人"):
        add_co_handler(case, actor=admin, union=tree.jinshui, words="请协助")
    add_co_handler(case, actor=admin, staff=helper, words="请协助")
    note_on_case(case, actor=helper, words="已查")
    assert knows(colleague, case) == set()
    assert knows(there, case) == set()
    offer_transfer(case, to=tree.jinshui, actor=admin, words="用工地在金水")
    assert "page" in knows(there, case)
    with pytest.raises(NotAllowed):
        accept_transfer(case, actor=helper)
    accept_transfer(case, actor=there)
    assert "page" in knows(there, case)
    assert knows(admin, case) == set()  # it was theirs; a secret goes with its owner
    accept_case(case, actor=there)
    with pytest.raises(NotAllowed):
        propose_result(case, actor=admin, words="好了")


def test_a_handler_of_an_ordinary_role_sees_the_one_case_that_was_assigned(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, cadre = post(tree.zhongyuan), post(tree.zhongyuan, Role.CADRE)
    mine, other = secret_case(tree, worker), secret_case(tree, worker)
    assign_case(mine, handler=cadre, actor=admin)
    assert list(visible_cases(cadre)) == [mine]
    assert not visible_cases(cadre).filter(pk=other.pk).exists()


def test_nothing_of_it_is_readable_in_the_database(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin = post(tree.zhongyuan)
    case = secret_case(tree, worker)
    accept_case(case, actor=admin, words=SECRET)
    tables = ["cases_case", "cases_caseevent", "unions_inboxmessage", "unions_auditentry"]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s", [f"%{SECRET}%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table
    assert case.opened["text"] == SECRET
    assert CaseEvent.objects.with_scopes_disabled().get(case=case, kind="accepted").said == SECRET
