"""POST /api/pings: what partners send, and what they are told."""

from __future__ import annotations

import json

import pytest

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk, bearer
from tests.places.conftest import PlaceMaker
from yizhan.geo import Datum, convert
from yizhan.passage.runtime import decoding
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import NewKey, revoke_source, rotate_key
from yizhan.places.models import Place

RULES = {"radius_m": 300, "cool_down_s": 4 * 3600, "gap_s": 600, "max_segment_gap_s": 120, "max_speed_kmh": 150}
RULES |= {"still_open_s": 0, "silent_above_kmh": 0, "quiet_from_min": 0, "quiet_until_min": 0}


def passing(clock: Clock, vehicle: str = "甲-17", *, ago_s: int = 30) -> list[list[object]]:
    """Two pings on either side of the place at 113.62, 34.75, the path between them 110 m north of it."""
    return [
        [vehicle, clock.ms - ago_s * 1000, 113.614, 34.751, 8],
        [vehicle, clock.ms - ago_s * 1000 + 30_000, 113.626, 34.751, 8],
    ]


def test_a_vehicle_that_passes_an_open_place_is_reminded(desk: Desk, source: NewKey, place: Place) -> None:
    answer = desk.post(source.key, passing(desk.clock))

    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"], body["rejected_count"]) == (2, [], 0)
    (reminder,) = body["reminders"]
    assert reminder["vehicle"] == "甲-17"
    assert reminder["place"] == str(place.public_id)
    assert reminder["name"] == "枫杨驿站"
    assert reminder["distance_m"] == pytest.approx(111, abs=2)
    assert reminder["open_until"] is None
    (passed,) = desk.kept.passed
    assert (passed.place, passed.union, str(passed.public_id)) == (place.pk, place.union_id, reminder["id"])
    assert passed.vehicle != 0


def test_positions_are_taken_in_the_datum_that_is_said(desk: Desk, source: NewKey) -> None:
    moved = [
        [vehicle, time, *convert(lon, lat, source=Datum.WGS84, target=Datum.GCJ02), accuracy]
        for vehicle, time, lon, lat, accuracy in passing(desk.clock)  # type: ignore[arg-type]
    ]

    (reminder,) = desk.post(source.key, moved, datum="GCJ-02").json()["reminders"]

    assert reminder["distance_m"] == pytest.approx(111, abs=2)


def test_rows_may_be_objects_with_iso_times(desk: Desk, source: NewKey) -> None:
    rows = [
        {"vehicle": 17, "time": "2025-11-27T12:00:00+08:00", "lon": 113.62, "lat": 34.75},
        {"vehicle": 18, "time": "2025-11-27T04:00:00Z", "lon": 113.62, "lat": 34.75, "accuracy_m": None},
    ]

    body = desk.post(source.key, rows).json()

    assert (body["accepted"], [each["vehicle"] for each in body["reminders"]]) == (2, ["17", "18"])


def test_the_same_batch_again_gets_the_same_answer(desk: Desk, source: NewKey) -> None:
    rows = passing(desk.clock)
    first = desk.post(source.key, rows).json()

    assert desk.post(source.key, rows).json() == first
    assert len(desk.kept.passed) == len(first["reminders"]) == 1


def test_the_same_pings_in_another_batch_remind_nobody_twice(desk: Desk, source: NewKey) -> None:
    desk.post(source.key, passing(desk.clock))

    again = desk.post(source.key, [*passing(desk.clock), ["another", desk.clock.ms, 113.0, 34.0]]).json()

    assert (again["accepted"], again["reminders"]) == (3, [])


def test_a_vehicle_is_reminded_of_a_place_once_in_the_cool_down(desk: Desk, source: NewKey) -> None:
    desk.post(source.key, passing(desk.clock))
    desk.clock.now += 3 * 3600
    assert desk.post(source.key, passing(desk.clock)).json()["reminders"] == []

    desk.clock.now += 2 * 3600
    assert len(desk.post(source.key, passing(desk.clock)).json()["reminders"]) == 1


