"""Map programs read us as they are: GDAL, as it comes in pyogrio's wheel (QGIS reads OGC API – Features through it)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.asking import Asked
from yizhan.feeds.queries.rows import chunk_after
from yizhan.feeds.services.sequence import sequence_changes
from yizhan.feeds.showing import features
from yizhan.places.models import Place


@pytest.fixture
def places(live_server: LiveServer, tree: UnionTree, post: PostMaker, settings: Settings) -> list[Place]:
    """More places than GDAL takes in a page of the size asked for below."""
    settings.BASE_URL = live_server.url
    make = PlaceMaker(post)
    found = [make(tree.zhongyuan, offers=("water", "rest"), hours="24/7") for _each in range(6)]
    found.append(make(tree.shenzhen, kind="restaurant", name="惠骑餐厅", lon=114.05, lat=22.54))
    sequence_changes()
    return found


# GDAL holds the interpreter while it waits for an answer: in the process that answers, it would wait for ever.
GDAL = """
import json, sys, pyogrio, shapely
source, options = sys.argv[1], json.loads(sys.argv[2])
if "bbox" in options:
    options["bbox"] = tuple(options["bbox"])
meta, _ids, geometry, columns = pyogrio.raw.read(source, **options)
fields = list(meta["fields"])
print(json.dumps({
    "layers": pyogrio.list_layers(source).tolist(),
    "features": pyogrio.read_info(source, layer=options.get("layer"))["features"],
    "fields": fields,
    "names": columns[fields.index("name")].tolist(),
    "positions": [(point.x, point.y) for point in shapely.from_wkb(geometry)],
}))
"""


def read(source: str, **options: Any) -> Any:
    """What GDAL says of a source, and the names and positions that it reads."""
    command = [sys.executable, "-c", GDAL, source, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif("OAPIF" not in pyogrio.list_drivers(), reason="this GDAL has no driver for OGC API – Features")
def test_gdal_lists_filters_and_pages_the_collection(live_server: LiveServer, places: list[Place]) -> None:
    address = f"OAPIF:{live_server.url}/api/ogc"
    told = read(address, layer="places", PAGE_SIZE=2)
    assert told["layers"] == [["places", "Point"]]
    assert told["features"] == len(places)
    assert {"name", "kind", "hours", "offers", "sequence", "changed_at"} <= set(told["fields"])
    assert sorted(told["names"]) == sorted(place.name for place in places)
    first = places[0]
    assert told["positions"][told["names"].index(first.name)] == [round(first.lon, 6), round(first.lat, 6)]

    assert read(address, layer="places", bbox=(114.0, 22.5, 114.1, 22.6))["names"] == ["惠骑餐厅"]
    assert read(address, layer="places", where="kind = 'restaurant'")["names"] == ["惠骑餐厅"]


def test_gdal_reads_the_file_that_everyone_can_take_home(places: list[Place], tmp_path: Path) -> None:
    file = tmp_path / "places.geojson"
    listed = ",".join(features(chunk_after(Asked(), 0)))
    file.write_text(f'{{"type":"FeatureCollection","features":[{listed}]}}', encoding="utf-8")
    assert sorted(read(str(file))["names"]) == sorted(place.name for place in places)
