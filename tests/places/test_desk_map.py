"""The desk's map: the same places as its list."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.unions.models import Union


def _client(post: PostMaker, union: Union) -> Client:
    client = Client()
    client.force_login(post(union).user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _drawn(page: str) -> list[dict[str, Any]]:
    found = re.search(r'<script id="desk-places" type="application/json">(.*?)</script>', page)
    drawn: list[dict[str, Any]] = json.loads(found.group(1)) if found else []
    return drawn


def test_the_map_draws_drafts_too_and_leads_to_each_place(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    draft = make_place(tree.zhongyuan, name="草稿</script>站", publish=False)
    make_place(tree.jinshui, name="公开站")
    page = _client(post, tree.zhengzhou).get("/desk/places/?view=map").text
    assert {place["name"] for place in _drawn(page)} == {"草稿</script>站", "公开站"}
    (found,) = (place for place in _drawn(page) if place["status"] == "draft")
    assert found["url"] == f"/desk/places/{draft.public_id}/"
    assert found["words"]
    assert "2 个" in page


def test_a_neighbours_places_are_neither_drawn_nor_counted(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.shenzhen, name="深圳站")
    page = _client(post, tree.zhengzhou).get("/desk/places/?view=map").text
    assert _drawn(page) == []
    assert "深圳站" not in page


def test_the_map_is_narrowed_as_the_list_is(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="甲站", publish=False)
    make_place(tree.zhongyuan, name="乙站")
    client = _client(post, tree.zhengzhou)
    page = client.get("/desk/places/?view=map&status=draft").text
    assert [place["name"] for place in _drawn(page)] == ["甲站"]
    assert "/desk/places/?status=draft" in page, "the way back to the list keeps the filter"
    assert 'href="/desk/places/?view=map"' in page, "showing all stays on the map"
    assert _drawn(client.get("/desk/places/?view=map&q=没有").text) == []
    assert "filter-bar-narrowed" in page
    assert "filter-bar-narrowed" not in client.get("/desk/places/?view=map").text


def test_who_holds_no_post_sees_no_map(client: Client, db: None) -> None:
    assert client.get("/desk/places/?view=map").status_code == 302
