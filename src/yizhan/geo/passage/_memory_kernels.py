# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled memory of vehicles: an open-addressing table of cache lines, and a pool of reminders chained to them.

Numba's cache watches only the file of a compiled function, not what that function calls: after a change here, touch the
kernels that import it, or delete the cache.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Words of a slot (64 bytes, one cache line). Positions and accuracy are read through the float64 view of the memory.
KEY, LAST_MS, LON, LAT, ACCURACY, HEAD, NEWEST_MS, STATE = range(8)
TAKEN, HAS_PING, HAS_REMINDER = 1, 2, 4

# Words of a reminder in the pool (32 bytes).
STATION, TIME_MS, NEXT = range(3)

# Words of `counts`.
VEHICLES, POOL_USED, FREE, REMEMBERED = range(4)
NONE = -1

_INLINE: Any = {"nogil": True, "cache": True, "forceinline": True}


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _prefetch(typingctx, array, row):
    """Ask the processor to fetch the cache line at `array[row]` for writing."""

    def codegen(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = cgutils.unpack_tuple(builder, view.strides)[0]
        address = builder.gep(
            builder.bitcast(view.data, ir.IntType(8).as_pointer()), [builder.mul(arguments[1], stride)]
        )
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [address, word(1), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


@njit(**_INLINE)
def prefetch(array, row):
    """Ask the processor for the cache line at `array[row]`, to write."""
    _prefetch(array, row)  # type: ignore[call-arg, unused-ignore]


@njit(**_INLINE)
def home(vehicle, slots):
    """The slot where the search for a vehicle starts (a finaliser that spreads ids however they were made)."""
    h = np.uint64(vehicle)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return np.int64(h & np.uint64(slots.shape[0] - 1))


@njit(**_INLINE)
def find(vehicle, slot, slots):
    """The vehicle's slot, sought from its home on; or -1."""
    while slots[slot, STATE] & TAKEN:
        if slots[slot, KEY] == vehicle:
            return slot
        slot = (slot + 1) & (slots.shape[0] - 1)
    return np.int64(-1)


@njit(**_INLINE)
def find_or_take(vehicle, slot, slots, counts):
    """The vehicle's slot, sought from its home on; a fresh one where it had none. There must be room."""
    while slots[slot, STATE] & TAKEN:
        if slots[slot, KEY] == vehicle:
            return slot
        slot = (slot + 1) & (slots.shape[0] - 1)
    slots[slot, KEY] = vehicle
    slots[slot, STATE] = TAKEN
    slots[slot, HEAD] = NONE
    counts[VEHICLES] += 1
    return slot


@njit(**_INLINE)
def has_room(counts, slots, pool, more):
    """Whether so many more vehicles and so many more reminders fit."""
    return (counts[VEHICLES] + more) * 5 <= slots.shape[0] * 4 and counts[REMEMBERED] + more <= pool.shape[0]


@njit(**_INLINE)
def allowed(head, station, moment, cool_ms, gap_ms, pool):
    """Whether a vehicle's earlier reminders leave room for this one, before and after."""
    k = head
    while k != NONE:
        apart = abs(moment - pool[k, TIME_MS])
        if apart < gap_ms or (apart < cool_ms and pool[k, STATION] == station):
            return False
        k = pool[k, NEXT]
    return True


@njit(nogil=True, cache=True)
def remember_one(slot, slots, pool, counts, station, moment, keep_ms):
    """Add a reminder to a vehicle's chain, newest first, and free those that can never matter again."""
    newest = moment
    if slots[slot, STATE] & HAS_REMINDER:
        newest = max(newest, slots[slot, NEWEST_MS])
    slots[slot, NEWEST_MS] = newest
    slots[slot, STATE] |= HAS_REMINDER

    before, k = NONE, slots[slot, HEAD]
    while k != NONE:
        after = pool[k, NEXT]
        if pool[k, TIME_MS] <= newest - keep_ms:
            if before == NONE:
                slots[slot, HEAD] = after
            else:
                pool[before, NEXT] = after
            pool[k, NEXT] = counts[FREE]
            counts[FREE] = k
            counts[REMEMBERED] -= 1
        else:
            before = k
        k = after

    k = counts[FREE]
    if k != NONE:
        counts[FREE] = pool[k, NEXT]
    else:
        k = counts[POOL_USED]
        counts[POOL_USED] += 1
    pool[k, STATION], pool[k, TIME_MS], pool[k, NEXT] = station, moment, slots[slot, HEAD]
    slots[slot, HEAD] = k
    counts[REMEMBERED] += 1


@njit(nogil=True, cache=True)
def remember(vehicle, station, time_ms, start, memory, keep_ms):
    """Add reminders from a log; returns how far it came before the memory must grow."""
    slots, pool, counts = memory.slots, memory.pool, memory.counts
    for i in range(start, vehicle.size):
        if not has_room(counts, slots, pool, 1):
            return i
        slot = find_or_take(vehicle[i], home(vehicle[i], slots), slots, counts)
        known = False
        k = slots[slot, HEAD]
        while k != NONE:
            known |= pool[k, TIME_MS] == time_ms[i] and pool[k, STATION] == station[i]
            k = pool[k, NEXT]
        if not known:
            remember_one(slot, slots, pool, counts, station[i], time_ms[i], keep_ms)
    return vehicle.size


@njit(nogil=True, cache=True)
def move(old, new, before_ms):
    """Move vehicles and their reminders into an empty memory, but for those not heard of since `before_ms`."""
    slots, pool, counts, old_slots, old_pool = new.slots, new.pool, new.counts, old.slots, old.pool
    for slot in range(old_slots.shape[0]):
        state = old_slots[slot, STATE]
        if not state & TAKEN:
            continue
        heard = (state & HAS_PING) != 0 and old_slots[slot, LAST_MS] >= before_ms
        reminded = (state & HAS_REMINDER) != 0 and old_slots[slot, NEWEST_MS] >= before_ms
        if not (heard or reminded):
            continue
        key = old_slots[slot, KEY]
        to = find_or_take(key, home(key, slots), slots, counts)
        slots[to, :] = old_slots[slot, :]
        slots[to, HEAD] = NONE
        last = NONE
        k = old_slots[slot, HEAD]
        while k != NONE:  # in the same order
            fresh = counts[POOL_USED]
            counts[POOL_USED] += 1
            counts[REMEMBERED] += 1
            pool[fresh, STATION], pool[fresh, TIME_MS], pool[fresh, NEXT] = (
                old_pool[k, STATION],
                old_pool[k, TIME_MS],
                NONE,
            )
            if last == NONE:
                slots[to, HEAD] = fresh
            else:
                pool[last, NEXT] = fresh
            last = fresh
            k = old_pool[k, NEXT]


@njit(nogil=True, cache=True)
def export(memory, vehicle, station, time_ms):
    """Write out all remembered reminders."""
    slots, pool = memory.slots, memory.pool
    count = 0
    for slot in range(slots.shape[0]):
        if slots[slot, STATE] & TAKEN:
            k = slots[slot, HEAD]
            while k != NONE:
                vehicle[count], station[count], time_ms[count] = slots[slot, KEY], pool[k, STATION], pool[k, TIME_MS]
                count += 1
                k = pool[k, NEXT]
