"""Distances on the sphere."""

import math
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth in metres (IUGG: (2a + b) / 3 of GRS 80). All of `yizhan.geo` measures on this sphere."""

METRES_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180.0
"""One degree of latitude, in metres."""


@overload
def haversine_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float: ...
@overload
def haversine_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]: ...
def haversine_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Any:
    """Great-circle distance in metres between WGS-84 positions in degrees (haversine formula).

    Within 0.5 % of the distance on the ellipsoid. Broadcasts; four scalars give a float; NaN gives NaN.
    """
    phi1, phi2 = np.radians(np.asarray(lat1, np.float64)), np.radians(np.asarray(lat2, np.float64))
    half_dlon = np.radians(np.asarray(lon2, np.float64) - np.asarray(lon1, np.float64)) / 2.0
    square = np.sin((phi2 - phi1) / 2.0) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_dlon) ** 2
    distance = 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(square, 1.0)))
    return float(distance) if np.ndim(distance) == 0 else distance
