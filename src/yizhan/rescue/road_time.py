"""How long it takes from one position to another: the one question that dispatch asks of a map."""

from __future__ import annotations

from typing import Final, Protocol

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
