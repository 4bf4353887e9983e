"""Road times by Valhalla, in this process, on the operator's own map tiles (`pip install yizhan[valhalla]`)."""

from __future__ import annotations

import importlib
import json
import logging
import math
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .road_time import SET_OUT_S, RoadTime

log = logging.getLogger("yizhan.rescue.valhalla")

# Valhalla refuses more pairs in one question than its configuration says; 2,500 is its usual.
MOST_PAIRS: Final = 2_500
# Whoever waits for a rescuer does not wait for a map: what is not known by then goes without it.
MOST_S: Final = 2.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Valhalla:
    """Valhalla through its Python bindings.

    Args:
        configuration: Valhalla's own JSON file, which names the tiles.
        costing: How Valhalla is to reckon, such as `motor_scooter`.
        otherwise: Who says how long a way takes where Valhalla finds none, fails, or takes too long.

    Raises:
        ImportError: the bindings are not installed.
        Exception: whatever Valhalla says of a configuration or of tiles that it cannot read.
    """

    def __init__(self, configuration: Path, *, costing: str, otherwise: RoadTime, most_s: float = MOST_S) -> None:
        self._actor: Any = importlib.import_module("valhalla").Actor(str(configuration))
        self._costing = costing
        self._otherwise = otherwise
        self._most_s = most_s
        self._one_at_a_time = threading.Lock()  # an actor answers one question at a time

    def seconds(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, speed: ArrayLike
    ) -> Floats:
        """As `RoadTime`; the speed is Valhalla's own."""
        columns = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (from_lon, from_lat, to_lon, to_lat)))
        shape = columns[0].shape
        x0, y0, x1, y1 = (np.atleast_1d(each).ravel() for each in columns)
        found = self._otherwise.seconds(x0, y0, x1, y1, np.broadcast_to(speed, shape).ravel()).copy()
        sources, source = np.unique(np.column_stack([x0, y0]), axis=0, return_inverse=True)
        targets, target = np.unique(np.column_stack([x1, y1]), axis=0, return_inverse=True)
        asked = np.zeros(len(found), bool)
        straight = found.copy()
        until = time.monotonic() + self._most_s
        for rows in _questions(source.reshape(-1), target.reshape(-1)):
            if time.monotonic() > until:
                log.warning("valhalla takes too long: the rest is reckoned from the straight line")
                break
            some, from_row = np.unique(source.reshape(-1)[rows], return_inverse=True)
            others, to_row = np.unique(target.reshape(-1)[rows], return_inverse=True)
            try:
                times = self._ask(sources[some], targets[others])[from_row, to_row]
            except Exception as failure:  # noqa: BLE001 - its errors have no common class
                log.warning(
                    "valhalla cannot answer: these ways are reckoned from the straight line",
                    extra={"error": f"{type(failure).__name__}: {failure}"[:200]},
                )
                continue
            known = np.isfinite(times)
            found[rows[known]] = SET_OUT_S + times[known]
            asked[rows] = True
        if asked.any() and not asked.all():
            # What was not asked is made comparable: as much quicker or slower as what was.
            found[~asked] *= np.median(found[asked] / straight[asked])
        return found.reshape(shape)

    def _ask(self, sources: Floats, targets: Floats) -> Floats:
        asked = {
            "sources": [{"lon": lon, "lat": lat} for lon, lat in sources.tolist()],
            "targets": [{"lon": lon, "lat": lat} for lon, lat in targets.tolist()],
            "costing": self._costing,
        }
        with self._one_at_a_time:
            answer = json.loads(self._actor.matrix(json.dumps(asked)))
        return np.array([[_seconds(way) for way in ways] for ways in answer["sources_to_targets"]], np.float64)


def _seconds(way: dict[str, Any]) -> float:
    return math.nan if way["time"] is None else float(way["time"])


def _questions(source: Ints, target: Ints) -> list[Ints]:
    """Rows that are asked together: neighbouring targets and all their sources, as many as one question may hold.

    A matrix costs a search from each end, whatever the number of pairs: the fewer ends are asked twice, the better.
    """
    order = np.argsort(target, kind="stable")  # targets are sorted by longitude
    groups = np.split(order, np.flatnonzero(np.diff(target[order])) + 1)
    questions: list[list[Ints]] = []
    ends: set[int] = set()
    for group in groups:
        for part in np.array_split(group, -(-len(group) // MOST_PAIRS)):
            wider = ends | set(source[part].tolist())
            if questions and len(wider) * (len(questions[-1]) + 1) <= MOST_PAIRS:
                questions[-1].append(part)
                ends = wider
            else:
                questions.append([part])
                ends = set(source[part].tolist())
    return [np.concatenate(parts) for parts in questions]
