"""The seeds' figures: made again from rows, and equal on the page, in the export, over the API and on the command line.

Runs at a part of the seeds' size; `YIZHAN_TEST_OUTCOME_PART=1` asks for all of it.
"""

from __future__ import annotations

import csv
import io
import os
import random
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django_scopes import scope
from openpyxl import load_workbook
from typer.testing import CliRunner

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.commands import app
from yizhan.cases.models import Case, CaseSource, CaseState, Link, LinkKind, Visit, VisitPerson
from yizhan.cases.outcome.figures import DIMENSIONS, Narrowing, lines, links_now, total
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.rights import Role

PART = int(os.environ.get("YIZHAN_TEST_OUTCOME_PART", "40"))
VISITS, LINKED, SOLVED = 2_970 // PART, 58_000 // PART, 4_998 // PART
REOPENED, REFUSED, LATE, COUNTED = 320 // PART, 90 // PART, 610 // PART, 7  # people counted on every visit


def _generate(tree: UnionTree, posts: list[Staff]) -> None:
    """The rows as bulk: this many visits, linked workers and solved cases, spread over the unions."""
    chance = random.Random(6)  # noqa: S311 - a sample, not a secret
    now = timezone.now().replace(microsecond=0)
    unions = [tree.zhengzhou, tree.zhongyuan, tree.jinshui, tree.shifo]
    owner = {post.union_id: post for post in posts}
    users = User.objects.bulk_create(
        [User(username=f"rider{number}", name=f"小哥{number}") for number in range(LINKED)], batch_size=5_000
    )
    workers = Worker.objects.with_scopes_disabled().bulk_create(
        [Worker(user=user, union=unions[number % 4], occupation="food_rider") for number, user in enumerate(users)],
        batch_size=5_000,
    )
    ends = [(workers[number], owner[workers[number].union_id or 0]) for number in range(LINKED)]
    # Every tenth is linked at two levels, and still is one worker.
    ends += [(worker, owner[tree.henan.pk]) for worker in workers[::10]]
    Link.objects.with_scopes_disabled().bulk_create(
        [Link(post=post, kind=LinkKind.WORKER, worker=worker, began_at=now) for worker, post in ends],
        batch_size=5_000,
    )
    visits = Visit.objects.with_scopes_disabled().bulk_create(
        [
            Visit(
                client_id=uuid4(),
                post=owner[unions[number % 4].pk],
                union=unions[number % 4],
                kind=("home", "group", "heart")[number % 3],
                at=now - timedelta(days=chance.randint(0, 300)),
                where="小区",
                counted=COUNTED,
            )
            for number in range(VISITS)
        ],
        batch_size=2_000,
    )
    # The same ten workers are met again and again, at every level.
    VisitPerson.objects.with_scopes_disabled().bulk_create(
        [VisitPerson(visit=visit, worker=workers[number % 10]) for number, visit in enumerate(visits)],
        batch_size=5_000,
    )
    fates = [(CaseState.CLOSED, 0)] * SOLVED + [(CaseState.CLOSED, 1)] * REOPENED + [(CaseState.REFUSED, 0)] * REFUSED
    Case.objects.with_scopes_disabled().bulk_create(
        [
            Case(
                number=f"20260101-{number:06d}",
                kind=("need", "wish", "suggestion")[number % 3],
                title="站点没有充电口",
                source=CaseSource.VISIT,
                submitted_at=now - timedelta(days=chance.randint(0, 300)),
                submitted_to=unions[number % 4],
                union=unions[number % 4],
                handler=owner[unions[number % 4].pk] if number % 5 else None,
                state=state,
                times_reopened=reopened,
                was_late=number < LATE,
                closed_at=now,
                closed_how="confirmed" if state == CaseState.CLOSED else "",
                stars=5 - number % 2 if state == CaseState.CLOSED else None,
            )
            for number, (state, reopened) in enumerate(fates)
        ],
        batch_size=2_000,
    )


def _posts(tree: UnionTree, post: PostMaker) -> list[Staff]:
    return [post(union) for union in (tree.henan, tree.zhengzhou, tree.zhongyuan, tree.jinshui, tree.shifo)]


