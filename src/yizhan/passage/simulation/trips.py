"""Real trips, laid onto a road graph."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from yizhan.geo import Datum, convert
from yizhan.passage.roads import RoadFileError, RoadGraph

from .motion import Journey

REQUIRED = ("vehicle", "start_time", "lng", "lat", "end_time", "end_lng", "end_lat", "distance_m")
DAY = 24 * 3600
SLOWEST, FASTEST = 8 / 3.6, 60 / 3.6  # metres per second that a trip may have on average
SHORTEST = 300  # metres inside the road graph, below which a trip is not worth simulating


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip: whose, from where to where (degrees, WGS-84), when (seconds since midnight), how many metres."""

    vehicle: str
    start: tuple[float, float]
    end: tuple[float, float]
    start_s: float
    end_s: float
    distance_m: float

    @property
    def speed(self) -> float:
        """Metres per second on average, brought to what is plausible in a city: the meter also ran while parked."""
        return min(max(self.distance_m / max(self.end_s - self.start_s, 1), SLOWEST), FASTEST)


@dataclass(frozen=True, slots=True)
class LaidTrips:
    """Trips as journeys over a road graph, and how they came there."""

    journeys: list[Journey]
    read: int
    whole: int  # both ends lie on the road graph
    cut: int  # only the part inside of the road graph's extent is driven
    outside: int  # never inside, or for less than `SHORTEST` metres


def read_trips(path: Path, *, datum: Datum = Datum.WGS84, limit: int | None = None) -> list[Trip]:
    """Trips from CSV with the columns `vehicle, start_time, lng, lat, end_time, end_lng, end_lat, distance_m`.

    Raises:
        RoadFileError: the file is missing, a column is missing, or a value is none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
            if missing:
                raise RoadFileError(path, 1, f"lacks the column {missing[0]!r}")
            trips: list[Trip] = []
            for row in reader:
                if limit is not None and len(trips) >= limit:
                    break
                trips.append(_trip(row, path, reader.line_num))
    except FileNotFoundError as absent:
        raise RoadFileError(path, None, "there is no such file") from absent
    except UnicodeDecodeError as broken:
        raise RoadFileError(path, None, f"is not UTF-8 text ({broken.reason})") from broken
    return trips if datum == Datum.WGS84 else _converted(trips, datum)


def _trip(row: dict[str, str], path: Path, line: int) -> Trip:
    def number(name: str) -> float:
        try:
            value = float(row[name])
        except (TypeError, ValueError):
            value = float("nan")
        if not np.isfinite(value):
            raise RoadFileError(path, line, f"{name} must be a number, not {row[name]!r}")
        return value

    def seconds(name: str) -> float:
        try:
            hours, minutes, rest = (int(part) for part in row[name].split(":"))
        except (AttributeError, ValueError):
            raise RoadFileError(path, line, f"{name} must be a time such as 06:41:20, not {row[name]!r}") from None
        return hours * 3600 + minutes * 60 + rest

    start_s, end_s = seconds("start_time"), seconds("end_time")
    return Trip(
        vehicle=row["vehicle"],
        start=(number("lng"), number("lat")),
        end=(number("end_lng"), number("end_lat")),
        start_s=start_s,
        end_s=end_s if end_s >= start_s else end_s + DAY,
        distance_m=number("distance_m"),
    )


def _converted(trips: list[Trip], datum: Datum) -> list[Trip]:
    ends = np.array([trip.start + trip.end for trip in trips], np.float64).reshape(-1, 4)
    start = np.column_stack(convert(ends[:, 0], ends[:, 1], source=datum, target=Datum.WGS84)).tolist()
    end = np.column_stack(convert(ends[:, 2], ends[:, 3], source=datum, target=Datum.WGS84)).tolist()
    return [replace(trip, start=(a[0], a[1]), end=(b[0], b[1])) for trip, a, b in zip(trips, start, end, strict=True)]


def lay_on_roads(trips: list[Trip], roads: RoadGraph) -> LaidTrips:
    """The part of each trip that lies inside the road graph's extent, as a journey over its quickest route.

    The ends snap to the nearest node. Of a trip that comes from outside or leaves, the straight line between its ends
    says where and when it crosses the border. A vehicle never drives two journeys at once: a later one waits.
    """
    ends = np.array([trip.start + trip.end for trip in trips], np.float64).reshape(-1, 4)
    start = np.column_stack(roads.frame.metres(ends[:, 0], ends[:, 1]))
    end = np.column_stack(roads.frame.metres(ends[:, 2], ends[:, 3]))
    enters, leaves = _inside(start, end, roads.extent)
    length = np.hypot(*(end - start).T) * (leaves - enters)
    inside = np.flatnonzero(length >= SHORTEST)
    first = start[inside] + (end - start)[inside] * enters[inside, None]
    last = start[inside] + (end - start)[inside] * leaves[inside, None]
    from_node, _ = roads.nearest_node(first[:, 0], first[:, 1])
    to_node, _ = roads.nearest_node(last[:, 0], last[:, 1])
    routes = roads.routes(from_node.tolist(), to_node.tolist())

    journeys: list[Journey] = []
    whole = cut = 0
    for row, route in zip(inside.tolist(), routes, strict=True):
        if route is None:
            continue
        trip = trips[row]
        is_whole = bool(enters[row] == 0 and leaves[row] == 1)
        whole, cut = whole + is_whole, cut + (not is_whole)
        start_s = trip.start_s + float(enters[row]) * (trip.end_s - trip.start_s)
        pace = trip.speed / (route.length / route.duration)
        journeys.append(Journey(trip.vehicle, start_s, route, pace=min(max(pace, 0.25), 1.3)))
    return LaidTrips(_one_at_a_time(journeys), len(trips), whole, cut, len(trips) - len(journeys))


def _inside(
    start: np.ndarray, end: np.ndarray, extent: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the way (0 to 1) at which straight lines enter and leave a rectangle; equal if they never do.

    Line clipping after Liang and Barsky.
    """
    way = end - start
    enters, leaves = np.zeros(len(start)), np.ones(len(start))
    for axis, (low, high) in enumerate([(extent[0], extent[2]), (extent[1], extent[3])]):
        still = way[:, axis] == 0
        step = np.where(still, 1.0, way[:, axis])
        with np.errstate(over="ignore"):  # almost still: infinitely far is right
            near, far = (low - start[:, axis]) / step, (high - start[:, axis]) / step
        near, far = np.minimum(near, far), np.maximum(near, far)
        between = (start[:, axis] >= low) & (start[:, axis] <= high)
        near = np.where(still, np.where(between, 0.0, 2.0), near)
        far = np.where(still, np.where(between, 1.0, -1.0), far)
        enters, leaves = np.maximum(enters, near), np.minimum(leaves, far)
    missed = leaves <= enters
    return np.where(missed, 0.0, enters), np.where(missed, 0.0, leaves)


def _one_at_a_time(journeys: list[Journey]) -> list[Journey]:
    free_from: dict[str, float] = {}
    laid = []
    for journey in sorted(journeys, key=lambda one: (one.vehicle, one.start_s)):
        start_s = max(journey.start_s, free_from.get(journey.vehicle, 0.0))
        moved = replace(journey, start_s=start_s)
        free_from[journey.vehicle] = moved.end_s + 1
        laid.append(moved)
    return laid
