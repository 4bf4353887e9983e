"""What the kernel remembers of each vehicle: its last ping and its recent reminders."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from yizhan.geo.passage import _memory_kernels as kernels

GROUP = 8
GROWTH = 1.15
_EVER_MS = -(2**62)


class Memory(NamedTuple):
    """The memory in the flat form that the kernels read and write.

    `slots` holds 64 bytes a vehicle, `reals` is the same memory seen as float64, `tags` a byte a slot, eight to a word.
    Reminders lie in `pool`, 32 bytes each, chained to their vehicle; -1 ends a chain. `counts` holds vehicles, pool
    entries ever used, head of the chain of free entries, and reminders.
    """

    tags: NDArray[np.uint64]
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
        return self.tags.nbytes + self.slots.nbytes + self.pool.nbytes


def aligned_lines(count: int) -> NDArray[np.int64]:
    """So many rows of eight zeros, each one cache line."""
    words = np.zeros(count * 8 + 8, np.int64)
    skip = -(words.ctypes.data // 8) % 8
    return words[skip : skip + count * 8].reshape(count, 8)


def empty(slots: int = 256, pool: int = 256) -> Memory:
    """A memory of at least so many slots and so many reminders."""
    groups = -(-slots // GROUP)
    lines = aligned_lines(groups * GROUP)
    counts = np.array([0, 0, kernels.NONE, 0], np.int64)
    return Memory(
        np.zeros(groups, np.uint64), lines, lines.view(np.float64), aligned_lines(-(-pool // 2)).reshape(-1, 4), counts
    )


def grown(memory: Memory, more: int) -> Memory:
    """The same memory with room for so many more vehicles and reminders; what is short grows by 15 %."""
    slots, pool = len(memory.slots), len(memory.pool)
    if memory.reminders + more > pool:
        longer = aligned_lines(-(-max(round(pool * GROWTH), memory.reminders + more) // 2)).reshape(-1, 4)
        longer[:pool] = memory.pool
        memory = memory._replace(pool=longer)
    if (memory.vehicles + more) * kernels.OF > slots * kernels.FULL:
        slots = max(round(slots * GROWTH), (memory.vehicles + more) * kernels.OF // kernels.FULL + GROUP)
        larger = empty(slots, len(memory.pool))
        kernels.move(memory, larger, 0, 1, _EVER_MS)
        memory = larger
    return memory


def without_those_before(memory: Memory, time_ms: int) -> Memory:
    """The same memory without vehicles of which nothing was heard since `time_ms`."""
    smaller = empty(len(memory.slots), len(memory.pool))
    kernels.move(memory, smaller, 0, 1, time_ms)
    return smaller


def sharded(memories: Sequence[Memory], shards: int) -> tuple[Memory, ...]:
    """The same vehicles and reminders, in so many memories."""
    if len(memories) == shards:
        return tuple(memories)
    parts = []
    for shard in range(shards):
        vehicles, reminders = 0, 0
        for memory in memories:
            held = kernels.count(memory, shard, shards)
            vehicles, reminders = vehicles + held[0], reminders + held[1]
        part = empty(vehicles * kernels.OF // kernels.FULL + 256, reminders + 256)
        for memory in memories:
            kernels.move(memory, part, shard, shards, _EVER_MS)
        parts.append(part)
    return tuple(parts)
