"""Lists over HTTP: by text, in a box, along a route; in pages that neither lose nor repeat."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.places.conftest import shanghai
from tests.places.test_index import NOON, snapshot_of
from yizhan.geo import Datum, convert
from yizhan.places.hot import routes_of
from yizhan.places.index import Line, Narrowing, PlaceIndex
from yizhan.places.paging import BadCursor, Cursor, part_of
from yizhan.places.prepared import Prepared
from yizhan.places.routes import LARGEST_BODY
from yizhan.places.snapshot import Snapshot

PROVINCE, CITY = uuid4(), uuid4()
NAMES = ["高新区驿站", "老高新区餐厅", "光学桥驿站", "中原路修车点"]
ROWS = [
    (113.620, 34.750, "24/7", "station", frozenset({"water", "rest"})),
    (113.630, 34.750, "08:00-22:00", "restaurant", frozenset({"meal"})),
    (113.640, 34.752, "22:00-06:00", "station", frozenset({"water"})),
    (113.650, 34.750, "", "repair_point", frozenset()),
]


def directory() -> Snapshot:
    return replace(
        snapshot_of(ROWS),
        names=NAMES,
        districts=["高新区", "高新区", "", "中原区"],
        union_paths=["00010001", "0001", "0002", "00010001"],
        unions={PROVINCE: "0001", CITY: "00010001"},
    )


@pytest.fixture
def client() -> Any:
    keeper: Any = SimpleNamespace(current=Prepared(PlaceIndex(directory())))
    with time_machine.travel(NOON, tick=False):
        yield TestClient(Starlette(routes=routes_of(keeper)))


def asked(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/places/{path}", params={"datum": "WGS-84", **query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["count"] == len(body["places"])
    return body


def names(body: dict[str, Any]) -> list[str]:
    return [place["name"] for place in body["places"]]


def test_a_text_finds_places_best_first_and_says_nothing_of_distance(client: TestClient) -> None:
    body = asked(client, "search", q="gxq")
    assert set(names(body)[:2]) == {"高新区驿站", "老高新区餐厅"}, "their district is just that"
    assert names(body)[2:] == ["光学桥驿站"]
    assert all("distance_m" not in place for place in body["places"])
    assert names(asked(client, "search", q="高新区驿"))[0] == "高新区驿站"


def test_what_answers_as_well_comes_by_distance(client: TestClient) -> None:
    east = asked(client, "search", q="高新区", lon=113.66, lat=34.75)
    west = asked(client, "search", q="高新区", lon=113.60, lat=34.75)
    assert names(east) == ["老高新区餐厅", "高新区驿站"]
    assert names(west) == ["高新区驿站", "老高新区餐厅"]
    assert west["places"][0]["distance_m"] == pytest.approx(1827, abs=3)


def test_a_search_is_narrowed_by_hours_kind_services_and_union(client: TestClient) -> None:
    assert names(asked(client, "search", q="驿站", open="now")) == ["高新区驿站"]
    assert names(asked(client, "search", q="gxq", kinds="restaurant")) == ["老高新区餐厅"]
    assert names(asked(client, "search", q="驿站", offers="rest,water")) == ["高新区驿站"]
    assert set(names(asked(client, "search", q="gxq", any_offers="rest,meal"))) == {"高新区驿站", "老高新区餐厅"}
    assert set(names(asked(client, "search", q="gxq", union=PROVINCE))) == {"高新区驿站", "老高新区餐厅"}
    assert names(asked(client, "search", q="gxq", union=CITY)) == ["高新区驿站"]


def test_a_box_holds_its_places_in_pages(client: TestClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = asked(
            client, "in-box", bbox="113.6,34.7,113.645,34.8", limit=1, **({"cursor": cursor} if cursor else {})
        )
        assert page["total"] == 3
        seen += [place["id"] for place in page["places"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == 3
    assert seen == sorted(seen)


def test_a_box_in_another_datum_is_answered_in_it(client: TestClient) -> None:
    lon, lat = convert(113.65, 34.75, source=Datum.WGS84, target=Datum.BD09)
    body = asked(client, "in-box", datum="BD-09", bbox=f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}")
    (place,) = body["places"]
    assert (place["lon"], place["lat"]) == (pytest.approx(lon, abs=2e-6), pytest.approx(lat, abs=2e-6))


def test_a_route_tells_the_places_on_the_way_in_the_order_of_the_ride(client: TestClient) -> None:
    there = asked(client, "along-route", route="113.6,34.75;113.66,34.75", open="any")
    assert names(there) == NAMES
    back = asked(client, "along-route", route="113.66,34.75;113.6,34.75", open="any")
    assert names(back) == NAMES[::-1]
    off_road = there["places"][2]
    assert off_road["distance_m"] == pytest.approx(222, abs=2)
    assert off_road["detour_m"] == pytest.approx(444, abs=3)
    assert off_road["along_m"] == pytest.approx(3654, abs=10)
    assert names(asked(client, "along-route", route="113.6,34.75;113.66,34.75", corridor_m=100, open="any")) == [
        NAMES[0],
        NAMES[1],
        NAMES[3],
    ]
    assert names(asked(client, "along-route", route="113.6,34.75;113.66,34.75")) == NAMES[:2], "open now unless said"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_route_may_be_posted_as_geojson(client: TestClient, wrapped: bool) -> None:
    line: dict[str, Any] = {"type": "LineString", "coordinates": [[113.6, 34.75], [113.66, 34.75, 12.0]]}
    body = {"type": "Feature", "properties": {}, "geometry": line} if wrapped else line
    answer = client.post("/api/places/along-route?datum=WGS-84&open=any&limit=2", json=body)
    assert names(answer.json()) == NAMES[:2]
    again = client.post(
        "/api/places/along-route",
        params={"datum": "WGS-84", "open": "any", "limit": 2, "cursor": answer.json()["next"]},
        json=body,
    )
    assert names(again.json()) == NAMES[2:]
    assert again.json()["next"] is None


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("search", {}, "q"),
        ("search", {"q": "  "}, "q"),
        ("search", {"q": "！？"}, "q"),
        ("search", {"q": "高" * 61}, "q"),
        ("search", {"q": "x", "datum": ""}, "datum"),
        ("search", {"q": "x", "lon": "113.6"}, "lat"),
        ("search", {"q": "x", "lat": "34.7"}, "lon"),
        ("search", {"q": "x", "limit": "0"}, "limit"),
        ("search", {"q": "x", "limit": "101"}, "limit"),
        ("search", {"q": "x", "cursor": "§"}, "cursor"),
        ("search", {"q": "x", "cursor": "AAAA"}, "cursor"),
        ("search", {"q": "x", "union": "x"}, "union"),
        ("search", {"q": "x", "union": "01a20ca6-3d25-76d2-a542-acbb19ee8757"}, "union"),
        ("search", {"q": "x", "open": "maybe"}, "open"),
        ("search", {"q": "x", "kinds": "palace"}, "kinds"),
        ("in-box", {}, "bbox"),
        ("in-box", {"bbox": "1,2,3"}, "bbox"),
        ("in-box", {"bbox": "114,34,113,35"}, "bbox"),
        ("in-box", {"bbox": "113,34,nan,35"}, "bbox"),
        ("in-box", {"bbox": "113,34,114,35", "limit": "501"}, "limit"),
        ("along-route", {}, "route"),
        ("along-route", {"route": "113.6,34.7"}, "route"),
        ("along-route", {"route": "113.6;34.7"}, "route"),
        ("along-route", {"route": "34.7,113.6;34.8,113.6"}, "route[0]"),
        ("along-route", {"route": "113.6,34.7;113.6,nan"}, "route[1]"),
        ("along-route", {"route": "113.6,34.7;115.6,34.7"}, "route[1]"),
        ("along-route", {"route": ";".join(f"{105 + i / 4},{34 + i % 2 / 4}" for i in range(40))}, "route"),
        ("along-route", {"route": "113.6,34.7;113.7,34.7", "corridor_m": "5"}, "corridor_m"),
        ("along-route", {"route": "113.6,34.7;113.7,34.7", "corridor_m": "1e9"}, "corridor_m"),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, path: str, query: dict[str, str], field: str) -> None:
    answer = client.get(f"/api/places/{path}", params={"datum": "WGS-84", **query}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["rule"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"type":"Point","coordinates":[113.6,34.7]}',
        b'{"type":"LineString"}',
        b'{"type":"LineString","coordinates":[1,2]}',
        b'{"type":"LineString","coordinates":[[1],[2]]}',
        b'{"type":"LineString","coordinates":["ab","cd"]}',
        b'{"type":"LineString","coordinates":[[1e999,2],[3,4]]}',
        b'{"type":"Feature","geometry":null}',
        b"[" * 100_000,
        json.dumps({"type": "LineString", "coordinates": [[113.6, 34.7]] * 5001}).encode(),
        b" " * (LARGEST_BODY + 1),
    ],
)
def test_a_body_that_is_no_route_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/places/along-route?datum=WGS-84", content=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 1000


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/api/places/search?q=gxq&datum=WGS-84")
    again = client.get("/api/places/search?q=gxq&datum=WGS-84", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["search", "in-box", "along-route"])
def test_before_the_directory_is_read_lists_ask_to_come_back(path: str) -> None:
    keeper: Any = SimpleNamespace(current=None)
    answer = TestClient(Starlette(routes=routes_of(keeper))).get(f"/api/places/{path}")
    assert answer.status_code == 503


def test_states_follow_the_clock(client: TestClient) -> None:
    with time_machine.travel(shanghai(2026, 11, 24, 23), tick=False):
        states = {place["name"]: place["state"] for place in asked(client, "search", q="gxq")["places"]}
    assert states == {"高新区驿站": "yes", "老高新区餐厅": "no", "光学桥驿站": "yes"}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_pages_hold_every_place_once_in_order_even_when_the_last_one_has_gone(
    keys: list[tuple[int, int]], limit: int, chance: Any
) -> None:
    index = PlaceIndex(snapshot_of([(113.6, 34.7, "24/7", "station", frozenset())] * len(keys)))
    columns = np.array(keys, np.float64)
    line = Line(np.arange(len(keys)), columns[:, 0], columns[:, 1], index.moment(0))
    expected = sorted(range(len(keys)), key=lambda at: (*keys[at], str(index.snapshot.public_ids[at])))
    seen: list[int] = []
    after = None
    while True:
        part = part_of(index, line, limit=limit, after=after)
        assert part.total == len(line.places)
        seen += part.places
        if part.next is None:
            break
        after = Cursor.read(str(part.next))
        if chance.random() < 0.3:  # the place that the cursor names is withdrawn
            kept = line.places != part.places[-1]
            line = Line(line.places[kept], line.first[kept], line.second[kept], line.moment)
    assert seen == expected


@given(st.text(max_size=60))
def test_a_cursor_is_ours_or_refused(text: str) -> None:
    with contextlib.suppress(BadCursor):
        assert str(Cursor.read(text))


def test_a_cursor_says_where_the_page_ended() -> None:
    cursor = Cursor(3.0, 1234.5678, UUID(int=7))
    assert Cursor.read(str(cursor)) == cursor


def test_everything_asked_for_is_all_of_the_directory() -> None:
    index = PlaceIndex(directory())
    assert len(index.all_of(Narrowing(), at_s=int(NOON.timestamp())).places) == 4
    assert index.all_of(Narrowing(open_now=True), at_s=int(NOON.timestamp())).places.tolist() == [0, 1]
