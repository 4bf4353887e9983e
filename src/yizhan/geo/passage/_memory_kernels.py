# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled memory of vehicles: an open-addressing table of cache lines, and a pool of reminders chained to them.

The table is cut into groups of eight slots. A word of eight one-byte tags, taken from the vehicles' hashes, stands for
each group (0 is an empty slot), so that one small read tells which line to fetch, and a full neighbour costs nothing.
The group follows from the hash by multiplication, not by a mask: the table need not double to grow, and its slots lie
in the order of their hashes, so that growing streams through memory.

Numba's cache watches only the text of a compiled function's own file, not what that function calls: after a change
here, delete the cache (`__pycache__/*.nbi`).
"""

import numpy as np
from numba import njit

from yizhan.geo.passage._processor import INLINE, KERNEL, zeros_below

# Words of a slot (64 bytes, one cache line). Positions and accuracy are read through the float64 view of the memory.
KEY, LAST_MS, LON, LAT, ACCURACY, HEAD, NEWEST_MS, STATE = range(8)
TAKEN, HAS_PING, HAS_REMINDER = 1, 2, 4

# Words of a reminder in the pool (32 bytes).
STATION, TIME_MS, NEXT = range(3)

# Words of `counts`.
VEHICLES, POOL_USED, FREE, REMEMBERED = range(4)
NONE = -1

# The kernels judge so many pings between two looks at whether the memory must grow; their lines fit the nearest cache.
BLOCK = 256

# The table is full at 17 of 20 slots; where an eighth of all groups are full, few searches go on to the next group.
FULL, OF = 17, 20

_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_HALF = np.uint64(32)


@njit(**INLINE)
def mixed(vehicle):
    """A hash of a vehicle's id (a finaliser that spreads ids however they were made); uint64."""
    h = np.uint64(vehicle)
    h ^= h >> _HALF
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> _HALF
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> _HALF
    return h


@njit(**INLINE)
def shard_of(hashed, shards):
    """Which of so many shards a vehicle belongs to; the bits are those that neither group nor tag starts from."""
    return np.int64((((hashed >> np.uint64(8)) & np.uint64(0xFFFFFF)) * np.uint64(shards)) >> np.uint64(24))


@njit(**INLINE)
def home(hashed, tags):
    """The group where the search for a vehicle starts."""
    return ((hashed >> _HALF) * np.uint64(tags.size)) >> _HALF


@njit(**INLINE)
def _pattern(hashed):
    """The vehicle's tag, eight times."""
    tag = hashed & np.uint64(255)
    return (tag | np.uint64(tag == np.uint64(0))) * _ONES


@njit(**INLINE)
def _zero_bytes(word):
    """The high bit of each zero byte; above the lowest one there may be false ones."""
    return (word - _ONES) & ~word & _HIGHS


@njit(**INLINE)
def likely_slot(hashed, tags):
    """The first slot on its way that bears the vehicle's tag: its own, as a rule; any slot where there is none."""
    group, wanted = home(hashed, tags), _pattern(hashed)
    same = _zero_bytes(tags[group] ^ wanted)
    while same == np.uint64(0) and _zero_bytes(tags[group]) == np.uint64(0):
        group += np.uint64(1)
        if group == np.uint64(tags.size):
            group = np.uint64(0)
        same = _zero_bytes(tags[group] ^ wanted)
    return (group << np.uint64(3)) | ((zeros_below(same) >> np.uint64(3)) & np.uint64(7))


@njit(**INLINE)
def find(vehicle, hashed, tags, slots):
    """The vehicle's slot, or -1."""
    group, wanted = home(hashed, tags), _pattern(hashed)
    while True:
        same = _zero_bytes(tags[group] ^ wanted)
        while same != np.uint64(0):
            slot = (group << np.uint64(3)) | (zeros_below(same) >> np.uint64(3))
            if slots[slot, KEY] == vehicle and slots[slot, STATE] & TAKEN:
                return np.int64(slot)
            same &= same - np.uint64(1)
        if _zero_bytes(tags[group]) != np.uint64(0):
            return np.int64(-1)
        group += np.uint64(1)
        if group == np.uint64(tags.size):
            group = np.uint64(0)


