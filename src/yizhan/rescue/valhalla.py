"""Road times by Valhalla, in this process, on the operator's own map tiles (`pip install yizhan[valhalla]`)."""

from __future__ import annotations

import importlib
import json
import logging
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .road_time import SET_OUT_S, RoadTime

log = logging.getLogger("yizhan.rescue.valhalla")

# Valhalla refuses more pairs in one request than its configuration says; 2,500 is its usual.
MOST_PAIRS: Final = 2_500


class Valhalla:
    """Valhalla through its Python bindings.

    Args:
        configuration: Valhalla's own JSON file, which names the tiles.
        costing: How Valhalla is to reckon, such as `motor_scooter`.
        otherwise: Who says how long a way takes where Valhalla finds none, or fails.

    Raises:
        ImportError: the bindings are not installed.
        Exception: whatever Valhalla says of a configuration or of tiles that it cannot read.
    """

    def __init__(self, configuration: Path, *, costing: str, otherwise: RoadTime) -> None:
        self._actor: Any = importlib.import_module("valhalla").Actor(str(configuration))
        self._costing = costing
        self._otherwise = otherwise
        self._one_at_a_time = threading.Lock()  # an actor answers one question at a time

    def seconds(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, speed: ArrayLike
    ) -> NDArray[np.float64]:
        """As `RoadTime`, a question for each target; the speed is Valhalla's own."""
        columns = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (from_lon, from_lat, to_lon, to_lat)))
        shape = columns[0].shape
        x0, y0, x1, y1 = (np.atleast_1d(each).ravel() for each in columns)
        found = self._otherwise.seconds(x0, y0, x1, y1, np.broadcast_to(speed, shape).ravel()).copy()
        targets, which = np.unique(np.column_stack([x1, y1]), axis=0, return_inverse=True)
        order = np.argsort(which.reshape(-1), kind="stable")
        groups = np.split(order, np.cumsum(np.bincount(which.reshape(-1), minlength=len(targets)))[:-1])
        failed = 0
        for target, group in zip(targets, groups, strict=True):
            for rows in np.array_split(group, -(-len(group) // MOST_PAIRS)):
                try:
                    times = self._ask(x0[rows], y0[rows], target)
                except Exception as failure:  # noqa: BLE001 - its errors have no common class; nobody waits for a map
                    failed += 1
                    log.warning("valhalla cannot answer", extra={"error": str(failure)[:200]})
                    continue
                known = np.isfinite(times)
                found[rows[known]] = SET_OUT_S + times[known]
            if failed >= 3:  # not this way but Valhalla itself is at fault: the rest goes without it
                break
        return found.reshape(shape)

    def _ask(self, lon: NDArray[np.float64], lat: NDArray[np.float64], target: NDArray[np.float64]) -> Any:
        asked = {
            "sources": [{"lon": x, "lat": y} for x, y in zip(lon.tolist(), lat.tolist(), strict=True)],
            "targets": [{"lon": float(target[0]), "lat": float(target[1])}],
            "costing": self._costing,
        }
        with self._one_at_a_time:
            answer = json.loads(self._actor.matrix(json.dumps(asked)))
        times = [way[0]["time"] for way in answer["sources_to_targets"]]
        return np.array([np.nan if time is None else float(time) for time in times])
