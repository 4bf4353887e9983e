"""How long it takes from one position to another: the one question that dispatch asks of a map."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo import haversine_m

# Metres per second in city traffic, stops included, by vehicle.
SPEEDS: Final = {"e_bike": 5.0, "tricycle": 4.0, "car": 6.5}
# How much longer the way by road is than the straight line: the median over pairs of nodes of Futian's drivable roads
# is 1.62, one-way streets included (`yizhan rescue simulate` says it for any graph).
DETOUR: Final = 1.6
SET_OUT_S: Final = 60.0  # to put the tools on the vehicle


class RoadTime(Protocol):
    """Says how many seconds ways take."""

    def seconds(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, speed: ArrayLike
    ) -> NDArray[np.float64]:
        """Seconds for each way, one of the columns' rows to the other's.

        Args:
            from_lon: WGS-84 degrees, like the other three; scalars are the same for all.
            speed: Metres per second, for a provider that knows no traffic of its own.
        """
        ...


class StraightLine:
    """The straight line, made longer by a calibrated detour and driven at the speed of the vehicle."""

    def __init__(self, *, detour: float = DETOUR) -> None:
        self.detour = detour

    def seconds(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, speed: ArrayLike
    ) -> NDArray[np.float64]:
        """As `RoadTime`."""
        metres = np.asarray(haversine_m(from_lon, from_lat, to_lon, to_lat), np.float64)
        return SET_OUT_S + metres * self.detour / np.asarray(speed, np.float64)


class Valhalla:
    """Valhalla through its Python bindings (`pip install pyvalhalla`), on the operator's own map tiles.

    Args:
        configuration: Valhalla's own JSON file, which names the tiles.
        costing: How Valhalla is to reckon, such as `motor_scooter`.

    Raises:
        ImportError: the bindings are not installed.
    """

    def __init__(self, configuration: Path, *, costing: str = "motor_scooter") -> None:
        self._actor: Any = importlib.import_module("valhalla").Actor(str(configuration))
        self._costing = costing
        self._unknown = StraightLine()

    def seconds(
        self, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike, speed: ArrayLike
    ) -> NDArray[np.float64]:
        """As `RoadTime`; where Valhalla finds no way, the straight line's."""
        columns = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (from_lon, from_lat, to_lon, to_lat)))
        shape = columns[0].shape
        x0, y0, x1, y1 = (np.atleast_1d(each).ravel() for each in columns)
        found = self._unknown.seconds(x0, y0, x1, y1, np.broadcast_to(speed, shape).ravel()).copy()
        targets, which = np.unique(np.column_stack([x1, y1]), axis=0, return_inverse=True)
        for number, (lon, lat) in enumerate(targets):
            rows = np.flatnonzero(which == number)
            asked = {
                "sources": [{"lon": float(x0[row]), "lat": float(y0[row])} for row in rows],
                "targets": [{"lon": float(lon), "lat": float(lat)}],
                "costing": self._costing,
            }
            answer = json.loads(self._actor.matrix(json.dumps(asked)))
            for row, way in zip(rows, answer["sources_to_targets"], strict=True):
                if way[0]["time"] is not None:
                    found[row] = SET_OUT_S + way[0]["time"]
        return found.reshape(shape)
