"""When places are open, as plain numbers: for each place, sorted half-open intervals of UTC epoch seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo import _open_kernels as kernels
from yizhan.geo._columns import column

FOREVER_S = 2**53
"""The end of an interval that never ends, in epoch seconds; its negative is the start of one that never began."""


@dataclass(frozen=True, slots=True)
class OpenIntervals:
    """Open intervals of N places in compressed sparse rows.

    Place `i` owns intervals `offsets[i]:offsets[i + 1]`; each is open from `starts_s` until before `ends_s`, in UTC
    epoch seconds. Within a place they ascend and neither overlap nor touch. A place without intervals is closed.

    Raises:
        ValueError: the arrays do not describe that; says at which place.
    """

    starts_s: NDArray[np.int64]
    ends_s: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("starts_s", "ends_s", "offsets"):
            object.__setattr__(self, name, column(getattr(self, name), np.int64))
        count = len(self.starts_s)
        if len(self.ends_s) != count:
            raise ValueError(f"starts_s has {count} intervals, ends_s has {len(self.ends_s)}")
        if (
            len(self.offsets) == 0
            or self.offsets[0] != 0
            or self.offsets[-1] != count
            or np.any(np.diff(self.offsets) < 0)
        ):
            raise ValueError(f"offsets must ascend from 0 to {count}, the number of intervals")
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        bad = self.starts_s >= self.ends_s
        bad[1:] |= (owner[1:] == owner[:-1]) & (self.starts_s[1:] <= self.ends_s[:-1])
        if bad.any():
            k = int(np.argmax(bad))
            interval = f"[{self.starts_s[k]}, {self.ends_s[k]})"
            raise ValueError(f"place {owner[k]}: interval {interval} is empty, or not after the one before")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, places: Iterable[Iterable[tuple[int, int]]]) -> Self:
        """From one list of `(start_s, end_s)` a place, in any order; what overlaps or touches is joined."""
        merged = [_joined(intervals) for intervals in places]
        flat = [interval for intervals in merged for interval in intervals]
        return cls(
            np.array([start for start, _ in flat], np.int64),
            np.array([end for _, end in flat], np.int64),
            np.cumsum([0, *(len(intervals) for intervals in merged)], dtype=np.int64),
        )

    @classmethod
    def always(cls, count: int) -> Self:
        """`count` places that never close."""
        return cls(
            np.full(count, -FOREVER_S, np.int64),
            np.full(count, FOREVER_S, np.int64),
            np.arange(count + 1, dtype=np.int64),
        )

    @classmethod
    def never(cls, count: int) -> Self:
        """`count` places that are closed."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.zeros(count + 1, np.int64))

    def is_open_at(self, time_s: int) -> NDArray[np.bool_]:
        """Which places are open at `time_s`; shape (N,)."""
        return self.open_until(time_s) > time_s

    def open_until(self, time_s: int) -> NDArray[np.int64]:
        """When each place that is open at `time_s` closes, in epoch seconds; `-FOREVER_S` if it is closed."""
        return self._edges(time_s)[0]

    def next_opening(self, time_s: int) -> NDArray[np.int64]:
        """When each place opens next, after `time_s`, in epoch seconds; `FOREVER_S` where it never does. Shape (N,)."""
        return self._edges(time_s)[1]

    def take(self, places: ArrayLike) -> Self:
        """The intervals of the places at these indices, in this order."""
        chosen = column(places, np.int64)
        counts = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return type(self)(self.starts_s[rows], self.ends_s[rows], offsets)

    def _edges(self, time_s: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        until = np.full(len(self), -FOREVER_S, np.int64)
        opening = np.full(len(self), FOREVER_S, np.int64)
        kernels.edges(self.starts_s, self.ends_s, self.offsets, np.int64(time_s), until, opening)
        return until, opening


def _joined(intervals: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
