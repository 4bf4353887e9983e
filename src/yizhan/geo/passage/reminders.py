"""What comes out: reminders, as columns."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo._columns import column


@dataclass(frozen=True, slots=True, eq=False)
class Reminders:
    """M reminders in the order of the pings that caused them.

    Attributes:
        vehicle: vehicle id, int64 (a uint64 hash keeps its bits; `.view(np.uint64)` gives it back).
        station: station id, int64.
        time_ms: moment of the closest approach, UTC epoch milliseconds.
        distance_m: distance at that moment in metres.
        ping: row of the ping that caused it, in the batch that was fed; -1 where it came from elsewhere.
    """

    vehicle: NDArray[np.int64]
    station: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    distance_m: NDArray[np.float64]
    ping: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.vehicle)

    @classmethod
    def of(
        cls, vehicle: ArrayLike, station: ArrayLike, time_ms: ArrayLike, distance_m: ArrayLike | None = None
    ) -> Self:
        """Reminders from a log; `distance_m` is NaN where it is not known."""
        who = vehicle_column(vehicle)
        distance = np.full(len(who), np.nan) if distance_m is None else column(distance_m, np.float64)
        return cls(who, column(station, np.int64), column(time_ms, np.int64), distance, np.full(len(who), -1, np.int64))

    @classmethod
    def joined(cls, batches: Iterable["Reminders"]) -> Self:
        """All reminders of several batches, one after another; `ping` stays the row in its own batch."""
        parts = [cls.of([], [], []), *batches]
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def vehicle_column(vehicle: ArrayLike) -> NDArray[np.int64]:
    """Vehicle ids as int64; uint64 keeps its bits.

    Raises:
        TypeError: the ids are no integers.
    """
    ids = np.asarray(vehicle)
    if ids.size == 0:
        return np.empty(0, np.int64)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"vehicle ids must be integers, not {ids.dtype}")
    if ids.dtype == np.uint64:
        ids = ids.view(np.int64)
    return column(ids, np.int64)
