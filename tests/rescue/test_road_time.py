"""Road times: Valhalla where the operator has map tiles, and the straight line wherever it says nothing."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from yizhan.rescue import providers
from yizhan.rescue.road_time import SET_OUT_S, StraightLine
from yizhan.rescue.valhalla import MOST_PAIRS, Valhalla

LAT = 34.75


class Actor:
    """Answers as Valhalla's documentation says: minutes by a rule, no way to the far west, an error in the far east."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, configuration: str) -> None:
        if configuration != "valhalla.json":
            raise RuntimeError("cannot open " + configuration)

    def matrix(self, text: str) -> str:
        told = json.loads(text)
        Actor.asked.append(told)
        if any(target["lon"] > 115 for target in told["targets"]):
            raise RuntimeError("no suitable edges near location")
        times = [
            [{"time": None if source["lon"] < 110 else 600, "distance": 1.0} for _target in told["targets"]]
            for source in told["sources"]
        ]
        return json.dumps({"sources_to_targets": times, "units": "kilometers"})


@pytest.fixture
def actor(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Actor]]:
    Actor.asked = []
    monkeypatch.setitem(sys.modules, "valhalla", SimpleNamespace(Actor=Actor))
    providers.road_time.cache_clear()
    yield Actor
    providers.road_time.cache_clear()


def valhalla(**options: Any) -> Valhalla:
    return Valhalla(Path("valhalla.json"), costing="motor_scooter", otherwise=StraightLine(), **options)


def test_valhalla_is_asked_for_many_ways_at_once(actor: type[Actor]) -> None:
    seconds = valhalla().seconds([113.6, 113.7], [LAT, LAT], [113.61, 113.62], [LAT, LAT], 5.0)
    assert seconds.tolist() == [SET_OUT_S + 600, SET_OUT_S + 600]
    (asked,) = actor.asked
    assert (len(asked["sources"]), len(asked["targets"]), asked["costing"]) == (2, 2, "motor_scooter")


def test_no_question_holds_more_pairs_than_valhalla_takes(actor: type[Actor]) -> None:
    chance = np.random.default_rng(1)
    count = 4000
    where = 113.6 + chance.integers(0, 300, count) / 10_000, 113.6 + chance.integers(0, 200, count) / 10_000
    seconds = valhalla(most_s=60.0).seconds(where[0], LAT, where[1], LAT, 5.0)
    assert np.all(seconds == SET_OUT_S + 600)
    assert max(len(each["sources"]) * len(each["targets"]) for each in actor.asked) <= MOST_PAIRS


def test_where_valhalla_knows_no_way_or_fails_the_straight_line_speaks(
    actor: type[Actor], caplog: pytest.LogCaptureFixture
) -> None:
    straight = StraightLine()
    seconds = valhalla().seconds([109.9, 113.7], LAT, 113.6, LAT, 5.0)
    assert seconds.tolist() == [straight.seconds(109.9, LAT, 113.6, LAT, 5.0), SET_OUT_S + 600]
    assert not caplog.records
    seconds = valhalla().seconds(113.7, LAT, 116.0, LAT, 5.0)
    assert seconds == straight.seconds(113.7, LAT, 116.0, LAT, 5.0)
    assert "valhalla cannot answer" in caplog.text


