"""Pages for everyone: open data, the map to embed, and what search engines read."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.facts import PlaceFacts
from yizhan.feeds.queries import public
from yizhan.places.services import close_place

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def page(path: str, **headers: str) -> Any:
    answer = Client(headers=headers).get(path)
    assert answer.status_code == 200, answer.content
    return answer


def test_the_open_data_page_says_licence_number_and_every_field(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan)
    make_place(tree.zhongyuan, kind="restaurant")
    for language in ("zh-hans", "en"):
        client = Client()
        client.cookies["django_language"] = language
        text = client.get("/open-data/").content.decode()
        assert "CC BY 4.0" in text
        assert "https://creativecommons.org/licenses/by/4.0/" in text
        for field in PlaceFacts.__struct_fields__:
            assert f">{field}</th>" in text
    assert "Chinese" in text


def test_only_the_map_to_embed_may_stand_in_a_frame(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan)
    embed = page(f"/embed/?union={tree.zhengzhou.public_id}&kind=station&lang=en")
    assert "frame-ancestors *" in embed["Content-Security-Policy"]
    assert "X-Frame-Options" not in embed
    assert "Map of stations" in embed.content.decode()
    other = page("/open-data/")
    assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
    assert other["X-Frame-Options"] == "DENY"
    for query in ("kind=palace", "union=1"):
        assert Client().get(f"/embed/?{query}").status_code == 422


def test_the_lines_to_copy_name_the_map_that_was_chosen(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan)
    text = page(f"/embed/code/?union={tree.zhongyuan.public_id}&kind=station&lang=en&height=300").content.decode()
    (address,) = re.findall(r"&lt;iframe src=\"([^\"]+)\" width=\"100%\" height=\"300\"", text)
    assert address == f"http://testserver/embed/?union={tree.zhongyuan.public_id}&amp;kind=station&amp;lang=en"


def test_search_engines_find_every_published_place_in_parts(
    tree: UnionTree, make_place: PlaceMaker, post: PostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "PART", 2)
    places = [make_place(tree.zhongyuan) for _each in range(5)]
    close_place(places.pop(), actor=post(tree.zhongyuan))
    index = ET.fromstring(page("/sitemap.xml").content)  # noqa: S314 - ours
    parts = [loc.text.removeprefix("http://testserver") for loc in index.iter(f"{SITEMAP}loc")]  # type: ignore[union-attr]
    assert parts == ["/sitemap-pages.xml", "/sitemap-places-0.xml", "/sitemap-places-1.xml"]
    found = []
    for part in parts:
        tree_of_part = ET.fromstring(page(part).content)  # noqa: S314
        found += [loc.text for loc in tree_of_part.iter(f"{SITEMAP}loc")]
    assert {f"http://testserver/places/{place.public_id}/" for place in places} < set(found)
    assert len(found) == 8
    assert Client().get("/sitemap-places-2.xml").status_code == 404
    text = page("/robots.txt").content.decode()
    assert "Sitemap: http://testserver/sitemap.xml" in text
    assert "Disallow: /desk/" in text


def test_a_places_page_tells_search_engines_what_it_is(
    tree: UnionTree, make_place: PlaceMaker, post: PostMaker
) -> None:
    place = make_place(
        tree.zhongyuan,
        name="</script><script>alert(1)</script>",
        offers=("water",),
        hours="Mo-Fr 08:00-20:00",
        contact="0371-12351",
        contact_is_service=True,
    )
    text = page(f"/places/{place.public_id}/").content.decode()
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    told = json.loads(block)
    assert told["name"] == place.name
    assert told["telephone"] == "0371-12351"
    assert told["geo"]["longitude"] == round(place.lon, 6)
    assert told["openingHoursSpecification"][0]["opens"] == "08:00"
    assert len(told["openingHoursSpecification"][0]["dayOfWeek"]) == 5
    assert [one["name"] for one in told["amenityFeature"]]


def test_a_private_contact_is_told_to_no_search_engine(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan, contact="王站长 13812345678")
    assert "telephone" not in page(f"/places/{place.public_id}/").content.decode()


def test_the_pages_cost_a_constant_number_of_questions(
    tree: UnionTree, make_place: PlaceMaker, django_assert_max_num_queries: Any
) -> None:
    for _each in range(6):
        make_place(tree.zhongyuan)
    page("/open-data/")
    for path in ("/open-data/", "/embed/", "/embed/code/", "/sitemap.xml", "/sitemap-places-0.xml"):
        with django_assert_max_num_queries(8):
            page(path)
