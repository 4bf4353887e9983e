"""What the hot application answers: streams, changes by number, who is open now."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import time_machine
from starlette.applications import Starlette

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds import hot
from yizhan.feeds.hot import routes_of
from yizhan.feeds.queries import rows
from yizhan.geo import Datum, convert
from yizhan.places.index import PlaceIndex
from yizhan.places.models import Place
from yizhan.places.prepared import Prepared
from yizhan.places.services import close_place, withdraw_place
from yizhan.places.services.equipment import EquipmentFacts, add_equipment
from yizhan.places.snapshot import load_snapshot


async def here(work: Any) -> Any:
    """In the test's own thread, where its transaction is."""
    return work()


def get(path: str, *, keeper: Any = None, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
    """Ask without an event loop: within one, Django would take another connection than the test's."""
    application = Starlette(routes=routes_of(here, keeper or SimpleNamespace(current=None)))
    request = httpx.Request("GET", f"http://testserver/api/feeds/{path}", params=query, headers=headers)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": request.url.path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(StopIteration):
        application(scope, receive, send).send(None)  # nothing in it waits
    return httpx.Response(
        sent[0]["status"],
        headers=sent[0]["headers"],
        content=b"".join(message.get("body", b"") for message in sent[1:]),
        request=request,
    )


@pytest.fixture
def places(tree: UnionTree, make_place: PlaceMaker) -> list[Place]:
    return [
        make_place(tree.zhongyuan, offers=("water", "rest"), hours="24/7", parking=(113.6215, 34.7501)),
        make_place(tree.zhongyuan, kind="restaurant", name='=cmd|"/c"!A1'),
        make_place(tree.shenzhen),
    ]


def test_a_snapshot_holds_every_published_place_once_in_chunks_of_any_size(
    places: list[Place], tree: UnionTree, make_place: PlaceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_place(tree.zhongyuan, publish=False)
    whole = get("places.geojson").json()
    assert {feature["id"] for feature in whole["features"]} == {str(place.public_id) for place in places}
    assert whole["datum"] == "WGS-84"
    assert whole["licence"] == "CC BY 4.0"
    small_chunks = lambda asked, last: rows.chunk_after(asked, last, most=1)  # noqa: E731
    monkeypatch.setattr(hot, "chunk_after", small_chunks)
    assert get("places.geojson").json() == whole
    monkeypatch.setattr(rows, "public_places", lambda: rows.PlaceChange.objects.none())
    assert get("places.geojson").json()["features"] == []


@pytest.mark.parametrize("path", ["places.geojson", "places.csv", "places.json", "changes", "status.json"])
def test_who_likes_brotli_best_gets_it_and_it_says_the_same(
    places: list[Place], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = SimpleNamespace(current=Prepared(PlaceIndex(load_snapshot())))
    small_chunks = lambda asked, last: rows.chunk_after(asked, last, most=1)  # noqa: E731
    monkeypatch.setattr(hot, "chunk_after", small_chunks)
    monkeypatch.setattr(hot, "WORTH_CODING_BYTES", 20)
    with time_machine.travel(1_763_960_400, tick=False):
        plain = get(path, keeper=keeper, headers={"Accept-Encoding": "gzip, br;q=0.5"})
        packed = get(path, keeper=keeper, headers={"Accept-Encoding": "gzip;q=0.5, br"})
    assert "content-encoding" not in plain.headers  # gzip is made at the front door
    assert packed.headers["content-encoding"] == "br"
    assert packed.text == plain.text  # the client has unpacked it
    assert packed.headers["etag"] == plain.headers["etag"]
    for answer in (plain, packed):
        assert "accept-encoding" in answer.headers["vary"].lower()
    unchanged = {"Accept-Encoding": "br", "If-None-Match": plain.headers["etag"]}
    if path != "status.json":
        assert get(path, keeper=keeper, headers=unchanged).status_code == 304


def test_positions_come_in_the_datum_asked_for_with_door_and_parking(places: list[Place]) -> None:
    for datum in (Datum.GCJ02, Datum.BD09):
        body = get("places.geojson", datum=datum.value).json()
        assert body["datum"] == datum.value
        (feature,) = [one for one in body["features"] if one["id"] == str(places[0].public_id)]
        expected = convert(places[0].lon, places[0].lat, source=Datum.WGS84, target=datum)
        assert feature["geometry"]["coordinates"] == pytest.approx(expected, abs=2e-6)
        expected = convert(113.6215, 34.7501, source=Datum.WGS84, target=datum)
        assert feature["properties"]["parking"] == pytest.approx(expected, abs=2e-6)


def test_a_snapshot_is_narrowed_by_kind_union_and_box(places: list[Place], tree: UnionTree) -> None:
    def found(**query: Any) -> set[str]:
        return {feature["id"] for feature in get("places.geojson", **query).json()["features"]}

    first, second, third = (str(place.public_id) for place in places)
    assert found(kinds="restaurant") == {second}
    assert found(union=tree.zhengzhou.public_id) == {first, second}
    assert found(union=tree.guangdong.public_id) == {third}
    assert found(bbox=f"{places[0].lon - 0.0001},34,{places[0].lon + 0.0001},35") == {first}
    lon, lat = convert(places[0].lon, places[0].lat, source=Datum.WGS84, target=Datum.BD09)
    box = f"{lon - 0.0002},{lat - 0.0002},{lon + 0.0002},{lat + 0.0002}"
    assert found(bbox=box, datum="BD-09") == {first}


def test_what_belongs_to_persons_stays_in_the_house(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(
        tree.zhongyuan,
        name="李师傅 13812345678 之家",
        contact="王站长 13912345678",
        access="code",
        access_note="门禁密码 4711，或打 13712345678",
        host_name="张三家",
    )
    for path in ("places.geojson", "places.csv", "places.json", "changes"):
        text = get(path).text
        assert "138****5678" in text
        for secret in ("13812345678", "王站长", "13912345678", "4711", "13712345678", "张三家"):
            assert secret not in text


def test_a_table_reads_as_it_was_meant_and_evaluates_nothing(places: list[Place]) -> None:
    answer = get("places.csv")
    assert answer.text.startswith("\ufeff")
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["id"] for row in table] == [str(place.public_id) for place in places]
    assert table[0]["offers"] == "water;rest"
    assert table[1]["name"].startswith("'=cmd")


def test_slow_facts_are_flat_and_good_for_an_hour(places: list[Place]) -> None:
    body = get("places.json").json()
    assert (body["ttl"], body["version"]) == (3600, "1.0")
    assert {one["place_id"] for one in body["data"]["places"]} == {str(place.public_id) for place in places}


def test_fast_facts_say_who_is_open_and_what_is_out_of_order(
    places: list[Place], post: PostMaker, tree: UnionTree
) -> None:
    add_equipment(places[0], EquipmentFacts(name="微波炉", state="broken"), actor=post(tree.zhongyuan))
    keeper = SimpleNamespace(current=Prepared(PlaceIndex(load_snapshot())))
    answer = get("status.json", keeper=keeper)
    told = {one["place_id"]: one for one in answer.json()["data"]["places"]}
    assert told[str(places[0].public_id)]["open"] == "yes"
    assert told[str(places[0].public_id)]["out_of_order"] == ["微波炉"]
    assert told[str(places[2].public_id)]["open"] == "unknown"
    assert get("status.json", keeper=keeper, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert get("status.json").status_code == 503


def test_a_copy_that_follows_the_changes_holds_what_the_snapshot_holds(
    places: list[Place], post: PostMaker, tree: UnionTree, make_place: PlaceMaker
) -> None:
    copy: dict[str, Any] = {}
    cursor = 0

    def follow() -> None:
        nonlocal cursor
        more = True
        while more:
            page = get("changes", changed_since=cursor, limit=2).json()
            for feature in page["features"]:
                copy[feature["id"]] = feature
            for one in page["gone"]:
                copy.pop(one["id"], None)
            cursor, more = page["sequence"], page["more"]

    follow()
    close_place(places[0], actor=post(tree.zhongyuan))
    withdraw_place(places[1], actor=post(tree.zhongyuan), reason="装修")
    make_place(tree.jinshui)
    follow()
    assert copy == {feature["id"]: feature for feature in get("places.geojson").json()["features"]}
    page = get("changes", changed_since=0).json()
    assert sorted(one["reason"] for one in page["gone"]) == ["closed", "withdrawn"]
    assert get("changes", changed_since=cursor).json()["features"] == []


def test_a_narrowed_copy_hears_of_what_left_its_part(places: list[Place], tree: UnionTree) -> None:
    cursor = get("changes", union=tree.zhongyuan.public_id).json()["sequence"]
    Place.objects.with_scopes_disabled().filter(pk=places[0].pk).update(union=tree.jinshui)
    page = get("changes", union=tree.zhongyuan.public_id, changed_since=cursor).json()
    assert [(one["id"], one["reason"]) for one in page["gone"]] == [(str(places[0].public_id), "outside")]


def test_a_number_that_was_never_given_asks_to_begin_anew(places: list[Place]) -> None:
    last = get("changes").json()["sequence"]
    answer = get("changes", changed_since=last + 1)
    assert (answer.status_code, answer.headers["content-type"]) == (410, "application/problem+json")


def test_what_did_not_change_is_not_sent_again(places: list[Place], post: PostMaker, tree: UnionTree) -> None:
    for path in ("places.geojson", "changes", "places.csv"):
        first = get(path)
        assert get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
        assert get(path, headers={"If-None-Match": first.headers["etag"]}, kinds="station").status_code == 200
    tag = get("places.geojson").headers["etag"]
    Place.objects.with_scopes_disabled().filter(pk=places[0].pk).update(name="新名字")
    assert get("places.geojson", headers={"If-None-Match": tag}).status_code == 200


def test_the_time_of_the_last_change_answers_only_once_its_second_is_over(places: list[Place]) -> None:
    get("changes")
    rows.PlaceChange.objects.update(at="2026-01-02T03:04:05.600Z")
    answer = get("places.geojson")
    assert answer.headers["last-modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert get("places.geojson", headers={"If-Modified-Since": answer.headers["last-modified"]}).status_code == 304
    assert get("places.geojson", headers={"If-Modified-Since": "Fri, 02 Jan 2026 03:04:04 GMT"}).status_code == 200
    assert get("places.geojson", headers={"If-Modified-Since": "yesterday"}).status_code == 200


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("places.geojson", "datum", "mars"),
        ("places.csv", "kinds", "palace"),
        ("places.json", "union", "1"),
        ("places.geojson", "bbox", "1,2,3"),
        ("places.geojson", "shoe", "1"),
        ("status.json", "datum", "WGS-84"),
        ("changes", "changed_since", "-1"),
        ("changes", "changed_since", "9" * 30),
        ("changes", "limit", "0"),
        ("feeds.json", "x", "1"),
    ],
)
def test_a_broken_parameter_is_named_with_its_value_and_rule(path: str, field: str, value: str) -> None:
    answer = get(path, **{field: value})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["value"]) == (field, value)


def test_streams_ask_the_database_as_often_for_many_as_for_few(
    tree: UnionTree, make_place: PlaceMaker, django_assert_max_num_queries: Any
) -> None:
    for _each in range(8):
        make_place(tree.zhongyuan, offers=("water",))
    with django_assert_max_num_queries(16):  # numbering them: a constant number, too
        get("changes")
    with django_assert_max_num_queries(4):
        assert len(json.loads(get("places.geojson").content)["features"]) == 8
