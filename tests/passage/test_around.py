"""What a phone downloads to judge by itself: the stations of its part of the country, nothing about the phone."""

from __future__ import annotations

import math

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_openapi import valid
from tests.places.conftest import PlaceMaker
from yizhan.passage.runtime.around import NoSuchTile, Tile
from yizhan.passage.services.rules import set_rules
from yizhan.places.models import Place

HERE = "/api/live/stations/227_69"


def test_a_tile_holds_its_stations_with_hours_rules_and_the_kernels_cosines(
    desk: Desk, place: Place, make_place: PlaceMaker, tree: UnionTree, post: PostMaker
) -> None:
    make_place(tree.zhongyuan, name="白天驿站", lon=113.61, lat=34.76, hours="Mo-Su 08:00-18:00")
    make_place(tree.shenzhen, name="深圳驿站", lon=114.05, lat=22.54, hours="24/7")
    values = {"radius_m": 450, "cool_down_s": 3600, "gap_s": 60, "max_segment_gap_s": 90, "max_speed_kmh": 108}
    values |= {"still_open_s": 600, "silent_above_kmh": 36, "quiet_from_min": 22 * 60, "quiet_until_min": 6 * 60}
    set_rules(
        staff=post(tree.zhongyuan), union=tree.zhongyuan, reminders_on=True, unknown_hours_remind=False, values=values
    )
    desk.read()

    answer = desk.ask("GET", HERE)

    body = answer.json()
    valid(body, "StationsAround")
    assert [each["name"] for each in body["stations"]] == ["枫杨驿站", "白天驿站"]
    first, second = body["stations"]
    assert first["cosine"] == pytest.approx(math.cos(math.radians(34.75)), abs=1e-15)
    assert (first["radius_m"], first["rule"]) == (450, 0)
    assert body["rules"] == [
        {
            "cool_down_ms": 3_600_000,
            "gap_ms": 60_000,
            "max_segment_gap_ms": 90_000,
            "max_speed_mps": 30.0,
            "still_open_s": 600.0,
            "silent_above_mps": 10.0,
            "quiet_from_ms": 14 * 3_600_000,
            "quiet_until_ms": 22 * 3_600_000,
        }
    ]
    assert body["hours"][first["hours"]][0][0] < 0 < body["hours"][first["hours"]][0][1]
    assert all(end - start == 10 * 3600 for start, end in body["hours"][second["hours"]])


def test_a_station_beyond_the_edge_whose_circle_reaches_in_is_there_too(
    desk: Desk, place: Place, make_place: PlaceMaker, tree: UnionTree
) -> None:
    make_place(tree.zhongyuan, name="界外驿站", lon=114.001, lat=34.75, hours="24/7")
    desk.read()

    assert "界外驿站" in {each["name"] for each in desk.ask("GET", HERE).json()["stations"]}


def test_a_phone_that_has_it_already_downloads_nothing(desk: Desk, place: Place) -> None:
    first = desk.ask("GET", HERE)
    again = desk.ask("GET", HERE, headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert "max-age" in first.headers["cache-control"]


def test_a_place_that_is_withdrawn_is_gone_from_the_tile(
    desk: Desk, place: Place, make_place: PlaceMaker, tree: UnionTree
) -> None:
    before = desk.ask("GET", HERE)
    make_place(tree.zhongyuan, name="新驿站", lon=113.63, lat=34.75, hours="24/7")
    desk.read()

    assert desk.ask("GET", HERE).headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize(
    "name", ["", "227", "227_69_1", "0227_69", "a_b", "400_69", "227_-181", "２２７_69", "227_69.0"]
)
def test_what_is_no_tile_is_refused(name: str) -> None:
    with pytest.raises(NoSuchTile):
        Tile.parse(name)


def test_a_wrong_tile_and_a_stream_that_starts_say_so(desk: Desk, clock: Clock) -> None:
    assert _code(desk.ask("GET", "/api/live/stations/here")) == (404, "tile")
    assert _code(Desk(clock).ask("GET", HERE)) == (503, "starting")


def _code(answer: httpx.Response) -> tuple[int, str]:
    valid(answer.json(), "PassageProblem")
    return answer.status_code, answer.json()["code"]


@pytest.mark.django_db
def test_the_page_with_the_switch_is_the_same_for_everyone(client: Client, post: PostMaker, tree: UnionTree) -> None:
    def shown() -> str:
        answer = client.get(reverse("passage:passing"))
        assert answer.status_code == 200
        return answer.content.decode()

    words = shown()
    assert 'role="switch"' in words
