"""Lays a road graph of one city over the stations of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.passage.frame import FlatFrame
from yizhan.passage.roads import RoadGraph


@dataclass(frozen=True, slots=True)
class Placement:
    """Where copies of a road graph lie, and which stations can be passed there.

    Attributes:
        frames: one per copy.
        metres_to_road: for each station, metres to the nearest road of any copy.
    """

    frames: list[FlatFrame]
    metres_to_road: NDArray[np.float64]

    def reachable(self, radius_m: ArrayLike) -> NDArray[np.bool_]:
        """Which stations have a road within their radius."""
        return self.metres_to_road <= np.asarray(radius_m)


def lay_over(roads: RoadGraph, longitude: ArrayLike, latitude: ArrayLike, *, copies: bool) -> Placement:
    """The road graph where it is, or copies of it laid so that every station (degrees, WGS-84) lies inside one.

    A copy is the same roads in metres around another centre: shifted, never turned or stretched. Copies are laid
    greedily: the next one covers the most stations that still lie outside, and is centred on those.
    """
    longitude, latitude = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    frames = _cover(roads, longitude, latitude) if copies else [roads.frame]
    nearest = np.full(len(longitude), np.inf)
    for frame in frames:
        nearest = np.minimum(nearest, roads.metres_to_road(*frame.metres(longitude, latitude)))
    return Placement(frames, nearest)


def _cover(roads: RoadGraph, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> list[FlatFrame]:
    west, south, east, north = roads.extent
    width, height = east - west, north - south
    left = np.arange(len(longitude))
    frames: list[FlatFrame] = []
    while len(left):
        best = left[:1]
        for seed in left:
            x, y = FlatFrame(float(longitude[seed]), float(latitude[seed])).metres(longitude[left], latitude[left])
            # Three windows that hold the seed: it at the left edge, in the middle, at the right edge.
            for shift in (0.0, width / 2, width):
                for rise in (0.0, height / 2, height):
                    held = left[(x >= -shift) & (x <= width - shift) & (y >= -rise) & (y <= height - rise)]
                    if len(held) > len(best):
                        best = held
        frames.append(
            FlatFrame(
                float((longitude[best].min() + longitude[best].max()) / 2),
                float((latitude[best].min() + latitude[best].max()) / 2),
            )
        )
        left = np.setdiff1d(left, best)
    return frames
