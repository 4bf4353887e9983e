"""Counts vehicles by square and hour, in memory, for sources whose union wants it.

Which vehicle was in which square is known for as long as the hour lasts and some minutes more, and never written down:
what is kept is how many they were, and nothing of squares with fewer than five.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from yizhan.passage.models import LEAST_VEHICLES, SQUARES_PER_DEGREE
from yizhan.passage.pings import Pings
from yizhan.passage.services.counts import Counted

HOUR_MS = 3_600_000
LATE_MS = 10 * 60_000  # what comes later is judged, but not counted
MOST_PENDING = 1 << 20
_ROWS = 1 << 16


@dataclass(slots=True)
class _Hour:
    """Who was where, as pairs of square and vehicle; each pair once after `squeeze`."""

    squares: list[NDArray[np.int64]] = field(default_factory=list)
    vehicles: list[NDArray[np.int64]] = field(default_factory=list)
    pending: int = 0

    def add(self, squares: NDArray[np.int64], vehicles: NDArray[np.int64]) -> None:
        self.squares.append(squares)
        self.vehicles.append(vehicles)
        self.pending += len(squares)
        if self.pending > MOST_PENDING:
            self.squeeze()

    def squeeze(self) -> None:
        pairs = np.stack([np.concatenate(self.squares), np.concatenate(self.vehicles)])
        unique = pairs[:, np.lexsort(pairs[::-1])]
        first = np.ones(unique.shape[1], np.bool_)
        first[1:] = (unique[:, 1:] != unique[:, :-1]).any(axis=0)
        self.squares, self.vehicles, self.pending = [unique[0, first]], [unique[1, first]], 0


class Tallies:
    """All hours that are being counted, by source."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hours: dict[tuple[int, int], _Hour] = {}

    def add(self, source: int, pings: Pings, *, now_ms: int) -> None:
        """Count a batch of a source that wants it. Pings of hours that are written already are left out."""
        hours = pings.time_ms // HOUR_MS
        for hour in np.unique(hours).tolist():
            if (hour + 1) * HOUR_MS + LATE_MS <= now_ms:
                continue
            rows = np.flatnonzero(hours == hour)
            column = np.floor(pings.longitude[rows] * SQUARES_PER_DEGREE).astype(np.int64)
            row = np.floor(pings.latitude[rows] * SQUARES_PER_DEGREE).astype(np.int64)
            with self._lock:
                self._hours.setdefault((source, hour), _Hour()).add(column * _ROWS + row, pings.vehicle[rows])

    def finished(self, now_ms: int) -> list[Counted]:
        """The counts of hours that have ended, which are forgotten here; squares with few vehicles are left out."""
        with self._lock:
            ended = [key for key in self._hours if (key[1] + 1) * HOUR_MS + LATE_MS <= now_ms]
            taken = {key: self._hours.pop(key) for key in ended}
        found = []
        for (source, hour), pairs in taken.items():
            pairs.squeeze()
            squares, counts = np.unique(pairs.squares[0], return_counts=True)
            begins = datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC)
            for square, count in zip(squares.tolist(), counts.tolist(), strict=True):
                if count >= LEAST_VEHICLES:
                    column = square // _ROWS
                    found.append(Counted(source, begins, column, square - column * _ROWS, count))
        return found
