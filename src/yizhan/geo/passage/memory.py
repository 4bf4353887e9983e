"""What the kernel remembers of each vehicle: its last ping and its recent reminders."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.passage import _memory_kernels as kernels


class Memory(NamedTuple):
    """The memory in the flat form that the kernels read and write.

    `slots` holds 64 bytes a vehicle, `reals` is the same memory seen as float64. Reminders lie in `pool`, 32 bytes
    each, chained to their vehicle; -1 ends a chain. `counts` holds vehicles, pool entries ever used, head of the chain
    of free entries, and reminders.
    """

    slots: NDArray[np.int64]
    reals: NDArray[np.float64]
    pool: NDArray[np.int64]
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
        return self.slots.nbytes + self.pool.nbytes


def aligned_lines(count: int) -> NDArray[np.int64]:
    """So many rows of eight zeros, each one cache line."""
    words = np.zeros(count * 8 + 8, np.int64)
    skip = -(words.ctypes.data // 8) % 8
    return words[skip : skip + count * 8].reshape(count, 8)


def empty(slots: int = 1024, pool: int = 1024) -> Memory:
    """A memory of so many slots (a power of two) and so many reminders."""
    lines = aligned_lines(slots)
    counts = np.array([0, 0, kernels.NONE, 0], np.int64)
    return Memory(lines, lines.view(np.float64), np.empty((pool, 4), np.int64), counts)


def grown(memory: Memory, more: int) -> Memory:
    """The same memory with room for so many more vehicles and reminders."""
    slots, pool = len(memory.slots), len(memory.pool)
    while (memory.vehicles + more) * 5 > slots * 4:
        slots *= 2
    while memory.reminders + more > pool:
        pool *= 2
    larger = empty(slots, pool)
    kernels.move(memory, larger, np.int64(-(2**62)))
    return larger


def without_those_before(memory: Memory, time_ms: int) -> Memory:
    """The same memory without vehicles of which nothing was heard since `time_ms`."""
    smaller = empty(len(memory.slots), len(memory.pool))
    kernels.move(memory, smaller, np.int64(time_ms))
    return smaller
