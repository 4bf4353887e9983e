"""Lists that are taken home."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions.exports import harmless
from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import Role


def rows_of(response: object, form: str) -> list[list[object]]:
    content: bytes = response.content  # type: ignore[attr-defined]
    if form == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return [list(row) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_list_of_posts_has_a_row_for_each_post_below_and_none_beside(
    client: Client, tree: UnionTree, post: PostMaker, form: str
) -> None:
    admin = post(tree.zhengzhou)
    for union in (tree.zhongyuan, tree.shifo, tree.jinshui):
        post(union, Role.KEEPER)
    post(tree.henan, Role.CADRE)
    post(tree.shenzhen, Role.KEEPER, name="邻居")
    client.force_login(admin.user)
    rows = rows_of(client.get(reverse("unions:export_posts", args=[form])), form)
    assert len(rows) == 1 + 4
    assert "邻居" not in str(rows)
    narrowed = rows_of(client.get(reverse("unions:export_posts", args=[form]), {"role": "keeper"}), form)
    assert len(narrowed) == 1 + 3
    entry = AuditEntry.objects.with_scopes_disabled().filter(action="people.posts_exported").earliest("pk")
    assert entry.details == {"rows": 4, "form": form}


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_list_of_workers_is_masked_and_complete(
    client: Client, tree: UnionTree, post: PostMaker, worker: WorkerMaker, form: str
) -> None:
    for union in (tree.zhongyuan, tree.shifo, tree.shenzhen):
        worker(union)
    worker()
    client.force_login(post(tree.zhengzhou, Role.CADRE).user)
    rows = rows_of(client.get(reverse("unions:export_workers", args=[form])), form)
    assert len(rows) == 1 + 2
    assert "13800138001" not in str(rows)
    assert "138****8001" in str(rows)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_trail_is_exported_whole(client: Client, tree: UnionTree, post: PostMaker, form: str) -> None:
    client.force_login(post(tree.zhengzhou).user)  # the sign-in itself is an entry
    for _turn in range(3):
        client.get(reverse("unions:audit"))
    assert len(rows_of(client.get(reverse("unions:export_audit", args=[form])), form)) == 1 + 1 + 3


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_name_that_looks_like_a_formula_stays_text(
    client: Client, tree: UnionTree, post: PostMaker, form: str
) -> None:
    admin = post(tree.zhengzhou)
    Staff.objects.with_scopes_disabled().get(pk=post(tree.shifo, Role.KEEPER, name='=HYPERLINK("http://x")').pk)
    client.force_login(admin.user)
    assert "'=HYPERLINK(" in str(rows_of(client.get(reverse("unions:export_posts", args=[form])), form))


def test_another_form_is_not_offered(client: Client, tree: UnionTree, post: PostMaker) -> None:
    client.force_login(post(tree.zhengzhou).user)
    assert client.get(reverse("unions:export_posts", args=["exe"])).status_code == 404


@given(st.text())
def test_no_text_begins_like_a_formula_and_none_is_lost(text: str) -> None:
    cell = harmless(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text.removeprefix("'")
