"""What everyone sees: pages and API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.geo import Datum, convert
from yizhan.places.models import Place
from yizhan.places.queries import nearest_published, published_by_district
from yizhan.places.services import close_place, resume_place, withdraw_place
from yizhan.places.services.reports import report_fault
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import OPERATOR
from yizhan.unions.services.tree import deactivate_union, reactivate_union


def test_a_place_page_says_hours_offers_and_the_way_there_in_each_datum(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, name="甲站", hours="24/7", offers=("water",), lon=113.6, lat=34.75)
    page = client.get(f"/places/{place.public_id}/", {"lon": "113.6", "lat": "34.76", "datum": "WGS-84"})
    assert page.status_code == 200
    assert page.context["distance"]
    urls = [way.url for way in page.context["ways"]]
    for url, datum, order in zip(urls, [Datum.GCJ02, Datum.BD09, Datum.GCJ02], ["lon", "lat", "lat"], strict=True):
        lon, lat = convert(113.6, 34.75, source=Datum.WGS84, target=datum)
        expected = f"{lon:.6f},{lat:.6f}" if order == "lon" else f"{lat:.6f},{lon:.6f}"
        assert expected in url


def test_what_is_not_published_has_no_page_and_no_answer(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    draft = make_place(tree.zhongyuan, publish=False)
    never_public = close_place(make_place(tree.zhongyuan, publish=False), actor=post(tree.zhengzhou))
    for place in (draft, never_public):
        assert client.get(f"/places/{place.public_id}/").status_code == 404
        assert client.get(f"/api/places/{place.public_id}").status_code == 404
    assert client.get("/api/places").json()["places"] == []
    assert client.get("/places/").status_code == 200


def test_a_suspended_place_says_so_with_reason_and_days_and_nobody_is_led_there(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    until = timezone.localdate() + timedelta(days=20)
    place = make_place(tree.zhongyuan, name="甲站", hours="24/7", contact="13712345678", contact_is_service=True)
    withdraw_place(place, actor=post(tree.zhengzhou), reason="水管改造", until=until)
    answer = client.get(f"/places/{place.public_id}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer["X-Robots-Tag"] == "noindex"
    assert "水管改造" in page
    assert "暂停开放" in page
    assert f"{until.year}年{until.month}月{until.day}日" in page
    assert "uri.amap.com" not in page
    assert "13712345678" not in page
    told = client.get(f"/api/places/{place.public_id}").json()
    assert (told["status"], told["open_now"], told["status_note"]) == ("suspended", "no", "水管改造")
    assert told["suspended_until"] == until.isoformat()
    assert told["contact"] == ""
    assert client.get("/api/places").json()["places"] == []
    assert nearest_published(113.62, 34.75, datum=Datum.WGS84) == []
    assert client.get(f"/places/{place.public_id}/report/").status_code == 302
    Place.objects.with_scopes_disabled().update(suspended_until=timezone.localdate() - timedelta(days=1))
    assert "尚未恢复" in client.get(f"/places/{place.public_id}/").content.decode()


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_a_place_is_not_suspended_until_a_day_that_cannot_be(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, days: int
) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(RuleBroken):
        withdraw_place(place, actor=post(tree.zhengzhou), until=timezone.localdate() + timedelta(days=days))
    place.refresh_from_db()
    assert place.is_published


def test_what_is_open_again_remembers_no_suspension(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place, cadre = make_place(tree.zhongyuan), post(tree.zhengzhou)
    withdraw_place(place, actor=cadre, until=timezone.localdate() + timedelta(days=3))
    resume_place(place, actor=cadre, reason="修好了")
    place.refresh_from_db()
    assert (place.suspended_at, place.suspended_until, place.status_note) == (None, None, "")


def test_the_places_of_a_deactivated_union_are_published_no_more_and_come_back_with_it(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.shifo, name="甲站", hours="24/7", offers=("water",))
    kept = make_place(tree.jinshui, name="乙站")

    def seen() -> list[str]:
        listed = {one["name"] for one in client.get("/api/places").json()["places"]}
        near = {one.name for one in nearest_published(113.62, 34.75, datum=Datum.WGS84)}
        assert listed == near == set(load_snapshot().names)
        return sorted(listed)

    assert seen() == ["乙站", "甲站"]
    deactivate_union(actor=OPERATOR, union=tree.zhongyuan)
    assert seen() == ["乙站"]
    page = client.get(f"/places/{place.public_id}/")
    assert page.status_code == 200
    assert "暂停开放" in page.content.decode()
    assert client.get(f"/api/places/{place.public_id}").json()["status"] == "suspended"
    with pytest.raises(RuleBroken):
        report_fault(place, kind="door_locked", request_id=uuid4())
    assert client.get(f"/places/{kept.public_id}/").status_code == 200
    reactivate_union(actor=OPERATOR, union=tree.zhongyuan)
    assert seen() == ["乙站", "甲站"]


def test_a_closed_place_stays_readable_as_closed(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = close_place(make_place(tree.zhongyuan, hours="24/7"), actor=post(tree.zhengzhou), reason="搬迁")
    assert client.get(f"/places/{place.public_id}/").status_code == 410
    body = client.get(f"/api/places/{place.public_id}").json()
    assert (body["status"], body["open_now"]) == ("closed", "no")
    assert client.get("/api/places").json()["places"] == []


def test_the_list_is_by_district_and_with_a_position_by_distance(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="远站", district="中原区", lon=113.60, hours="24/7")
    make_place(tree.jinshui, name="近站", district="金水区", lon=113.68, hours="24/7")
    groups = client.get("/places/").context["listing"].groups()
    assert [group.name for group in groups] == ["中原区", "金水区"]
    page = client.get("/places/", {"lon": "113.681", "lat": "34.75", "datum": "WGS-84"})
    assert [place.name for place in page.context["listing"].nearest()] == ["近站", "远站"]
    assert page.content.decode().index("近站") < page.content.decode().index("远站")


def test_a_position_without_a_datum_is_not_guessed(client: Client, tree: UnionTree) -> None:
    page = client.get("/places/", {"lon": "113.681", "lat": "34.75"})
    assert page.status_code == 422
    assert page.context["listing"].origin is None


def test_filters_narrow_the_list(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="甲站", hours="24/7", offers=("water",))
    make_place(tree.zhongyuan, name="乙餐厅", kind="restaurant", offers=("meal",))

    def names(query: str) -> list[str]:
        groups = client.get(f"/places/?{query}").context["listing"].groups()
        return [place.name for group in groups for place in group.places]

    assert set(names("")) == {"甲站", "乙餐厅"}
    assert names("open=now") == ["甲站"]
    assert names("kind=restaurant") == ["乙餐厅"]
    assert names("offer=water&offer=meal") == []
    assert names("offer=meal") == ["乙餐厅"]


def test_a_position_is_told_in_another_datum_and_one_abroad_is_refused(client: Client, db: None) -> None:
    query = {"lon": "113.6", "lat": "34.75", "datum": "WGS-84", "answer_datum": "GCJ-02"}
    told = client.get("/api/positions/convert", query).json()
    lon, lat = convert(113.6, 34.75, source=Datum.WGS84, target=Datum.GCJ02)
    assert told == {"lon": round(lon, 6), "lat": round(lat, 6), "datum": "GCJ-02"}
    for wrong in ({"lat": "0"}, {"datum": "Mars"}, {"answer_datum": ""}, {"lon": "nan"}):
        assert client.get("/api/positions/convert", {**query, **wrong}).status_code == 422


def test_the_index_of_a_process_follows_every_change(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    def near() -> list[str]:
        return [place.name for place in nearest_published(113.62, 34.75, datum=Datum.WGS84)]

    assert near() == []
    place = make_place(tree.zhongyuan, name="甲站")
    assert near() == ["甲站"]
    withdraw_place(place, actor=post(tree.zhengzhou))
    assert near() == []


@pytest.mark.parametrize("path", ["/places/", "/api/places"])
def test_reading_many_takes_as_many_queries_as_reading_one(
    client: Client, tree: UnionTree, make_place: PlaceMaker, path: str
) -> None:
    make_place(tree.zhongyuan, offers=("water",))
    client.get(path)
    with CaptureQueriesContext(connection) as one:
        client.get(path)
    for _n in range(8):
        make_place(tree.jinshui, offers=("water", "rest"))
    client.get(path)  # the first reader after a change has the index built
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(one)


def listed(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/places", query)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_the_api_lists_in_pages_that_neither_lose_nor_repeat(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    made = {str(make_place(tree.zhongyuan).public_id) for _n in range(7)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        body = listed(client, limit=3, **cursor)
        seen += [place["id"] for place in body["places"]]
        if body["next"] is None:
            break
        cursor = {"cursor": body["next"]}
    assert len(seen) == 7
    assert set(seen) == made


def test_the_api_says_its_datum_and_takes_a_box_in_it(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="甲站", lon=113.6, lat=34.75, offers=("water",), hours="24/7")
    make_place(tree.jinshui, name="乙站", lon=113.7, lat=34.75, kind="restaurant")
    lon, lat = convert(113.6, 34.75, source=Datum.WGS84, target=Datum.BD09)
    body = listed(client, datum="BD-09", bbox=f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}")
    (place,) = body["places"]
    assert (body["datum"], place["datum"], place["name"]) == ("BD-09", "BD-09", "甲站")
    assert (place["lon"], place["lat"]) == pytest.approx((lon, lat), abs=2e-6)
    assert (place["open_now"], place["offers"]) == ("yes", ["water"])
    assert [place["name"] for place in listed(client, kind="restaurant")["places"]] == ["乙站"]
    assert [place["name"] for place in listed(client, offer="water")["places"]] == ["甲站"]
    assert [place["name"] for place in listed(client, union=str(tree.jinshui.public_id))["places"]] == ["乙站"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"datum": "mars"}, "datum"),
        ({"bbox": "113,34,114,35"}, "datum"),
        ({"bbox": "x", "datum": "WGS-84"}, "bbox"),
        ({"bbox": "114,34,113,35", "datum": "WGS-84"}, "bbox"),
        ({"bbox": "nan,34,113,35", "datum": "WGS-84"}, "bbox"),
        ({"union": "01a20ca6-3d25-76d2-a542-acbb19ee8757"}, "union"),
    ],
)
def test_the_api_names_what_is_wrong(client: Client, tree: UnionTree, query: dict[str, str], field: str) -> None:
    answer = client.get("/api/places", query)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


def test_groups_hold_every_published_place_once(tree: UnionTree, make_place: PlaceMaker) -> None:
    for district in ("中原区", "", "金水区", "中原区"):
        make_place(tree.zhengzhou, district=district)
    names = [place.name for group in published_by_district() for place in group.places]
    assert sorted(names) == sorted(Place.published.values_list("name", flat=True))


def test_the_public_list_searches_as_people_type_and_keeps_the_filters(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="高新区驿站", hours="24/7")
    make_place(tree.zhongyuan, name="老高新区餐厅", kind="restaurant")
    make_place(tree.zhongyuan, name="甲站")

    def names(**query: str) -> list[str]:
        return [place.name for place in client.get("/places/", query).context["listing"].found()]

    assert names(q="gxq") == ["高新区驿站", "老高新区餐厅"]
    assert names(q="gxq", kind="restaurant") == ["老高新区餐厅"]
    assert names(q="gxq", open="now") == ["高新区驿站"]
    assert names(q="没有") == names(q="！") == []
    page = client.get("/places/", {"q": "gxq<b>", "kind": "restaurant"}).text
    assert "<b>" not in page
    assert '<input type="hidden" name="kind" value="restaurant">' in page
    near = client.get("/places/", {"q": "gxq", "lon": "113.63", "lat": "34.75", "datum": "WGS-84"})
    assert all(place.distance for place in near.context["listing"].found())
