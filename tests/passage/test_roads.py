"""Roads: read from files, generated, and driven."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from yizhan.geo import Datum, convert
from yizhan.passage.frame import FlatFrame
from yizhan.passage.roads import RoadFileError, RoadGraph, read_roads, street_grid
from yizhan.passage.roads.graph import Edge

NODES = "node_id,lng,lat\na,113.60,34.75\nb,113.61,34.75\nc,113.61,34.76\nlonely,113.70,34.80\n"
EDGES = (
    "source,target,highway,maxspeed,geometry_wkt\n"
    "a,b,primary,,\n"
    'b,c,residential,30,"LINESTRING (113.61 34.75, 113.615 34.755, 113.61 34.76)"\n'
    "c,a,service,,\n"
)


def write(folder: Path, edges: str = EDGES, nodes: str = NODES) -> Path:
    (folder / "x_nodes.csv").write_text(nodes, encoding="utf-8")
    path = folder / "x_edges.csv"
    path.write_text(edges, encoding="utf-8")
    return path


def test_a_road_file_gives_a_graph_of_what_can_be_reached(tmp_path: Path) -> None:
    roads = read_roads(write(tmp_path))

    assert len(roads.nodes) == 3  # the lonely node is left out
    route = roads.routes([0], [2])[0]
    assert route is not None
    assert len(route.line) == 4  # a, b, the bend, c
    assert route.length == pytest.approx(916 + 2 * 722, rel=0.01)
    assert route.duration == pytest.approx(916 / 12.5 + 2 * 722 / (30 * 0.8 / 3.6), rel=0.01)


def test_roads_of_another_datum_come_to_lie_where_they_are(tmp_path: Path) -> None:
    roads = read_roads(write(tmp_path), datum=Datum.GCJ02)

    longitude, latitude = roads.frame.degrees(roads.nodes[:, 0], roads.nodes[:, 1])
    expected = convert(113.60, 34.75, source=Datum.GCJ02, target=Datum.WGS84)
    assert (longitude[0], latitude[0]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("edges", "nodes", "said"),
    [
        ("source,target\na,b\n", NODES, "lacks the column 'highway'"),
        (EDGES.replace("a,b,", "nowhere,b,"), NODES, "line 2: source 'nowhere' is not among the nodes"),
        (EDGES.replace("LINESTRING", "SNAKE"), NODES, "line 3: geometry_wkt is no WKT"),
        (EDGES, NODES.replace("113.61,34.75", "east,34.75"), "x_nodes.csv, line 3: lng and lat must be degrees"),
        (EDGES, NODES.replace("113.61,34.75", "nan,34.75"), "line 3: no such position"),
        (EDGES, "node_id,lng,lat\n", "holds no node"),
    ],
)
def test_a_broken_road_file_says_where_and_why(tmp_path: Path, edges: str, nodes: str, said: str) -> None:
    with pytest.raises(RoadFileError, match=said):
        read_roads(write(tmp_path, edges, nodes))


def test_edges_without_their_nodes_beside_them_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "x_nodes.csv").unlink()

    with pytest.raises(RoadFileError, match="looked for x_nodes"):
        read_roads(path)


def test_the_quickest_route_takes_the_fast_way_round() -> None:
    nodes = np.array([[0.0, 0.0], [1000.0, 0.0], [500.0, 500.0]])
    lines = [(0, 1, 3.0), (0, 2, 20.0), (2, 1, 20.0), (1, 0, 3.0)]
    roads = RoadGraph(FlatFrame(113, 34), nodes, [Edge(a, b, nodes[[a, b]], speed) for a, b, speed in lines])

    route, nowhere = roads.routes([0, 1], [1, 1])

    assert route is not None
    assert route.line.tolist() == nodes[[0, 2, 1]].tolist()
    assert nowhere is None


def test_a_moved_graph_keeps_its_metres() -> None:
    roads = street_grid(113.65, 34.75, half_side=1000)
    moved = roads.at(FlatFrame(114.05, 22.54))

    assert np.array_equal(moved.nodes, roads.nodes)
    assert moved.frame != roads.frame
    east, north = moved.frame.metres(*moved.frame.degrees(moved.nodes[:, 0], moved.nodes[:, 1]))
    assert np.allclose(east, roads.nodes[:, 0], atol=1e-6)
    assert np.allclose(north, roads.nodes[:, 1], atol=1e-6)


def test_the_same_seed_grows_the_same_streets() -> None:
    one, same, other = (street_grid(113.65, 34.75, half_side=1500, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one.nodes, same.nodes)
    assert not np.array_equal(one.nodes[:20], other.nodes[:20])


def test_metres_to_the_road_are_measured_to_its_line_not_to_its_nodes() -> None:
    nodes = np.array([[0.0, 0.0], [1000.0, 0.0]])
    edges = [Edge(0, 1, nodes, 10), Edge(1, 0, nodes[::-1], 10)]

    assert RoadGraph(FlatFrame(113, 34), nodes, edges).metres_to_road([500], [70]).tolist() == [70]


def test_the_real_road_graph_can_be_read_and_driven() -> None:
    path = settings.SAMPLE_DATA / "roads" / "shenzhen_futian_edges_drive.csv"
    if not path.exists():
        pytest.skip(f"the optional sample data is not here: {path}")
    roads = read_roads(path)

    assert len(roads.nodes) > 1300
    assert all(route is not None for route in roads.routes([0, 10, 20], [700, 800, 900]))
