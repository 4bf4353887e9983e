"""The directory as human services: answers hold to the published schemas of HSDS 3.0."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import brotli
import jsonschema_rs
import pytest
from django.test import Client

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places.services import close_place

SCHEMAS = Path(__file__).with_name("hsds_schemas")
ROOT = "/api/hsds"


@cache
def validator(name: str) -> Any:
    """Of one published schema; those that it names lie beside it."""

    def beside(address: str) -> Any:
        return json.loads((SCHEMAS / address.rpartition("/")[2]).read_text(encoding="utf-8"))

    schema = {**beside(f"{name}.json"), "$id": f"https://hsds.invalid/{name}.json"}
    return jsonschema_rs.Draft202012Validator(schema, retriever=beside, validate_formats=True)


def valid(name: str, told: Any) -> None:
    assert [str(error) for error in validator(name).iter_errors(told)] == []


@pytest.fixture
def places(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(
        tree.zhongyuan,
        offers=("water", "rest"),
        hours="Mo-Fr 08:00-12:00,14:00-20:00; Sa,Su 09:00-02:00; PH off",
        address="建设西路1号",
        district="中原区",
        contact="0371-12351",
        contact_is_service=True,
    )
    make_place(tree.jinshui, offers=("water",), hours="Jan-Mar Mo 08:00-10:00", contact="13812345678")
    make_place(tree.shenzhen, offers=(), hours="")
    make_place(tree.shenzhen, offers=("water",), publish=False)


def ask(path: str, **query: Any) -> Any:
    answer = Client().get(ROOT + path, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize(
    ("path", "listed", "single", "count"),
    [
        ("/organizations", "organization_list", "organization", 3),
        ("/services", "service_list", "service", 3),
        ("/locations", "location", "location", 3),
        ("/service_at_locations", "service_at_location_list", "service_at_location", 3),
        ("/schedules", "schedule", "schedule", 4),
        ("/taxonomies", "taxonomy", "taxonomy", 1),
        ("/taxonomy_terms", "taxonomy_term", "taxonomy_term", 20),
    ],
)
def test_lists_and_single_answers_hold_to_the_published_schemas(
    path: str, listed: str, single: str, count: int
) -> None:
    page = ask(path)
    assert page["total_items"] >= count
    assert (page["first_page"], page["last_page"], page["empty"], page["page_number"]) == (True, True, False, 1)
    assert page["size"] == len(page["contents"])
    for each in page["contents"]:
        valid(listed, each)
        one = ask(f"{path}/{each['id']}")
        valid(single, one)
        assert one["id"] == each["id"]


@pytest.mark.usefixtures("places")
def test_pages_follow_one_another_and_the_one_beyond_is_empty() -> None:
    whole = [each["id"] for each in ask("/locations")["contents"]]
    pages = [ask("/locations", page=number, per_page=2) for number in (1, 2, 3)]
    assert [each["id"] for page in pages for each in page["contents"]] == whole
    assert [(page["size"], page["last_page"], page["empty"]) for page in pages] == [
        (2, False, False),
        (1, True, False),
        (0, True, True),
    ]


@pytest.mark.usefixtures("places")
def test_hours_become_schedules_and_those_that_tell_more_than_a_week_stay_words() -> None:
    usual, odd, none = sorted(ask("/locations")["contents"], key=lambda place: place["name"])
    assert [(one["byday"], one["opens_at"], one["closes_at"]) for one in usual["schedules"]] == [
        ("MO,TU,WE,TH,FR", "08:00+08:00", "12:00+08:00"),
        ("MO,TU,WE,TH,FR", "14:00+08:00", "20:00+08:00"),
        ("SA,SU", "09:00+08:00", "02:00+08:00"),
    ]
    assert [set(one) for one in odd["schedules"]] == [{"id", "location_id", "description", "notes"}]
    assert none["schedules"] == []


@pytest.mark.usefixtures("places")
def test_schedules_as_a_list_are_those_of_the_locations(tree: UnionTree, make_place: PlaceMaker) -> None:
    for _each in range(3):
        make_place(tree.jinshui, hours="Mo-Fr 08:00-12:00,14:00-20:00")
    locations = ask("/locations")["contents"]
    theirs = {one["id"]: one for place in locations for one in place["schedules"]}
    listed = ask("/schedules")
    assert listed["total_items"] == len(theirs) == 10
    assert {one["id"]: one for one in listed["contents"]} == theirs
    for size in (1, 3, 4):
        paged = [one for page in range(1, 11) for one in ask("/schedules", page=page, per_page=size)["contents"]]
        assert paged == listed["contents"][: 10 * size]
    (place, *_others) = [place for place in locations if len(place["schedules"]) == 3]
    assert ask("/schedules", location_id=place["id"])["contents"] == place["schedules"]
    assert ask("/schedules", organization_id=tree.jinshui.public_id)["total_items"] == 7
    assert ask("/schedules", modified_after="2099-01-01T00:00:00Z")["empty"]


@pytest.mark.usefixtures("places")
def test_a_service_leads_to_its_places_and_narrowing_narrows(tree: UnionTree) -> None:
    (term,) = [one for one in ask("/taxonomy_terms")["contents"] if one["code"] == "rest"]
    (service,) = ask("/services", taxonomy_term_id=term["id"])["contents"]
    assert service["organization_id"] == str(tree.zhongyuan.public_id)
    assert service["organization"]["parent_organization_id"] == str(tree.zhengzhou.public_id)
    (found,) = ask("/service_at_locations", taxonomy_term_id=term["id"])["contents"]
    assert found["service_id"] == service["id"]
    assert ask("/service_at_locations", organization_id=tree.jinshui.public_id)["total_items"] == 1
    assert ask("/locations", modified_after="2099-01-01T00:00:00Z")["empty"]
    assert ask("/organizations", search="金水")["total_items"] == 1


@pytest.mark.usefixtures("places")
def test_a_large_page_comes_as_brotli_to_who_likes_that_best() -> None:
    answer = Client().get(f"{ROOT}/locations", headers={"Accept-Encoding": "br, gzip;q=0.9"})
    assert answer["Content-Encoding"] == "br"
    assert {"Accept-Encoding", "Accept"} <= set(answer["Vary"].split(", "))
    assert json.loads(brotli.decompress(answer.content)) == ask("/locations")
    assert "Content-Encoding" not in Client().get(f"{ROOT}/locations", headers={"Accept-Encoding": "br, zstd"})


@pytest.mark.usefixtures("places")
def test_private_telephones_stay_in_the_house() -> None:
    text = json.dumps(ask("/locations"), ensure_ascii=False)
    assert "0371-12351" in text
    assert "13812345678" not in text
    assert "138****" not in text


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "per_page=9999",
        "organization_id=x",
        "modified_after=yesterday",
        "modified_after=0432-08-20T23:23:39.7%2B19:55",
        "shoe=1",
        "page=1&page=2",
    ],
)
def test_a_broken_parameter_is_named(query: str) -> None:
    answer = Client().get(f"{ROOT}/service_at_locations?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_what_is_closed_is_gone(tree: UnionTree, make_place: PlaceMaker, post: PostMaker) -> None:
    place = make_place(tree.zhongyuan, offers=("water",), hours="24/7")
    offered = ask("/service_at_locations")["contents"][0]["id"]
    shown = ask("/schedules")["contents"][0]["id"]
    close_place(place, actor=post(tree.zhongyuan))
    assert Client().get(f"{ROOT}/locations/{place.public_id}").status_code == 410
    assert Client().get(f"{ROOT}/service_at_locations/{offered}").status_code == 404
    assert Client().get(f"{ROOT}/schedules/{shown}").status_code == 404
    assert ask("/service_at_locations")["empty"]


def test_lists_ask_the_database_as_often_for_many_as_for_few(
    tree: UnionTree, make_place: PlaceMaker, django_assert_max_num_queries: Any
) -> None:
    for _each in range(6):
        make_place(tree.zhongyuan, offers=("water", "rest"))
    for path in ("/organizations", "/services", "/locations", "/service_at_locations", "/schedules"):
        ask(path)
        with django_assert_max_num_queries(8):
            ask(path)
