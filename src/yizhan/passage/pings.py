"""Pings as columns: what flows through the room, and is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class Pings:
    """Columns of equal length, one entry a ping.

    Attributes:
        vehicle: int64, a pseudonym.
        time_ms: int64, when the position was taken, milliseconds since 1970 (UTC).
        longitude, latitude: float64, degrees, WGS-84.
        accuracy_m: float64, radius in metres within which the position is right; NaN where nobody said.
    """

    vehicle: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.vehicle)

    def __repr__(self) -> str:
        return f"<{len(self)} pings>"  # never positions: a log line may hold this

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Pings:
        return Pings(
            self.vehicle[rows],
            self.time_ms[rows],
            self.longitude[rows],
            self.latitude[rows],
            self.accuracy_m[rows],
        )

    @classmethod
    def concatenated(cls, parts: list[Pings]) -> Self:
        """All pings of the parts, in their order."""
        if not parts:
            return cls.none()
        return cls(
            np.concatenate([part.vehicle for part in parts]),
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.longitude for part in parts]),
            np.concatenate([part.latitude for part in parts]),
            np.concatenate([part.accuracy_m for part in parts]),
        )

    @classmethod
    def none(cls) -> Self:
        """No pings."""
        whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
        return cls(whole, whole, real, real, real)

    def by_time(self) -> Pings:
        """The same pings, earliest first; those of one moment in their order."""
        return self[np.argsort(self.time_ms, kind="stable")]
