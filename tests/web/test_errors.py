"""Pages for what goes wrong: our own look, the reader's language, nothing of the inside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.models import Staff
from yizhan.unions.rights import Role
from yizhan.web.views import errors


def test_a_page_that_is_not_there_says_so_in_both_languages(client: Client) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "找不到这个页面" in answer.text
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    english = client.get("/no/such/page")
    assert "There is no such page" in english.text
    assert "no/such/page" not in english.text


def test_error_pages_ask_nothing_of_the_database() -> None:
    """It may be what failed. This test has no access to it, so that asking would fail here."""
    request = RequestFactory().get("/")
    for page in (
        errors.bad_request(request, SuspiciousOperation("secret inside")),
        errors.forbidden(request, PermissionDenied()),
        errors.not_found(request, Exception("secret inside")),
        errors.server_error(request),
        errors.csrf_failure(request, "secret reason"),
    ):
        assert "secret" not in page.content.decode()
        assert 'class="brand"' in page.content.decode()


def test_what_breaks_inside_is_not_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_arguments: object) -> None:
        raise RuntimeError("password of the database")

    monkeypatch.setattr("yizhan.web.views.pages.nearby.Wish.read", breaks)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "系统出了点问题" in answer.text
    assert "password" not in answer.text


def test_a_form_from_elsewhere_is_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/language/", {"language": "en"})
    assert answer.status_code == 403
    assert "表单已过期" in answer.text


def test_who_lacks_a_right_reads_which(tree: UnionTree, post: PostMaker, acting: Callable[[Staff], Client]) -> None:
    answer = acting(post(tree.zhongyuan, Role.READER)).get("/desk/audit/")
    assert answer.status_code == 403
    assert tree.zhongyuan.name in answer.text
