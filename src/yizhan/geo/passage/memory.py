"""What the kernel remembers of each vehicle: its last ping and its recent reminders."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.passage import _memory_kernels as kernels


class Memory(NamedTuple):
    """The memory in the flat form that the kernels read and write.

    `slots` holds 64 bytes a vehicle, `reals` is the same memory seen as float64. Reminders lie in a pool (`station_of`,
    `time_of`) and hang on their vehicle by `next_of`; -1 ends a chain. `counts` holds vehicles, pool entries ever used,
    head of the chain of free entries, and reminders.
    """

    slots: NDArray[np.int64]
    reals: NDArray[np.float64]
    station_of: NDArray[np.int64]
    time_of: NDArray[np.int64]
    next_of: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def vehicles(self) -> int:
        """How many vehicles it knows."""
        return int(self.counts[kernels.VEHICLES])

    @property
    def reminders(self) -> int:
        """How many reminders it holds."""
        return int(self.counts[kernels.REMEMBERED])

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.slots.nbytes + self.station_of.nbytes + self.time_of.nbytes + self.next_of.nbytes


def empty(slots: int = 1024, pool: int = 1024) -> Memory:
    """A memory of so many slots (a power of two) and so many reminders."""
    words = np.zeros(slots * 8 + 8, np.int64)
    skip = -(words.ctypes.data // 8) % 8  # so that a slot is one cache line
    lines = words[skip : skip + slots * 8].reshape(slots, 8)
    counts = np.array([0, 0, kernels.NONE, 0], np.int64)
    station_of, time_of, next_of = (np.empty(pool, np.int64) for _ in range(3))
    return Memory(lines, lines.view(np.float64), station_of, time_of, next_of, counts)


def grown(memory: Memory) -> Memory:
    """The same memory with room for more of whatever it was short of."""
    crowded = memory.vehicles * 2 >= len(memory.slots)
    full = memory.reminders * 2 >= len(memory.next_of)
    larger = empty(len(memory.slots) * (2 if crowded else 1), len(memory.next_of) * (2 if full else 1))
    kernels.move(memory, larger, np.int64(-(2**62)))
    return larger


def without_those_before(memory: Memory, time_ms: int) -> Memory:
    """The same memory without vehicles of which nothing was heard since `time_ms`."""
    smaller = empty(len(memory.slots), len(memory.next_of))
    kernels.move(memory, smaller, np.int64(time_ms))
    return smaller
