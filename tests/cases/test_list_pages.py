"""Every list of the room stays within its queries, with rows in it and whoever asks; what is due is asked by keys."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases import outreach_sample, sample_wishes
from yizhan.unions.rights import Role

MOST_QUERIES = 12
LISTS = (
    "/desk/cases/",
    "/desk/cases/?waiting=all&q=充电&kind=need&union=郑州&handler=王&source=worker&since=2026-01-01",
    "/desk/cases/?waiting=late&order=newest",
    "/desk/cases/?kind=rights",
    "/desk/cases/problems/",
    "/desk/figures/",
    "/desk/figures/?by=staff",
    "/desk/visits/",
    "/desk/visits/?q=站&kind=home&state=heard&union=郑州&person=王",
    "/desk/rounds/",
    "/desk/links/",
    "/desk/links/?q=小&kind=worker&state=standing&union=郑州&post=王",
    "/desk/links/coverage/",
    "/desk/links/targets/",
    "/desk/links/hand-overs/",
    "/desk/wishes/",
    "/desk/wishes/?q=雨衣&state=published&union=郑州",
    "/desk/sponsors/",
    "/desk/stock/",
    "/desk/stock/out/",
    "/desk/roster/",
    "/desk/meetings/",
    "/desk/ledger/",
    "/desk/inbox/",
    "/results/",
    "/wishes/",
)


@pytest.mark.django_db
def test_no_list_asks_more_than_twelve_times(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    boss, cadre = post(tree.zhengzhou), post(tree.zhongyuan, Role.CADRE)
    for _turn in range(3):
        rider = worker(tree.zhongyuan)
        for kind in ("need", "wish", "rights", "consultation"):
            make_case(tree.zhongyuan, kind=kind, worker=rider)
    outreach_sample.fill(tree.zhengzhou, actor=boss, seed=1)
    sample_wishes.fill(tree.zhengzhou, actor=boss, seed=1)
    asked: dict[tuple[str, str], int] = {}
    for person in (boss, cadre):
        client = Client()
        client.force_login(person.user)
        for address in LISTS:
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200, address
            asked[str(person.role), address] = len(captured)
    assert {page: count for page, count in asked.items() if count > MOST_QUERIES} == {}