@pytest.mark.django_db
def test_the_seeds_figures_are_the_same_on_page_in_export_api_and_command(tree: UnionTree, post: PostMaker) -> None:
    posts = _posts(tree, post)
    _generate(tree, posts)
    province, client = posts[0], Client()
    client.force_login(province.user)
    expected = {
        "visits": VISITS,
        "people_named": min(10, VISITS),
        "people_counted": VISITS * COUNTED,
        "people": min(10, VISITS) + VISITS * COUNTED,
        "brought": SOLVED + REOPENED + REFUSED,
        "solved": SOLVED,
        "reopened": REOPENED,
        "late": LATE,
        "on_time": SOLVED + REOPENED + REFUSED - LATE,
    }
    answer = client.get("/api/case-figures").json()
    assert {name: answer["total"][name] for name in expected} == expected
    assert answer["linked"]["workers"] == LINKED
    page = client.get(reverse("cases:figures"))
    shown = page.context["total"].figures
    assert shown == {name: value for name, value in answer["total"].items() if name != "label"}
    with translation.override("zh-hans"):  # which sets digits off in its own way
        assert {intcomma(VISITS), intcomma(SOLVED)} <= {
            text.strip() for text in re.split(r"[<>]", page.content.decode())
        }
    for by in DIMENSIONS:
        told = client.get(f"/api/case-figures?by={by}").json()["lines"]
        seen = client.get(f"{reverse('cases:figures')}?by={by}").context["lines"]
        assert [{"label": line.label, **line.figures} for line in seen] == told
        exported = client.get(f"{reverse('cases:figures_export', args=['csv'])}?by={by}")
        rows = list(csv.reader(io.StringIO(exported.content.decode("utf-8-sig"))))[1:]
        cells = [[line["label"], *(_cell(value) for name, value in line.items() if name != "label")] for line in told]
        assert rows[:-1] == cells
        assert rows[-1][1:] == [_cell(value) for name, value in answer["total"].items() if name != "label"]
        if by != "staff":
            assert sum(line["visits"] or 0 for line in told) == VISITS
        assert sum(line["solved"] or 0 for line in told) == SOLVED
    book = load_workbook(io.BytesIO(client.get(reverse("cases:figures_export", args=["xlsx"])).content))
    assert [cell.value for cell in list(book.active.rows)[-1]][1] == VISITS
    spoken = CliRunner().invoke(app, ["outcome", "figures", "--union", "41", "--csv"])
    assert spoken.exit_code == 0, spoken.output
    last = spoken.stdout.strip().splitlines()[-1].split(",")
    assert last[1:] == [_cell(value) for name, value in answer["total"].items() if name != "label"]


def _cell(value: float | None) -> str:
    return "" if value is None else str(value)


def _count_of_list(client: Client, address: str) -> int:
    """How many rows a list of the desk says it shows."""
    context = client.get(address).context
    return int(context["count"] if "count" in context else context["page"].paginator.count)


@pytest.mark.django_db
def test_every_figure_opens_the_rows_behind_it(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    posts = _posts(tree, post)
    _generate(tree, posts)
    city, client = posts[1], Client()
    client.force_login(city.user)
    cases, visits = reverse("cases:cases"), reverse("cases:visits")
    for by in DIMENSIONS:
        shown = client.get(f"{reverse('cases:figures')}?by={by}").context
        some = shown["lines"][:2] + shown["lines"][-1:]
        for line in [shown["total"], *some]:
            if line.visits:
                assert _count_of_list(client, f"{visits}?{line.visit_rows}") == line.visits.visits
            if line.cases:
                for name in ("brought", "solved", "on_time", "late", "reopened", "rated", "open"):
                    opened = f"{cases}?{getattr(line, f'{name}_rows')}"
                    assert _count_of_list(client, opened) == line.figures[name], (by, line.label, name)


def test_a_neighbour_counts_nothing_and_a_confidential_case_counts_for_its_circle_only(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    circle, above, neighbour = post(tree.zhongyuan), post(tree.henan), post(tree.jinshui)
    make_case(tree.zhongyuan, kind="rights", worker=worker(tree.zhongyuan))
    make_case(tree.zhongyuan, kind="need", worker=worker(tree.zhongyuan))

    def brought(staff: Staff) -> set[Any]:
        client = Client()
        client.force_login(staff.user)
        answer = client.get("/api/case-figures?by=kind").json()
        exported = client.get(reverse("cases:figures_export", args=["csv"])).content.decode("utf-8-sig")
        last = list(csv.reader(io.StringIO(exported)))[-1]
        page = client.get(reverse("cases:figures")).context["total"].cases.submitted
        return {answer["total"]["brought"], int(last[6]), page}

    assert brought(circle) == {2}
    assert brought(above) == {1}
    assert brought(neighbour) == {0}
    client = Client()
    client.force_login(neighbour.user)
    assert client.get(f"/api/case-figures?under={tree.zhongyuan.public_id}").status_code == 404
    page = client.get(f"{reverse('cases:figures')}?under={tree.zhongyuan.public_id}")
    assert page.context["under"] == tree.jinshui
    assert Client().get("/api/case-figures").status_code == 401
    keeper = Client()
    keeper.force_login(post(tree.zhongyuan, Role.KEEPER).user)
    assert keeper.get("/api/case-figures").status_code == 403


def test_the_page_asks_as_much_for_many_rows_as_for_few(tree: UnionTree, post: PostMaker) -> None:
    posts = _posts(tree, post)
    client = Client()
    client.force_login(posts[0].user)
    address = reverse("cases:figures")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    _generate(tree, posts)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) <= len(few) + 3
    assert len(many) <= 30


def test_the_service_gives_what_the_page_gives(tree: UnionTree, post: PostMaker) -> None:
    posts = _posts(tree, post)
    _generate(tree, posts)
    with scope(union=tree.henan.path):
        narrowing = Narrowing(under=tree.zhongyuan)
        whole = total(posts[0], narrowing)
        parts = lines(posts[0], narrowing, "union")
        assert whole.figures["solved"] == sum(int(line.figures["solved"] or 0) for line in parts)
        assert links_now(posts[0], Narrowing(under=tree.henan)).workers == LINKED
