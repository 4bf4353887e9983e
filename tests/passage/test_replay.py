"""`yizhan replay` and `yizhan simulate`, from the files to the reminders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from django.conf import settings
from typer.testing import CliRunner, Result

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Desk
from tests.places.conftest import PlaceMaker
from yizhan.geo import Datum
from yizhan.passage import commands
from yizhan.passage.commands import app
from yizhan.passage.models import PingSource, Reminder
from yizhan.passage.replay import DAY_MS, SHANGHAI, NothingToPass, _before, _paced, plan_replay, replay_here, replay_to
from yizhan.passage.roads import street_grid
from yizhan.passage.services.sources import NewKey, create_source
from yizhan.passage.simulation import Gps, Refused, Riders, Server, roads_geojson, run_demo_traffic
from yizhan.passage.simulation import demo as demo_module
from yizhan.places.models import Place

# Two crossings, 1.2 km apart, on a straight street north of the place at 113.62, 34.75.
NODES = "node_id,lng,lat\nwest,113.614,34.751\neast,113.627,34.751\nnorth,113.62,34.77\n"
EDGES = (
    "source,target,highway,maxspeed,geometry_wkt\n"
    "west,east,primary,,\neast,west,primary,,\nwest,north,primary,,\nnorth,west,primary,,\n"
)
TRIPS = (
    "vehicle,start_time,lng,lat,end_time,end_lng,end_lat,distance_m\n"
    "7,08:00:00,113.614,34.751,08:02:30,113.627,34.751,1200\n"
    "8,09:00:00,113.627,34.751,09:02:30,113.614,34.751,1200\n"
    "9,03:00:00,113.614,34.751,03:04:00,113.62,34.77,2200\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "nodes.csv").write_text(NODES, encoding="utf-8")
    trips, edges = tmp_path / "trips.csv", tmp_path / "edges.csv"
    trips.write_text(TRIPS, encoding="utf-8")
    edges.write_text(EDGES, encoding="utf-8")
    return trips, edges


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    return re.sub(r"\s+", " ", result.output)


def test_a_replay_passes_the_place_and_says_what_came_of_it(files: tuple[Path, Path], place: Place) -> None:
    trips, edges = files
    result = run("replay", trips, "--roads", edges, "--day", "2025-11-27")

    assert result.exit_code == 0, result.output
    assert "3 trips: 3 lie wholly on the road graph" in said(result)
    assert "枫杨驿站" in result.output
    assert "1 stations remind: 1 have a road within their radius, 1 were passed, 1 reminded" in said(result)
    assert "2 reminders" in said(result)
    assert Reminder.log.count() == 0  # nothing is stored


def test_the_same_seed_gives_the_same_replay(files: tuple[Path, Path], place: Place) -> None:
    trips, edges = files
    outcomes = [
        json.loads(run("replay", trips, "--roads", edges, "--day", "2025-11-27", "--seed", seed, "--json").stdout)
        for seed in (5, 5)
    ]
    for outcome in outcomes:
        outcome.pop("pings_per_second")

    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["simulated"] is True
    assert outcomes[0]["per_station"] == {"枫杨驿站": 2}


def test_roads_of_another_city_are_laid_over_the_stations_and_it_is_said(
    files: tuple[Path, Path], place: Place, make_place: PlaceMaker, tree: UnionTree
) -> None:
    make_place(tree.zhengzhou, name="远处驿站", lon=113.95, lat=34.50, hours="24/7")
    trips, edges = files
    where_they_are = json.loads(run("replay", trips, "--roads", edges, "--json").stdout)
    shifted = run("replay", trips, "--roads", edges, "--onto-stations")

    assert where_they_are["stations_reachable"] == 1
    assert "NOT of the stations' city: 2 copies of them" in said(shifted)
    assert json.loads(run("replay", trips, "--roads", edges, "--onto-stations", "--json").stdout)["road_copies"] == 2


def test_roads_without_any_station_say_what_to_do(
    files: tuple[Path, Path], make_place: PlaceMaker, tree: UnionTree
) -> None:
    make_place(tree.zhengzhou, lon=113.95, lat=34.50, hours="24/7")
    trips, edges = files

    assert "--onto-stations lays copies" in said(run("replay", trips, "--roads", edges))


def test_a_station_of_unknown_hours_reminds_only_if_asked_to(
    files: tuple[Path, Path], make_place: PlaceMaker, tree: UnionTree
) -> None:
    make_place(tree.zhongyuan, lon=113.62, lat=34.75, hours="")
    trips, edges = files

    quiet = run("replay", trips, "--roads", edges)
    asked = run("replay", trips, "--roads", edges, "--unknown-hours")

    assert "1 were passed, 0 reminded 1 of the stations have hours that are wholly or partly unknown" in said(quiet)
    assert "2 reminders" in said(asked)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--speed-up", "fast"], 2, "must be a number above 0, or max"),
        (["--speed-up", "-1"], 2, "must be a number above 0, or max"),
        (["--datum", "Mars"], 2, "unknown datum 'Mars'"),
        (["--to", "http://127.0.0.1:1"], 2, "--to needs a key"),
        (["--to", "http://127.0.0.1:1", "--key", "yzp_x"], 1, "http://127.0.0.1:1 cannot be reached"),
        (["--limit", "0"], 2, ""),
    ],
)
def test_a_wrong_option_is_said_and_ends_with_its_status(
    files: tuple[Path, Path], place: Place, options: list[str], code: int, words: str
) -> None:
    trips, edges = files
    result = run("replay", trips, "--roads", edges, *options)

    assert result.exit_code == code, result.output
    assert words in said(result)


def test_a_missing_file_and_an_empty_directory_are_said(files: tuple[Path, Path], db: None) -> None:
    trips, edges = files

    missing = run("replay", "nowhere.csv", "--roads", edges)
    nothing = run("replay", trips, "--roads", edges)

    assert (missing.exit_code, "nowhere.csv: there is no such file" in said(missing)) == (2, True)
    assert (nothing.exit_code, "no published place that reminds" in said(nothing)) == (1, True)
    with pytest.raises(NothingToPass):
        plan_replay(trips, edges, datum=Datum.WGS84, onto_stations=False, day=None)


class Wire(httpx.BaseTransport):
    """Leads from a synchronous client to a desk."""

    def __init__(self, desk: Desk, *, before: Callable[[], None] = lambda: None) -> None:
        self.desk, self.before = desk, before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.before()
        answer = self.desk.ask(
            request.method, str(request.url.raw_path.decode()), content=request.read(), headers=dict(request.headers)
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def made_up(desk: Desk, post: PostMaker, tree: UnionTree) -> NewKey:
    made = create_source(staff=post(tree.henan), union=tree.henan, name="模拟骑手", is_simulated=True)
    desk.stream.read_keys()
    return made


def test_a_replay_to_a_server_gives_the_same_reminders_as_one_here(
    files: tuple[Path, Path], desk: Desk, made_up: NewKey
) -> None:
    trips, edges = files
    plan = plan_replay(trips, edges, datum=Datum.WGS84, onto_stations=False, day=date(2025, 11, 27))
    desk.clock.now = datetime(2025, 11, 27, 12, tzinfo=UTC).timestamp()

    here = replay_here(plan, speed_up=None)
    there = replay_to(plan, Server("http://hot", made_up.key, transport=Wire(desk)), speed_up=None)

    assert there.reminded == here.reminded
    assert (there.pings, there.rejected) == (here.pings, 0)
    assert [each.is_simulated for each in desk.kept.passed] == [True, True]
    assert desk.stream.simulated.roads(made_up.source.union.path) is not None


def test_simulated_pings_are_not_posted_with_a_real_fleets_key(
    files: tuple[Path, Path], desk: Desk, source: NewKey
) -> None:
    trips, edges = files
    plan = plan_replay(trips, edges, datum=Datum.WGS84, onto_stations=False, day=None)

    with pytest.raises(Refused, match="only a simulated source"):
        replay_to(plan, Server("http://hot", source.key, transport=Wire(desk)), speed_up=None)
    with pytest.raises(PermissionError):
        replay_to(plan, Server("http://hot", "yzp_wrong", transport=Wire(desk)), speed_up=None)
    assert desk.kept.passed == []


def test_the_last_24_hours_are_never_in_the_future_nor_too_old(files: tuple[Path, Path], place: Place) -> None:
    trips, edges = files
    plan = plan_replay(trips, edges, datum=Datum.WGS84, onto_stations=False, day=date(2025, 11, 27))
    for hour in range(24):
        now_ms = round(datetime(2025, 11, 27, hour, 1, 17, tzinfo=SHANGHAI).timestamp() * 1000)
        moved = _before(plan.pings, now_ms)
        assert len(plan.pings) - 13 <= len(moved) <= len(plan.pings)  # the minute that would come too late
        assert np.all((moved.time_ms <= now_ms) & (moved.time_ms > now_ms - DAY_MS))
        assert np.all(np.diff(moved.time_ms) >= 0)


def test_a_paced_replay_hands_out_every_ping_once_and_in_order(files: tuple[Path, Path], place: Place) -> None:
    trips, edges = files
    plan = plan_replay(trips, edges, datum=Datum.WGS84, onto_stations=False, day=date(2025, 11, 27))

    batches = list(_paced(plan.pings, 50_000, most=7, tick_s=0.01))

    assert np.array_equal(np.concatenate([batch.time_ms for batch in batches]), plan.pings.time_ms)
    assert max(len(batch) for batch in batches) <= 7


def test_demo_riders_drive_past_places_and_are_reminded(
    desk: Desk, made_up: NewKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.clock.now = __import__("time").time()
    failing = iter([True, False, False, True])

    def before() -> None:
        if next(failing, False):
            raise httpx.ConnectError("not yet")

    monkeypatch.setattr(demo_module, "Server", lambda url, key: Server(url, key, transport=Wire(desk, before=before)))
    told: list[str] = []
    riders = Riders(street_grid(113.62, 34.75, half_side=800), count=300, gps=Gps(every_s=1))
    accepted = run_demo_traffic("http://hot", made_up.key, riders, seconds=3, tick_s=0.1, say=told.append)

    assert accepted > 50
    assert told == ["the server does not answer yet; trying on", "the server answers"] * 2
    assert desk.kept.passed


def test_demo_riders_give_up_when_the_key_stays_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "Server", lambda url, key: Server(url, key, transport=Wire(desk)))
    monkeypatch.setattr(demo_module, "PATIENCE_S", 0.1)
    riders = Riders(street_grid(113.62, 34.75, half_side=800), count=5, gps=Gps(every_s=1))

    with pytest.raises(PermissionError):
        run_demo_traffic("http://hot", "yzp_wrong", riders, seconds=10, tick_s=0.05)


def test_simulate_makes_its_own_source_where_all_places_are(
    place: Place, make_place: PlaceMaker, tree: UnionTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_place(tree.jinshui, lon=113.66, lat=34.76, hours="24/7")
    asked: list[tuple[Any, ...]] = []

    def drive(*arguments: Any, **options: Any) -> int:
        asked.append((*arguments, options["seconds"]))
        return 17

    monkeypatch.setattr(commands, "run_demo_traffic", drive)
    for _ in range(2):
        result = run("simulate", "--to", "http://hot", "--seconds", "1")
        assert result.exit_code == 0, result.output
        assert "17 pings were taken" in result.output

    source = PingSource.every.get()
    assert (source.union, source.is_simulated) == (tree.zhengzhou, True)
    assert asked[0][1] != asked[1][1]  # each start has a fresh key
    assert len(asked[0][2].names) == 300


def test_simulate_says_what_is_missing(db: None, place: Place) -> None:
    assert run("simulate", "--union", "99").exit_code == 2
    Place.published.all().update(status="suspended")
    result = run("simulate")
    assert (result.exit_code, "no published place" in said(result)) == (1, True)


def test_roads_are_told_in_full_or_main_roads_only_or_not_at_all() -> None:
    roads = street_grid(113.62, 34.75, half_side=1500)
    full = roads_geojson(roads, [roads.frame])
    assert full is not None
    assert [each["properties"]["class"] for each in json.loads(full)["features"]] == ["main", "other"]
    less = roads_geojson(roads, [roads.frame], most_bytes=len(full) - 1)
    assert less is not None
    assert [each["properties"]["class"] for each in json.loads(less)["features"]] == ["main"]
    assert roads_geojson(roads, [roads.frame], most_bytes=10) is None


def test_the_real_stations_are_passed_on_the_real_roads_and_trips(make_place: PlaceMaker, tree: UnionTree) -> None:
    folder = settings.SAMPLE_DATA
    trips, roads = folder / "trips" / "shenzhen_taxi_od.csv", folder / "roads" / "shenzhen_futian_edges_drive.csv"
    if not (trips.exists() and roads.exists()):
        pytest.skip(f"the optional sample data is not here: {folder}")
    make_place(tree.shenzhen, name="福田驿站", lon=114.0184, lat=22.5336, hours="24/7")

    plan = plan_replay(trips, roads, datum=Datum.WGS84, onto_stations=False, day=date(2025, 11, 27), every_s=10)
    outcome = replay_here(replace(plan), speed_up=None)

    assert (plan.laid.read, plan.laid.whole + plan.laid.cut > 1500) == (10_619, True)
    assert outcome.reminders > 50