@njit(**KERNEL)
def find_or_take(vehicle, hashed, tags, slots, counts):
    """The vehicle's slot; a fresh one where it had none. There must be room."""
    slot = find(vehicle, hashed, tags, slots)
    if slot >= 0:
        return slot
    group = home(hashed, tags)
    while _zero_bytes(tags[group]) == np.uint64(0):
        group += np.uint64(1)
        if group == np.uint64(tags.size):
            group = np.uint64(0)
    place = zeros_below(_zero_bytes(tags[group])) >> np.uint64(3)
    tags[group] |= (_pattern(hashed) & np.uint64(255)) << (place << np.uint64(3))
    slot = np.int64((group << np.uint64(3)) | place)
    slots[slot, KEY] = vehicle
    slots[slot, STATE] = TAKEN
    slots[slot, HEAD] = NONE
    counts[VEHICLES] += 1
    return slot


@njit(**INLINE)
def has_room(counts, slots, pool, more):
    """Whether so many more vehicles and so many more reminders fit."""
    return (counts[VEHICLES] + more) * OF <= slots.shape[0] * FULL and counts[REMEMBERED] + more <= pool.shape[0]


@njit(**INLINE)
def allowed(head, station, moment, cool_ms, gap_ms, pool):
    """Whether a vehicle's earlier reminders leave room for this one, before and after."""
    k = head
    while k != NONE:
        apart = abs(moment - pool[k, TIME_MS])
        if apart < gap_ms or (apart < cool_ms and pool[k, STATION] == station):
            return False
        k = pool[k, NEXT]
    return True


@njit(**KERNEL)
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


@njit(**KERNEL)
def remember(vehicle, station, time_ms, start, memory, shard, shards, keep_ms):
    """Add a shard's reminders from a log; returns how far it came before the memory must grow."""
    tags, slots, pool, counts = memory.tags, memory.slots, memory.pool, memory.counts
    for i in range(start, vehicle.size):
        hashed = mixed(vehicle[i])
        if shard_of(hashed, shards) != shard:
            continue
        if not has_room(counts, slots, pool, 1):
            return i
        slot = find_or_take(vehicle[i], hashed, tags, slots, counts)
        known = False
        k = slots[slot, HEAD]
        while k != NONE:
            known |= pool[k, TIME_MS] == time_ms[i] and pool[k, STATION] == station[i]
            k = pool[k, NEXT]
        if not known:
            remember_one(slot, slots, pool, counts, station[i], time_ms[i], keep_ms)
    return vehicle.size


@njit(**KERNEL)
def move(old, new, shard, shards, before_ms):
    """Move a shard's vehicles and reminders to where there is room, but for those not heard of since `before_ms`."""
    tags, slots, pool, counts, old_slots, old_pool = new.tags, new.slots, new.pool, new.counts, old.slots, old.pool
    for slot in range(old_slots.shape[0]):
        state = old_slots[slot, STATE]
        if not state & TAKEN:
            continue
        heard = (state & HAS_PING) != 0 and old_slots[slot, LAST_MS] >= before_ms
        reminded = (state & HAS_REMINDER) != 0 and old_slots[slot, NEWEST_MS] >= before_ms
        hashed = mixed(old_slots[slot, KEY])
        if not (heard or reminded) or shard_of(hashed, shards) != shard:
            continue
        to = find_or_take(old_slots[slot, KEY], hashed, tags, slots, counts)
        for word in range(8):
            slots[to, word] = old_slots[slot, word]
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


@njit(**KERNEL)
def count(memory, shard, shards):
    """How many vehicles and how many reminders belong to a shard."""
    slots, pool = memory.slots, memory.pool
    vehicles, reminders = 0, 0
    for slot in range(slots.shape[0]):
        if slots[slot, STATE] & TAKEN and shard_of(mixed(slots[slot, KEY]), shards) == shard:
            vehicles += 1
            k = slots[slot, HEAD]
            while k != NONE:
                reminders += 1
                k = pool[k, NEXT]
    return vehicles, reminders


@njit(**KERNEL)
def export(memory, start, vehicle, station, time_ms):
    """Write out all remembered reminders from row `start` on; returns the row after the last."""
    slots, pool = memory.slots, memory.pool
    at = start
    for slot in range(slots.shape[0]):
        if slots[slot, STATE] & TAKEN:
            k = slots[slot, HEAD]
            while k != NONE:
                vehicle[at], station[at], time_ms[at] = slots[slot, KEY], pool[k, STATION], pool[k, TIME_MS]
                at += 1
                k = pool[k, NEXT]
    return at
