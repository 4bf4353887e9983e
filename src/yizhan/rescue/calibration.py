"""How quick rescuers are, learned from ways that were really gone. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# What is shorter is setting out and parking; what is slower or quicker is a slip of the finger.
SHORTEST_M: Final = 300.0
LEAST_S, MOST_S = 60.0, 7200.0
SLOWEST, QUICKEST = 0.5, 30.0


class Way(NamedTuple):
    """From setting out to arriving: the vehicle, metres of straight line, and seconds."""

    vehicle: str
    metres: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Learned:
    """What the ways of one vehicle tell. `speed` is metres of road a second; None where the ways are too few."""

    metres: NDArray[np.float64]
    seconds: NDArray[np.float64]
    speed: float | None

    @property
    def ways(self) -> int:
        """How many there are."""
        return len(self.metres)

    def error_min(self, speed: float, detour: float) -> float:
        """By how many minutes half of the ways are misjudged at most with this speed and detour."""
        return float(np.median(np.abs(self.metres * detour / speed - self.seconds)) / 60)


def learned(ways: Iterable[Way], *, detour: float, least: int) -> dict[str, Learned]:
    """For each vehicle the speed with which half of its ways take longer and half less; vehicles in their order."""
    kept: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        if way.metres < SHORTEST_M or not LEAST_S <= way.seconds <= MOST_S:
            continue
        if SLOWEST <= way.metres * detour / way.seconds <= QUICKEST:
            kept[way.vehicle].append(way)
    found = {}
    for vehicle in sorted(kept):
        metres = np.array([way.metres for way in kept[vehicle]], np.float64)
        seconds = np.array([way.seconds for way in kept[vehicle]], np.float64)
        speed = float(np.median(metres * detour / seconds)) if len(metres) >= least else None
        found[vehicle] = Learned(metres, seconds, speed)
    return found