def test_what_takes_too_long_is_reckoned_in_the_measure_of_what_was_answered(
    actor: type[Actor], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yizhan.rescue.valhalla.MOST_PAIRS", 1)
    ticks = iter([0.0, 0.0, 100.0, 100.0])  # the first question is answered, then the time is over
    monkeypatch.setattr("yizhan.rescue.valhalla.time.monotonic", lambda: next(ticks))
    straight = StraightLine().seconds(113.7, LAT, [113.6, 113.65], LAT, 5.0)
    seconds = valhalla().seconds(113.7, LAT, [113.6, 113.65], LAT, 5.0)
    assert seconds[0] == SET_OUT_S + 600
    assert seconds[1] == pytest.approx(straight[1] * (SET_OUT_S + 600) / straight[0])
    assert "takes too long" in caplog.text


def test_a_setting_chooses_valhalla_and_one_that_cannot_begin_is_a_warning(
    actor: type[Actor], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROAD_DETOUR = 1.3
    assert isinstance(providers.road_time(), StraightLine)
    providers.road_time.cache_clear()
    settings.VALHALLA_CONFIGURATION = Path("valhalla.json")
    assert isinstance(providers.road_time(), Valhalla)
    providers.road_time.cache_clear()
    settings.VALHALLA_CONFIGURATION = Path("no-such.json")
    road = providers.road_time()
    assert isinstance(road, StraightLine)
    assert road.detour == 1.3
    assert "valhalla cannot begin" in caplog.text


def _builder() -> str | None:
    """Valhalla's program that makes tiles: newer wheels bring it, distributions of Linux have it."""
    if spec := importlib.util.find_spec("valhalla"):
        beside = Path(str(spec.origin)).parent / "bin" / "valhalla_build_tiles"
        if beside.exists():
            return str(beside)
    return shutil.which("valhalla_build_tiles")


@pytest.mark.skipif(
    not (_builder() and importlib.util.find_spec("valhalla") and importlib.util.find_spec("osmium")),
    reason="needs pyvalhalla, its valhalla_build_tiles and osmium",
)
def test_the_real_valhalla_answers_over_tiles_of_real_roads(tmp_path: Path, roads_file: Path) -> None:
    """Ways over Futian's roads, by Valhalla itself: never shorter in time than the straight line at 100 km/h."""
    get_config = importlib.import_module("valhalla").get_config
    _write_osm(roads_file, tmp_path / "roads.osm.pbf")
    configuration = tmp_path / "valhalla.json"
    told = get_config(tile_extract=str(tmp_path / "none.tar"), tile_dir=str(tmp_path / "tiles"), verbose=False)
    configuration.write_text(json.dumps(told), encoding="utf-8")
    builder = _builder() or ""
    command = [builder, "-c", str(configuration), str(tmp_path / "roads.osm.pbf")]
    subprocess.run(command, check=True, capture_output=True)
    road = Valhalla(configuration, costing="motor_scooter", otherwise=StraightLine(), most_s=120.0)
    chance = np.random.default_rng(2)
    lon, lat = chance.uniform(114.03, 114.06, (2, 20)), chance.uniform(22.53, 22.55, (2, 20))
    seconds = road.seconds(lon[0], lat[0], lon[1], lat[1], 5.0)
    straight = StraightLine().seconds(lon[0], lat[0], lon[1], lat[1], 5.0)
    assert (seconds != straight).mean() > 0.7  # few pairs have no way between them
    quickest = StraightLine(detour=1.0).seconds(lon[0], lat[0], lon[1], lat[1], 28.0)
    assert np.all(seconds >= quickest - SET_OUT_S)
    assert 0.3 < np.median(seconds / straight) < 3.0


@pytest.fixture
def roads_file(settings: Any) -> Path:
    path: Path = settings.SAMPLE_DATA / "roads" / "shenzhen_futian_edges_drive.csv"
    if not path.exists():
        pytest.skip(f"the sample data is not there ({path.name})")
    return path


def _write_osm(roads: Path, to: Path) -> None:
    """The road graph as OpenStreetMap's own format: each direction is a way of its own."""
    osmium = importlib.import_module("osmium")
    with roads.with_name(roads.name.replace("edges_drive", "nodes")).open(encoding="utf-8-sig") as file:
        places = {row["node_id"]: (float(row["lng"]), float(row["lat"])) for row in csv.DictReader(file)}
    numbers: dict[tuple[float, float], int] = {}
    ways = []
    with roads.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            line = row["geometry_wkt"].partition("(")[2].rstrip(")")
            points = [(float(x), float(y)) for x, y in (each.split() for each in line.split(","))] if line else []
            points = points or [places[row["source"]], places[row["target"]]]
            kind = row["highway"].strip("[]'\" ").split("'")[0]
            ways.append(([numbers.setdefault(point, len(numbers) + 1) for point in points], kind))
    with osmium.SimpleWriter(str(to)) as writer:
        for point, number in numbers.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=point, version=1))
        for number, (nodes, kind) in enumerate(ways, start=1):
            tags = {"highway": kind, "oneway": "yes"}
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags, version=1))
