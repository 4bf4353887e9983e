"""A flat frame of metres around a centre: what roads and simulated vehicles move in."""

from dataclasses import dataclass
from math import cos, radians

import numpy as np
from numpy.typing import ArrayLike, NDArray

METRES_PER_DEGREE = 6_371_008.8 * np.pi / 180  # mean radius of the earth, IUGG


@dataclass(frozen=True, slots=True)
class FlatFrame:
    """Metres east and north of a centre (degrees, WGS-84).

    Good to one part in a thousand within 20 km of the centre. The same metres seen from another centre are the same
    shape somewhere else: this is how a road graph is moved to another city without turning or stretching it.
    """

    longitude: float
    latitude: float

    def metres(self, longitude: ArrayLike, latitude: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres east and north of the centre for degrees."""
        east = (np.asarray(longitude, np.float64) - self.longitude) * self._metres_per_degree_east
        north = (np.asarray(latitude, np.float64) - self.latitude) * METRES_PER_DEGREE
        return east, north

    def degrees(self, east: ArrayLike, north: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude for metres east and north of the centre."""
        longitude = self.longitude + np.asarray(east, np.float64) / self._metres_per_degree_east
        latitude = self.latitude + np.asarray(north, np.float64) / METRES_PER_DEGREE
        return longitude, latitude

    @property
    def _metres_per_degree_east(self) -> float:
        return METRES_PER_DEGREE * cos(radians(self.latitude))
