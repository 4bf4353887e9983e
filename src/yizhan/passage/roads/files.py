"""Reads a road graph from a file of edges."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from yizhan.geo import Datum, convert
from yizhan.passage.frame import FlatFrame

from .graph import Edge, Points, RoadGraph

# Metres per second of a vehicle in city traffic, by the class of OpenStreetMap's `highway`.
SPEEDS = {
    "motorway": 80 / 3.6,
    "trunk": 60 / 3.6,
    "primary": 45 / 3.6,
    "secondary": 40 / 3.6,
    "tertiary": 35 / 3.6,
    "unclassified": 30 / 3.6,
    "residential": 25 / 3.6,
    "living_street": 15 / 3.6,
    "service": 15 / 3.6,
}
REQUIRED = ("source", "target", "highway", "maxspeed", "geometry_wkt")


class RoadFileError(ValueError):
    """A file of roads or trips that cannot be read; names file, line, column and rule."""

    def __init__(self, path: Path, line: int | None, rule: str) -> None:
        where = path.name if line is None else f"{path.name}, line {line}"
        super().__init__(f"{where}: {rule}")


def read_roads(edges_file: Path, nodes_file: Path | None = None, *, datum: Datum = Datum.WGS84) -> RoadGraph:
    """A road graph from CSV: one line per direction, with `source, target, highway, maxspeed, geometry_wkt`.

    A line without geometry is straight between its nodes, whose positions come from the nodes file
    (`node_id, lng, lat`); by default the file beside the edges whose name has `nodes` in the place of `edges`.

    Raises:
        RoadFileError: a file is missing, a column is missing, or a value is none.
    """
    nodes_file = nodes_file or _beside(edges_file)
    positions = _positions(nodes_file)
    names = list(positions)
    degrees = np.array(list(positions.values()), np.float64).reshape(-1, 2)
    longitude, latitude = convert(degrees[:, 0], degrees[:, 1], source=datum, target=Datum.WGS84)
    frame = FlatFrame(float((longitude.min() + longitude.max()) / 2), float((latitude.min() + latitude.max()) / 2))
    nodes = np.column_stack(frame.metres(longitude, latitude))
    number = {name: i for i, name in enumerate(names)}
    edges = [_edge(row, number, nodes, frame, datum, edges_file, line) for line, row in _rows(edges_file, REQUIRED)]
    try:
        return RoadGraph(frame, nodes, edges)
    except ValueError as broken:
        raise RoadFileError(edges_file, None, str(broken)) from broken


def _beside(edges_file: Path) -> Path:
    nodes_file = edges_file.with_name(edges_file.name.replace("edges_drive", "nodes").replace("edges", "nodes"))
    if nodes_file == edges_file or not nodes_file.exists():
        raise RoadFileError(edges_file, None, f"needs the file of its nodes beside it (looked for {nodes_file.name})")
    return nodes_file


def _rows(path: Path, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in required if name not in (reader.fieldnames or [])]
            if missing:
                raise RoadFileError(path, 1, f"lacks the column {missing[0]!r}")
            return [(reader.line_num, row) for row in reader]
    except FileNotFoundError as absent:
        raise RoadFileError(path, None, "there is no such file") from absent
    except UnicodeDecodeError as broken:
        raise RoadFileError(path, None, f"is not UTF-8 text ({broken.reason})") from broken


def _positions(nodes_file: Path) -> dict[str, tuple[float, float]]:
    positions: dict[str, tuple[float, float]] = {}
    for line, row in _rows(nodes_file, ("node_id", "lng", "lat")):
        try:
            lng, lat = float(row["lng"]), float(row["lat"])
        except ValueError as broken:
            raise RoadFileError(nodes_file, line, f"lng and lat must be degrees: {broken}") from broken
        if not (abs(lng) <= 180 and abs(lat) <= 90):
            raise RoadFileError(nodes_file, line, f"no such position: lng {lng}, lat {lat}")
        positions[row["node_id"]] = (lng, lat)
    if not positions:
        raise RoadFileError(nodes_file, None, "holds no node")
    return positions


def _edge(
    row: dict[str, str],
    number: dict[str, int],
    nodes: Points,
    frame: FlatFrame,
    datum: Datum,
    path: Path,
    line: int,
) -> Edge:
    for end in ("source", "target"):
        if row[end] not in number:
            raise RoadFileError(path, line, f"{end} {row[end]!r} is not among the nodes")
    source, target = number[row["source"]], number[row["target"]]
    shape = nodes[[source, target]]
    if row["geometry_wkt"]:
        shape = _line(row["geometry_wkt"], frame, datum, path, line)
    if not np.hypot(*np.diff(shape, axis=0).T).sum():
        shape = shape + np.array([[0.0, 0.0]] * (len(shape) - 1) + [[0.1, 0.0]])  # two nodes on one spot
    return Edge(source, target, shape, _speed(row))


def _line(wkt: str, frame: FlatFrame, datum: Datum, path: Path, line: int) -> Points:
    try:
        degrees: Any = shapely.get_coordinates(shapely.from_wkt(wkt))
    except shapely.errors.ShapelyError as broken:
        raise RoadFileError(path, line, f"geometry_wkt is no WKT: {wkt[:60]!r}") from broken
    if len(degrees) < 2:
        raise RoadFileError(path, line, f"geometry_wkt is no line: {wkt[:60]!r}")
    longitude, latitude = convert(degrees[:, 0], degrees[:, 1], source=datum, target=Datum.WGS84)
    return np.column_stack(frame.metres(longitude, latitude))


def _speed(row: dict[str, str]) -> float:
    try:
        return max(float(row["maxspeed"]) * 0.8 / 3.6, 3.0)  # traffic stays below the limit
    except ValueError:
        pass  # none is given, or a list such as "['40', '60']": the class of the road says it
    kind = row["highway"].strip("[]'\" ").split("'")[0].removesuffix("_link")
    return SPEEDS.get(kind, SPEEDS["residential"])
