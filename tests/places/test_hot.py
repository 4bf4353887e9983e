"""The addresses that answer without the database."""

import gzip
import json
from types import SimpleNamespace
from typing import Any

import brotli
import pytest
import time_machine
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.places.conftest import shanghai
from tests.places.test_index import NOON, snapshot_of
from yizhan.geo import Datum, convert
from yizhan.places.hot import routes_of
from yizhan.places.index import PlaceIndex
from yizhan.places.prepared import Prepared

ROWS = [
    (113.620, 34.750, "24/7", "station", frozenset({"water", "rest"})),
    (113.621, 34.750, "08:00-22:00", "restaurant", frozenset({"meal"})),
    (113.622, 34.750, "22:00-06:00", "station", frozenset({"water"})),
    (113.623, 34.750, "", "repair_point", frozenset()),
]


@pytest.fixture
def client() -> Any:
    keeper: Any = SimpleNamespace(current=Prepared(PlaceIndex(snapshot_of(ROWS))))
    with time_machine.travel(NOON, tick=False):
        yield TestClient(Starlette(routes=routes_of(keeper)))


def nearest(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/places/nearest", params={"lon": 113.62, "lat": 34.75, "datum": "WGS-84", **query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_nearest_open_places_come_first_with_distance_and_closing_time(client: TestClient) -> None:
    body = nearest(client)
    assert [place["name"] for place in body["places"]] == ["0号驿站", "1号驿站"]
    assert body["datum"] == "WGS-84"
    first, second = body["places"]
    assert (first["distance_m"], first["state"], first["changes_at"]) == (0, "yes", None)
    assert second["distance_m"] == pytest.approx(91, abs=1)
    assert second["changes_at"] == shanghai(2026, 11, 24, 22).timestamp()
    assert second["offers"] == ["meal"]


def test_any_place_can_be_asked_for_and_says_whether_it_is_open(client: TestClient) -> None:
    body = nearest(client, open="any")
    assert [place["state"] for place in body["places"]] == ["yes", "yes", "no", "unknown"]


def test_kinds_and_offers_narrow_the_answer(client: TestClient) -> None:
    assert nearest(client, open="any", kinds="station,repair_point")["count"] == 3
    assert nearest(client, open="any", offers="water")["count"] == 2
    assert nearest(client, open="any", offers="water,rest")["count"] == 1
    assert nearest(client, open="any", count=1)["count"] == 1
    assert nearest(client, open="any", radius_m=100)["count"] == 2


def test_a_position_in_another_datum_finds_the_same_and_is_answered_in_it(client: TestClient) -> None:
    lon, lat = convert(113.62, 34.75, source=Datum.WGS84, target=Datum.BD09)
    body = nearest(client, lon=lon, lat=lat, datum="bd09")
    assert body["datum"] == "BD-09"
    assert body["places"][0]["distance_m"] == 0
    assert body["places"][0]["lon"] == pytest.approx(lon, abs=2e-6)
    in_wgs = nearest(client, lon=lon, lat=lat, datum="bd09", answer_datum="wgs84")
    assert in_wgs["datum"] == "WGS-84"
    assert in_wgs["places"][0]["lon"] == pytest.approx(113.62, abs=2e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("datum", ""),
        ("datum", "mars"),
        ("lon", ""),
        ("lon", "abc"),
        ("lon", "nan"),
        ("lon", "34.75"),
        ("lat", "113.6"),
        ("lat", "inf"),
        ("count", "0"),
        ("count", "1e3"),
        ("count", "٣"),
        ("open", "perhaps"),
        ("kinds", "palace"),
        ("radius_m", "-1"),
        ("answer_datum", "x"),
    ],
)
def test_a_broken_parameter_is_named_with_its_value_and_rule(client: TestClient, field: str, value: str) -> None:
    query = {"lon": "113.62", "lat": "34.75", "datum": "WGS-84", field: value}
    answer = client.get("/api/places/nearest", params=query, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (error["field"], error["value"]) == (field, value)
    assert error["rule"]


def test_an_unchanged_answer_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/api/places/index.json?datum=WGS-84")
    again = client.get("/api/places/index.json?datum=WGS-84", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_map_gets_every_published_place_in_the_datum_it_asks_for(client: TestClient) -> None:
    body = client.get("/api/places/index.json?datum=GCJ-02").json()
    assert body["fields"][:6] == ["id", "name", "kind", "lon", "lat", "state"]
    assert [row[5] for row in body["places"]] == ["yes", "yes", "no", "unknown"]
    lon, _lat = convert(113.62, 34.75, source=Datum.WGS84, target=Datum.GCJ02)
    assert body["places"][0][3] == pytest.approx(lon, abs=2e-6)
    assert body["total"] == 4


def test_the_map_can_ask_for_a_box(client: TestClient) -> None:
    body = client.get("/api/places/index.json?datum=WGS-84&bbox=113.6205,34.7,113.6225,34.8").json()
    assert [row[1] for row in body["places"]] == ["1号驿站", "2号驿站"]
    for box in ("1,2,3", "a,b,c,d", "114,34,113,35", "nan,1,2,3"):
        assert client.get(f"/api/places/index.json?datum=WGS-84&bbox={box}").status_code == 422


@pytest.mark.parametrize(
    ("accepted", "coding", "opened"),
    [
        ("gzip", "gzip", gzip.decompress),
        ("gzip, br", "br", brotli.decompress),
        ("gzip, br;q=0.2", "gzip", gzip.decompress),
    ],
)
def test_a_coded_answer_says_the_same(client: TestClient, accepted: str, coding: str, opened: Any) -> None:
    address = "/api/places/index.json?datum=WGS-84"
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == (coding, "accept-encoding")
        assert json.loads(opened(b"".join(answer.iter_raw()))) == plain.json()


def test_states_follow_the_clock(client: TestClient) -> None:
    with time_machine.travel(shanghai(2026, 11, 24, 23), tick=False):
        assert [place["name"] for place in nearest(client)["places"]] == ["0号驿站", "2号驿站"]


def test_before_the_directory_is_read_the_answer_is_to_come_back(client: TestClient) -> None:
    keeper: Any = SimpleNamespace(current=None)
    answer = TestClient(Starlette(routes=routes_of(keeper))).get("/api/places/nearest?lon=1&lat=2&datum=x")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