def test_bad_rows_are_named_and_the_good_ones_taken(desk: Desk, source: NewKey) -> None:
    now = desk.clock.ms
    rows = [
        ["a", now, 113.62, 34.75],
        ["a", now, 34.75, 113.62],
        ["a", now, 0, 0],
        ["a", now / 1000, 113.62, 34.75],
        ["a", now + 3_600_000, 113.62, 34.75],
        ["a", now, 113.62],
        ["", now, 113.62, 34.75],
        ["a", "yesterday", 113.62, 34.75],
        ["a", now, 113.62, 34.75, -5],
        ["a", now, 139.7, 35.7],
        None,
        ["a", now, True, 34.75],
    ]

    body = desk.post(source.key, rows).json()

    assert body["accepted"] == 1
    assert [(each["index"], each["code"]) for each in body["rejected"]] == [
        (1, "position"),
        (2, "null_island"),
        (3, "time_late"),
        (4, "time_ahead"),
        (5, "row_form"),
        (6, "vehicle"),
        (7, "time"),
        (8, "accuracy"),
        (9, "outside"),
        (10, "row_form"),
        (11, "position"),
    ]
    assert "milliseconds" in body["rejected"][2]["reason"]


def test_nan_spoils_only_its_own_row(desk: Desk, source: NewKey) -> None:
    now = desk.clock.ms
    body = f'{{"datum":"WGS-84","pings":[["a",{now},NaN,34.75],["b",{now},113.62,34.75],["c",{now},Infinity,1]]}}'

    answer = desk.ask("POST", "/api/pings", content=body.encode(), headers=bearer(source.key)).json()

    assert answer["accepted"] == 1
    assert [each["index"] for each in answer["rejected"]] == [0, 2]


def test_many_bad_rows_are_counted_and_the_first_hundred_listed(desk: Desk, source: NewKey) -> None:
    body = desk.post(source.key, [["a", desk.clock.ms, 0, 0]] * 250).json()

    assert (body["accepted"], body["rejected_count"], len(body["rejected"])) == (0, 250, 100)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"\xff\xfe\x00", 400, "not_json"),
        (b"[" * 100_000, 400, "not_an_object"),
        (b'{"datum":"WGS-84","pings":' + b"[" * 100_000, 400, "not_json"),
        (b"[]", 400, "not_an_object"),
        (b"7", 400, "not_an_object"),
        (b'{"pings": []}', 400, "datum_missing"),
        (b'{"datum": "", "pings": []}', 400, "datum_missing"),
        (b'{"datum": "Mars", "pings": []}', 400, "datum_unknown"),
        (b'{"datum": {"a": 1}, "pings": []}', 400, "datum_unknown"),
        (b'{"datum": "WGS-84"}', 400, "pings_missing"),
        (b'{"datum": "WGS-84", "pings": {}}', 400, "pings_missing"),
        (b'{"datum": "WGS-84", "pings": [' + b",".join([b"0"] * (decoding.MAX_ROWS + 1)) + b"]}", 413, "too_many"),
        (b" " * (decoding.MAX_BODY_BYTES + 1), 413, "too_big"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole_and_says_why(
    desk: Desk, source: NewKey, body: bytes, status: int, code: str
) -> None:
    answer = desk.ask("POST", "/api/pings", content=body, headers=bearer(source.key))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_body_that_lies_about_its_length_is_still_bounded(desk: Desk, source: NewKey) -> None:
    async def endless():  # type: ignore[no-untyped-def]
        while True:
            yield b" " * 1_000_000

    answer = desk.ask("POST", "/api/pings", content=endless(), headers=bearer(source.key))

    assert answer.status_code == 413


def test_other_forms_than_json_are_refused(desk: Desk, source: NewKey) -> None:
    for headers in ({"Content-Type": "text/csv"}, {"Content-Encoding": "gzip"}):
        answer = desk.ask("POST", "/api/pings", content=b"{}", headers=bearer(source.key) | headers)
        assert answer.status_code == 415


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer yzp_wrong", "Basic {key}", "{key}"])
def test_without_a_valid_key_nothing_is_taken(desk: Desk, source: NewKey, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.format(key=source.key)}

    answer = desk.ask("POST", "/api/pings", content=b"{}", headers=headers)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_revoked_or_replaced_key_is_refused(desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree) -> None:
    administrator = post(tree.henan)
    replaced = rotate_key(staff=administrator, source=source.source)
    desk.stream.read_keys()
    assert desk.post(source.key, []).status_code == 401
    assert desk.post(replaced.key, []).status_code == 200

    revoke_source(staff=administrator, source=source.source)
    desk.stream.read_keys()
    assert desk.post(replaced.key, []).status_code == 401


def test_until_places_are_read_the_sender_is_asked_to_come_again(clock: Clock) -> None:
    answer = Desk(clock).post("yzp_any", [])

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "starting", "1")


