"""Simulated riders of one day, for whoever wants to see the page without a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from yizhan.passage.pings import Pings
from yizhan.passage.roads import street_grid
from yizhan.passage.simulation import Gps, Riders

from .tracks import Track, midnight_ms

EVERY_S = 10.0
HALF_SIDE_M = 3_000.0


def ride(
    *, around: Sequence[tuple[float, float]], day: date, from_hour: int, hours: int, riders: int, seed: int = 1
) -> Track:
    """Riders who deliver over a generated street grid in the midst of places.

    Args:
        around: longitude and latitude of the places, WGS-84 degrees, at least one.
        from_hour, hours: when they ride, in Shanghai.
    """
    middle = np.median(np.array(around, np.float64), axis=0)
    # The place that is nearest to the middle: some places stand far out, and between them nothing.
    nearest = min(around, key=lambda each: float(np.hypot(each[0] - middle[0], each[1] - middle[1])))
    fleet = Riders(
        street_grid(*nearest, half_side=HALF_SIDE_M, seed=seed), count=riders, gps=Gps(every_s=EVERY_S), seed=seed
    )
    begin_s = midnight_ms(day) / 1000 + from_hour * 3600
    parts = [fleet.pings(begin_s + step * EVERY_S) for step in range(int(hours * 3600 / EVERY_S))]
    pings = Pings.concatenated(parts).by_time()
    return Track(fleet.names, pings, day, {day: len(pings)}, [], 0)
