"""OGC API – Features, part 1: the requirements of the classes core, GeoJSON, HTML and OpenAPI 3.0, one by one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places.models import Place
from yizhan.places.services import withdraw_place

ROOT = "/api/ogc"
ITEMS = f"{ROOT}/collections/places/items"
CONFORMANCE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"


@pytest.fixture
def places(tree: UnionTree, make_place: PlaceMaker) -> list[Place]:
    return [make_place(tree.zhongyuan if number % 2 else tree.shenzhen, offers=("water",)) for number in range(7)]


def ask(address: str, status: int = 200, **headers: str) -> Any:
    parts = urlsplit(address)
    answer = Client(headers=headers).get(f"{parts.path}?{parts.query}")
    assert answer.status_code == status, answer.content
    return answer


def links(body: Any, rel: str) -> list[dict[str, str]]:
    return [link for link in body["links"] if link["rel"] == rel]


class TestCore:
    """Table 1 of OGC 17-069r4, class core."""

    pytestmark = pytest.mark.usefixtures("db")

    def test_req_1_2_the_root_leads_to_definition_conformance_and_collections(self) -> None:
        body = ask(f"{ROOT}/").json()
        assert links(body, "service-desc")
        assert links(body, "service-doc")
        assert links(body, "conformance")
        assert links(body, "data")
        assert ask(ROOT).json() == body
        for link in body["links"]:
            if link["href"].startswith("http://testserver"):
                answer = ask(link["href"])
                assert answer["Content-Type"].partition(";")[0] == link["type"].partition(";")[0]

    def test_req_3_4_the_definition_is_there(self) -> None:
        answer = ask(f"{ROOT}/api")
        assert answer["Content-Type"].startswith("application/vnd.oai.openapi+json;version=3.0")
        assert answer.json()["openapi"].startswith("3.0")

    def test_req_5_6_conformance_names_its_classes(self) -> None:
        named = ask(f"{ROOT}/conformance").json()["conformsTo"]
        assert {CONFORMANCE + name for name in ("core", "oas30", "html", "geojson")} == set(named)

    def test_req_7_http_1_1_is_kept(self) -> None:
        assert Client().post(f"{ROOT}/collections").status_code == 405
        assert Client().head(ITEMS).status_code == 200

    @pytest.mark.parametrize("path", ["/", "/conformance", "/api", "/collections", "/collections/places"])
    def test_req_8_an_unknown_parameter_is_a_400(self, path: str) -> None:
        ask(f"{ROOT}{path}?unknown=1", 400)

    @pytest.mark.parametrize(
        "query",
        [
            "unknown=1",
            "f=shoe",
            "limit=0",
            "limit=-1",
            "limit=abc",
            "bbox=1,2,3",
            "bbox=a,b,c,d",
            "bbox=",
            "bbox=1,9,2,3",
            "bbox=1,2,3,4,5",
            "bbox=nan,1,2,3",
            "datetime=yesterday",
            "datetime=0001-01-01T00:00:00%2B14:00",
            "datetime=9999-12-31/..",
            "datetime=2026-11-24T00:00:00",
            "datetime=a/b/c",
            "datetime=2027-01-01T00:00:00Z/2026-01-01T00:00:00Z",
            "cursor=1",
            "kinds=palace",
            "union=1",
            "limit=1&limit=2",
        ],
    )
    def test_req_8_9_a_parameter_of_the_items_that_is_wrong_is_a_400(self, query: str) -> None:
        answer = ask(f"{ITEMS}?{query}", 400)
        assert answer["Content-Type"] == "application/problem+json"

    def test_req_10_positions_are_crs84_longitude_first(self, places: list[Place]) -> None:
        lon, lat = ask(f"{ITEMS}/{places[0].public_id}").json()["geometry"]["coordinates"]
        assert (lon, lat) == (round(places[0].lon, 6), round(places[0].lat, 6))

    def test_req_11_to_16_the_collections_describe_themselves(self, places: list[Place]) -> None:
        body = ask(f"{ROOT}/collections").json()
        assert links(body, "self")
        assert links(body, "alternate")
        (collection,) = body["collections"]
        assert {link["type"] for link in links(collection, "items")} == {"application/geo+json", "text/html"}
        (west, south, east, north) = collection["extent"]["spatial"]["bbox"][0]
        assert all(west <= place.lon <= east and south <= place.lat <= north for place in places)
        assert collection["extent"]["spatial"]["crs"] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

    def test_req_17_18_one_collection_is_the_same_alone(self) -> None:
        assert ask(f"{ROOT}/collections/places").json() == ask(f"{ROOT}/collections").json()["collections"][0]
        ask(f"{ROOT}/collections/palaces", 404)

    def test_req_19_20_21_a_limit_is_kept_and_a_larger_one_is_no_error(self, places: list[Place]) -> None:
        assert len(ask(f"{ITEMS}?limit=3").json()["features"]) == 3
        assert len(ask(f"{ITEMS}?limit=10000000").json()["features"]) == len(places)

    def test_req_22_23_24_a_box_selects_what_lies_in_it(self, places: list[Place]) -> None:
        first = places[0]
        west, east = first.lon - 0.0005, first.lon + 0.0005
        for box in (f"{west},34,{east},35", f"{west},34,-100,{east},35,9000"):
            (found,) = ask(f"{ITEMS}?bbox={box}").json()["features"]
            assert found["id"] == str(first.public_id)
        assert ask(f"{ITEMS}?bbox=-10,-10,10,10").json()["features"] == []
        over_the_date_line = ask(f"{ITEMS}?bbox=100,0,-100,50").json()
        assert over_the_date_line["numberMatched"] == len(places)

    def test_req_25_26_a_time_selects_what_changed_then(self, places: list[Place]) -> None:
        changed = ask(ITEMS).json()["features"][0]["properties"]["changed_at"]
        for span in (changed, "2020-01-01/..", "../2099-12-31T00:00:00Z", f"{changed}/..", "../.."):
            assert ask(f"{ITEMS}?datetime={span}").json()["numberMatched"] >= 1
        assert ask(f"{ITEMS}?datetime=2099-01-01T00:00:00Z/..").json()["numberMatched"] == 0

    def test_req_27_28_29_30_the_answer_links_to_itself_and_to_the_next_page(self, places: list[Place]) -> None:
        address: str | None = f"{ITEMS}?limit=3&kinds=station"
        seen: list[str] = []
        while address:
            body = ask(address).json()
            assert body["numberMatched"] == len(places)
            assert body["numberReturned"] == len(body["features"])
            assert body["timeStamp"].endswith("Z")
            assert links(body, "self")
            assert links(body, "alternate")
            seen += [feature["id"] for feature in body["features"]]
            following = links(body, "next")
            assert all(link["type"] == "application/geo+json" for link in following)
            address = following[0]["href"] if following else None
        assert sorted(seen) == sorted(str(place.public_id) for place in places)
        assert len(set(seen)) == len(seen)

    def test_req_31_to_35_one_feature_links_to_itself_and_to_its_collection(self, places: list[Place]) -> None:
        body = ask(f"{ITEMS}/{places[0].public_id}").json()
        assert body["type"] == "Feature"
        for rel in ("self", "alternate", "collection"):
            (link,) = links(body, rel)
            ask(link["href"])
        ask(f"{ITEMS}/0193593e-6d00-7a11-8f30-59495a48414f", 404)
        ask(f"{ITEMS}/shoe", 404)


@pytest.mark.parametrize(
    "path", ["/", "/conformance", "/api", "/collections", "/collections/places", "/collections/places/items"]
)
def test_every_answer_exists_as_a_page_that_links_back(places: list[Place], path: str) -> None:
    for answer in (
        ask(f"{ROOT}{path}?f=html"),
        ask(f"{ROOT}{path}", accept="text/html,application/xml;q=0.9,*/*;q=0.8"),
    ):
        assert answer["Content-Type"].startswith("text/html")
    page = ask(f"{ITEMS}/{places[0].public_id}?f=html").content.decode()
    assert places[0].name in page


def test_what_is_withdrawn_is_gone_and_a_neighbours_filter_finds_only_its_own(
    places: list[Place], tree: UnionTree, post: PostMaker
) -> None:
    withdraw_place(places[1], actor=post(tree.zhongyuan), reason="装修")
    assert ask(f"{ITEMS}/{places[1].public_id}", 410).json()["detail"] == "withdrawn"
    assert ask(ITEMS).json()["numberMatched"] == 6
    assert ask(f"{ITEMS}?union={tree.guangdong.public_id}").json()["numberMatched"] == 4


def test_an_answer_that_did_not_change_is_not_sent_again(places: list[Place], tree: UnionTree, post: PostMaker) -> None:
    tag = ask(ITEMS)["ETag"]
    assert Client(headers={"if-none-match": tag}).get(ITEMS).status_code == 304
    withdraw_place(places[1], actor=post(tree.zhongyuan), reason="装修")
    assert Client(headers={"if-none-match": tag}).get(ITEMS).status_code == 200


def test_a_page_of_items_asks_the_database_as_often_for_many_as_for_few(
    places: list[Place], django_assert_max_num_queries: Any
) -> None:
    ask(ITEMS)
    with django_assert_max_num_queries(4):
        ask(ITEMS)