def test_two_partners_who_use_the_same_name_have_different_vehicles(
    desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    from yizhan.passage.services.sources import create_source

    other = create_source(staff=post(tree.henan), union=tree.henan, name="另一平台")
    desk.stream.read_keys()

    assert len(desk.post(source.key, passing(desk.clock)).json()["reminders"]) == 1
    assert len(desk.post(other.key, passing(desk.clock)).json()["reminders"]) == 1
    one, two = desk.kept.passed
    assert one.vehicle != two.vehicle


def test_a_place_that_is_closed_or_of_unknown_hours_does_not_remind_unless_its_union_says_so(
    make_place: PlaceMaker, source: NewKey, clock: Clock, post: PostMaker, tree: UnionTree
) -> None:
    make_place(tree.jinshui, lon=113.70, lat=34.75, hours="Mo-Su 18:00-20:00")
    make_place(tree.jinshui, lon=113.80, lat=34.75, hours="")
    rows = [["a", clock.ms, 113.70, 34.75], ["b", clock.ms, 113.80, 34.75]]
    desk = Desk(clock).read()
    assert desk.post(source.key, rows).json()["reminders"] == []

    set_rules(
        staff=post(tree.zhengzhou), union=tree.zhengzhou, reminders_on=True, unknown_hours_remind=True, values=RULES
    )
    desk = Desk(clock).read()
    assert [each["vehicle"] for each in desk.post(source.key, rows).json()["reminders"]] == ["b"]


def test_rules_reach_down_the_tree_and_the_nearest_wins(
    desk: Desk, source: NewKey, post: PostMaker, tree: UnionTree
) -> None:
    far = [["far", desk.clock.ms, 113.62, 34.754, 5]]  # 445 m away
    assert desk.post(source.key, far).json()["reminders"] == []

    wide, off = RULES | {"radius_m": 600}, RULES
    set_rules(staff=post(tree.henan), union=tree.henan, reminders_on=True, unknown_hours_remind=False, values=wide)
    desk.stream.read_world()
    far[0][1] = desk.clock.ms + 1
    assert len(desk.post(source.key, far).json()["reminders"]) == 1

    staff = post(tree.zhongyuan)
    set_rules(staff=staff, union=tree.zhongyuan, reminders_on=False, unknown_hours_remind=False, values=off)
    desk.stream.read_world()
    assert desk.post(source.key, passing(desk.clock, "another")).json()["reminders"] == []


def test_a_place_that_is_withdrawn_reminds_no_more(desk: Desk, source: NewKey, place: Place) -> None:
    Place.published.filter(pk=place.pk).update(status="suspended")
    desk.stream.read_world()

    assert desk.post(source.key, passing(desk.clock)).json()["reminders"] == []


def test_the_answer_never_repeats_positions(desk: Desk, source: NewKey) -> None:
    answer = desk.post(source.key, [*passing(desk.clock), ["x", desk.clock.ms, 34.123456, 113.654321]])

    assert "113.6" not in answer.text
    assert "34.12" not in answer.text
    assert json.loads(answer.text)["rejected_count"] == 1
