"""A day played back: read, judged by the kernel itself, shown, and kept nowhere."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from django.core.files import uploadedfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.geo import Datum, PassageKernel
from yizhan.geo.passage import Reason
from yizhan.passage.models import Reminder
from yizhan.passage.playback.judging import SILENT, Playback, _world_around, play_back
from yizhan.passage.playback.riders import ride
from yizhan.passage.playback.tracks import midnight_ms, read_track
from yizhan.passage.playback.uploads import MOST_BYTES
from yizhan.passage.playback.words import OUTCOMES, ROW_RULES, why
from yizhan.passage.pseudonyms import pseudonym_key, vehicle_number
from yizhan.passage.runtime.decoding import REASONS
from yizhan.passage.services.log import Passed, record_reminders
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import NewKey
from yizhan.passage.services.wishes import set_wish
from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import Role

DAY = date(2025, 11, 27)  # a Thursday
NORTH = 1 / 111_195  # degrees a metre


@pytest.fixture
def cadre(tree: UnionTree, post: PostMaker) -> Staff:
    return post(tree.zhengzhou, Role.CADRE)


def at(clock: str) -> int:
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return midnight_ms(DAY) + (hour * 3600 + minute * 60 + second) * 1000


def csv_of(rows: list[tuple[Any, ...]], head: str = "vehicle,time,lon,lat,accuracy_m") -> bytes:
    return "\n".join([head, *(",".join(str(value) for value in row) for row in rows)]).encode()


def way(name: str, begins: str, *, beside_m: float = 50, lon: float = 113.62, lat: float = 34.75) -> list[Any]:
    """Driven past a place from west to east at 10 m/s, a position every 10 seconds."""
    return [
        (
            name,
            at(begins) + step * 10_000,
            round(lon + (step - 6) * 100 / 91_300, 6),
            round(lat + beside_m * NORTH, 6),
            5,
        )
        for step in range(13)
    ]


def played(rows: list[Any], cadre: Staff, **options: Any) -> Playback:
    return play_back(read_track(csv_of(rows), datum=Datum.WGS84), for_staff=cadre, **options)


def rules(staff: Staff, **changed: int) -> None:
    values = {"radius_m": 300, "cool_down_s": 4 * 3600, "gap_s": 600, "max_segment_gap_s": 120, "max_speed_kmh": 150}
    values |= {"still_open_s": 0, "silent_above_kmh": 0, "quiet_from_min": 0, "quiet_until_min": 0, **changed}
    set_rules(staff=staff, union=staff.union, reminders_on=True, unknown_hours_remind=False, values=values)


def test_a_passage_of_an_open_place_is_a_reminder_and_the_next_one_is_held_back_by_it(
    place: Place, cadre: Staff
) -> None:
    found = played([*way("甲", "11:00"), *way("甲", "11:30")], cadre)

    first, second = found.encounters
    assert (first.outcome, second.outcome) == ("REMINDED", "COOL_DOWN")
    assert first.distance_m < 300
    assert second.held_back_by is not None
    assert second.held_back_by.at_ms == first.at_ms
    assert "240" in why(second)
    assert found.reminders == 1


@pytest.mark.parametrize(
    ("hours", "changed", "begins", "beside_m", "outcome"),
    [
        ("Mo-Su 08:00-10:00", {}, "11:00", 50, "CLOSED"),
        ("Mo-Su 08:00-11:05", {"still_open_s": 1800}, "11:00", 50, "CLOSING_SOON"),
        ("24/7", {"silent_above_kmh": 20}, "11:00", 50, "TOO_FAST"),
        ("24/7", {"quiet_from_min": 10 * 60, "quiet_until_min": 12 * 60}, "11:00", 50, "QUIET"),
        ("24/7", {}, "11:00", 400, "OUTSIDE"),
    ],
)
def test_each_near_miss_names_what_decided(
    make_place: PlaceMaker, tree: UnionTree, post: PostMaker, cadre: Staff,
    hours: str, changed: dict[str, int], begins: str, beside_m: float, outcome: str,
) -> None:  # fmt: skip
    make_place(tree.zhongyuan, name="枫杨驿站", lon=113.62, lat=34.75, hours=hours)
    rules(post(tree.zhengzhou), **changed)

    (encounter,) = played(way("甲", begins, beside_m=beside_m), cadre).encounters

    assert encounter.outcome == outcome
    assert why(encounter)
    assert "%(" not in why(encounter)


def test_every_outcome_and_every_rule_of_a_row_has_words() -> None:
    assert set(OUTCOMES) == {each.name for each in Reason} | {SILENT}
    assert set(ROW_RULES) == set(REASONS)


def test_with_the_source_its_log_and_wishes_count(place: Place, cadre: Staff, source: NewKey, tree: UnionTree) -> None:
    number = vehicle_number(pseudonym_key(), source.source.pk, "甲")
    passed = Passed(
        uuid4(), number, place.pk, place.union_id, source.source.pk,
        datetime.fromtimestamp(at("10:00") / 1000, UTC), 50.0, False,
    )  # fmt: skip
    record_reminders([passed])
    set_wish(source.source, "乙", silent=True, services=[])

    found = played([*way("甲", "11:00"), *way("乙", "11:00"), *way("丙", "11:00")], cadre, source=source.source)

    by_name = {found.track.names[each.vehicle]: each for each in found.encounters}
    assert by_name["甲"].outcome == "COOL_DOWN"
    assert by_name["甲"].held_back_by is not None
    assert by_name["乙"].outcome == SILENT
    assert (by_name["丙"].outcome, by_name["丙"].in_log) == ("REMINDED", False)


def test_reminders_of_the_log_that_the_playback_has_not_are_counted(place: Place, cadre: Staff, source: NewKey) -> None:
    number = vehicle_number(pseudonym_key(), source.source.pk, "甲")
    moments = [at("11:01:00"), at("11:00:00") + 3_000]
    record_reminders(
        [
            Passed(uuid4(), number, place.pk, place.union_id, source.source.pk,
                   datetime.fromtimestamp(moment / 1000, UTC), 50.0, False)
            for moment in moments[:1]
        ]
    )  # fmt: skip

    (encounter,) = (found := played(way("甲", "11:00"), cadre, source=source.source)).encounters

    assert encounter.in_log is True
    assert found.only_in_log == 0


def test_places_of_other_unions_are_judged_but_not_listed(
    make_place: PlaceMaker, tree: UnionTree, cadre: Staff, place: Place
) -> None:
    make_place(tree.shenzhen, name="别家驿站", lon=113.60, lat=34.75, hours="24/7")

    found = played([*way("甲", "11:00", lon=113.60), *way("甲", "11:03")], cadre)

    assert [each.place.name for each in found.encounters] == ["枫杨驿站"]
    assert found.encounters[0].outcome == "GAP"
    assert found.elsewhere == 1


def test_simulated_riders_get_exactly_the_reminders_of_the_kernel(
    make_place: PlaceMaker, tree: UnionTree, cadre: Staff
) -> None:
    for k in range(4):
        make_place(tree.zhongyuan, name=f"驿站{k}", lon=113.62 + k * 0.008, lat=34.75, hours="24/7")
    track = ride(around=[(113.62, 34.75), (113.636, 34.75)], day=DAY, from_hour=11, hours=1, riders=4)

    found = play_back(track, for_staff=cadre)

    pings = track.pings
    kernel = PassageKernel(_world_around(track).stations)
    reminders = kernel.feed(pings.vehicle, pings.time_ms, pings.longitude, pings.latitude, pings.accuracy_m)
    expected = set(zip(reminders.vehicle.tolist(), reminders.station.tolist(), reminders.time_ms.tolist(), strict=True))
    told = {(each.vehicle, each.place.number, each.at_ms) for each in found.encounters if each.outcome == "REMINDED"}
    assert told == expected
    assert told
    assert "REMINDED" in found.reasons
    assert set(np.unique(pings.vehicle)) == {0, 1, 2, 3}


# --- files ----------------------------------------------------------------------------------------------------------


def test_times_are_milliseconds_or_iso_or_shanghai_and_bad_rows_are_named() -> None:
    moment = at("12:00")
    rows = [
        ("甲", moment, 113.62, 34.75, ""),
        ("甲", "2025-11-27T12:00:10+08:00", 113.62, 34.75, 5),
        ("甲", "2025/11/27 12:00:20", 113.62, 34.75, 5),
        ("甲", "中午", 113.62, 34.75, 5),
        ("甲", moment + 30_000, 34.75, 113.62, 5),
        ("甲", moment - 86_400_000, 113.62, 34.75, 5),
    ]

    track = read_track(csv_of(rows), datum=Datum.WGS84)

    assert track.pings.time_ms.tolist() == [moment, moment + 10_000, moment + 20_000]
    assert [(each.index, each.code) for each in track.rejected] == [(3, "time"), (4, "position")]
    assert track.days == {DAY: 4, DAY - timedelta(days=1): 1}


def test_csv_of_a_chinese_spreadsheet_and_arrow_say_the_same() -> None:
    rows = [("甲", at("12:00"), 113.62, 34.75, 5), ("乙", at("12:01"), 113.63, 34.76, 6)]
    table = pa.table(
        {
            "vehicle": ["甲", "乙"],
            "time": pa.array([row[1] for row in rows], pa.int64()),
            "lon": [row[2] for row in rows],
            "lat": [row[3] for row in rows],
            "accuracy_m": [5.0, 6.0],
        }
    )
    streams = []
    for writer in (pa.ipc.new_stream, pa.ipc.new_file):
        sink = io.BytesIO()
        with writer(sink, table.schema) as out:
            out.write_table(table)
        streams.append(sink.getvalue())
    gbk = csv_of(rows).decode().encode("gb18030")

    tracks = [read_track(content, datum=Datum.WGS84) for content in (csv_of(rows), gbk, *streams)]

    for track in tracks:
        assert sorted(track.names) == ["乙", "甲"]
        assert track.pings.longitude.tolist() == [113.62, 113.63]


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        (b"", "file", "column"),
        (b"a,b\n1,2\n", "file", "column"),
        (b"vehicle,time,lon,lat\n", "file", "empty"),
        (b"ARROW1\x00\x00nonsense", "file", "not_arrow"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file", "column"),
        (csv_of([(f"v{k}", at("12:00"), 113.6, 34.7, 5) for k in range(201)]), "file", "too_many"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_rule(content: bytes, field: str, code: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        read_track(content, datum=Datum.WGS84)

    (problem,) = broken.value.problems
    assert (problem.field, problem.code) == (field, code)


def test_a_day_without_positions_names_the_days_that_have_some() -> None:
    with pytest.raises(RuleBroken, match="2025-11-27"):
        read_track(csv_of(way("甲", "11:00")), datum=Datum.WGS84, day=date(2025, 11, 28))


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(cadre: Staff, client: Client) -> Client:
    client.force_login(cadre.user)
    return client


def uploaded(content: bytes, **fields: Any) -> dict[str, Any]:
    return {"from": "file", "datum": "WGS-84", "file": SimpleUploadedFile("day.csv", content), **fields}


def test_the_page_shows_what_came_of_a_file_and_leaves_nothing_behind(
    desk: Client, place: Place, cadre: Staff, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def to_the_disk(*_args: object, **_options: object) -> None:
        raise AssertionError("positions on the disk")

    monkeypatch.setattr(uploadedfile.TemporaryUploadedFile, "__init__", to_the_disk)
    filler = b"\n".join(b"x,1,1,1,1" for _ in range(600_000))  # beyond what Django keeps in memory by itself

    answer = desk.post(reverse("passage:playback"), uploaded(csv_of(way("甲", "11:00"))))
    beyond = desk.post(reverse("passage:playback"), uploaded(csv_of(way("甲", "11:00")) + b"\n" + filler))

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "枫杨驿站" in text
    assert "no-store" in answer["Cache-Control"]
    assert beyond.status_code == 422  # more rows than a file may have, but read, and from memory
    assert not Reminder.log.exists()
    with scope(union=cadre.union.path):
        entry = AuditEntry.objects.get(action="passage.day_played_back")
    assert entry.details["pings"] == 13
    assert "113." not in str(entry.details)


def test_a_bigger_file_is_refused_before_it_is_read(desk: Client) -> None:
    answer = desk.post(reverse("passage:playback"), uploaded(b"x" * (MOST_BYTES + 2**20)))

    assert answer.status_code == 413
    assert "16 MB" in answer.content.decode()


def test_a_wrong_file_is_named_at_its_field(desk: Client) -> None:
    answer = desk.post(reverse("passage:playback"), uploaded(b"a,b\n1,2\n"))

    assert answer.status_code == 422
    assert "vehicle, time, lon, lat" in answer.content.decode()


def test_riders_can_be_let_ride(desk: Client, place: Place) -> None:
    fields = {"from": "riders", "day": "2025-11-27", "from_hour": 11, "hours": 1, "riders": 2, "seed": 1}

    answer = desk.post(reverse("passage:playback"), fields)

    assert answer.status_code == 200
    assert 'id="playback-data"' in answer.content.decode()


def test_riders_need_a_place_to_ride_around(desk: Client) -> None:
    fields = {"from": "riders", "day": "2025-11-27", "from_hour": 11, "hours": 1, "riders": 2, "seed": 1}

    assert desk.post(reverse("passage:playback"), fields).status_code == 422


def test_a_form_without_its_token_is_refused(cadre: Staff) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cadre.user)

    assert strict.post(reverse("passage:playback"), {"from": "riders"}).status_code == 403


@pytest.mark.parametrize("role", [Role.KEEPER, Role.READER, Role.FINANCE])
def test_only_those_who_may_see_ways(tree: UnionTree, post: PostMaker, client: Client, role: Role) -> None:
    client.force_login(post(tree.zhengzhou, role).user)

    assert client.get(reverse("passage:playback")).status_code == 403
