"""How a simulated vehicle moves, and what its GPS says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yizhan.passage.frame import FlatFrame
from yizhan.passage.pings import Pings
from yizhan.passage.roads import Route


@dataclass(frozen=True, slots=True)
class Journey:
    """One vehicle on one route, from `start_s` (seconds since midnight) on, at `pace` times the roads' usual speed."""

    vehicle: str
    start_s: float
    route: Route
    pace: float = 1.0

    @property
    def end_s(self) -> float:
        """When it arrives, in seconds since midnight."""
        return self.start_s + self.route.duration / self.pace

    def positions(self, seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres east and north in the roads' frame at moments (seconds since midnight); at rest before and after."""
        driven = (seconds - self.start_s) * self.pace
        east = np.interp(driven, self.route.seconds, self.route.line[:, 0])
        north = np.interp(driven, self.route.seconds, self.route.line[:, 1])
        return east, north


@dataclass(frozen=True, slots=True)
class Gps:
    """A receiver: a ping every so many seconds, off by some metres, now and then badly off and saying so.

    Attributes:
        every_s: seconds between two pings.
        error_m: standard deviation of the error in each direction, in metres.
        bad_share: share of pings that are off by tens of errors (street canyons, tunnels).
    """

    every_s: float = 5.0
    error_m: float = 6.0
    bad_share: float = 0.01

    def seen(
        self, east: NDArray[np.float64], north: NDArray[np.float64], random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Positions as the receiver reports them (metres), and the accuracy that it states (metres)."""
        scale = np.where(random.random(len(east)) < self.bad_share, 30.0, 1.0) * self.error_m
        return (
            east + random.normal(0, 1, len(east)) * scale,
            north + random.normal(0, 1, len(north)) * scale,
            2 * scale,  # what a receiver states holds for about 95 of 100 positions
        )


def pings_of(
    journeys: list[Journey],
    frames: list[FlatFrame],
    *,
    midnight_ms: int,
    gps: Gps,
    seed: int,
) -> tuple[Pings, list[str]]:
    """The pings of all journeys, driven once in each frame, earliest first; and the vehicles' names by number.

    The vehicles of each frame are others, with errors of their own. The same seed gives the same pings.

    Args:
        midnight_ms: the day's midnight, milliseconds since 1970 (UTC).
    """
    names = sorted({journey.vehicle for journey in journeys})
    number = {name: i for i, name in enumerate(names)}
    vehicle, time_ms, east, north = [], [], [], []
    for journey in journeys:
        seconds = np.append(np.arange(journey.start_s, journey.end_s, gps.every_s), journey.end_s)
        x, y = journey.positions(seconds)
        vehicle.append(np.full(len(seconds), number[journey.vehicle], np.int64))
        time_ms.append(midnight_ms + np.round(seconds * 1000).astype(np.int64))
        east.append(x)
        north.append(y)
    if not journeys:
        return Pings.none(), []
    columns = np.concatenate(vehicle), np.concatenate(time_ms), np.concatenate(east), np.concatenate(north)
    parts = []
    for copy, frame in enumerate(frames):
        seen_east, seen_north, accuracy = gps.seen(columns[2], columns[3], np.random.default_rng([seed, copy]))
        longitude, latitude = frame.degrees(seen_east, seen_north)
        parts.append(Pings(columns[0] + copy * len(names), columns[1], longitude, latitude, accuracy))
    called = [name if not copy else f"{name}-{copy + 1}" for copy in range(len(frames)) for name in names]
    return Pings.concatenated(parts).by_time(), called
