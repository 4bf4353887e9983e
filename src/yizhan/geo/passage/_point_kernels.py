# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled point rule: each ping is judged alone.

First all pings are put to the grid and to the circles, which needs no memory of vehicles and may be shared out by rows.
Then the few that lie in a circle are judged in order, each vehicle by the one that keeps its memory.

Each step runs over a block of pings before the next one begins, and what the next will read is asked for ahead, so that
many reads are under way at once, where one ping after another would wait for each.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from yizhan.geo.passage._cells_kernels import cell_number
from yizhan.geo.passage._memory_kernels import (
    BLOCK,
    HEAD,
    NEWEST_MS,
    NONE,
    STATE,
    find,
    find_or_take,
    has_room,
    home,
    likely_slot,
    mixed,
    remember_one,
    shard_of,
)
from yizhan.geo.passage._processor import INLINE, KERNEL, prefetch, prefetch_to_write
from yizhan.geo.passage._rule_kernels import is_evidence, may_be_named, square_from, too_late

NEAR_BLOCK = 2048


class Scratch(NamedTuple):
    """What is known of each ping of a block, between the steps."""

    column: NDArray[np.int32]
    row: NDArray[np.int32]
    tile: NDArray[np.uint32]
    at: NDArray[np.uint32]
    found: NDArray[np.uint32]
    entries: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    slot: NDArray[np.int64]
    mine: NDArray[np.int64]


def scratch() -> Scratch:
    """Room for one block; the kernels take the sizes of their blocks from it."""
    near, judged = ["i4", "i4", "u4", "u4", "u4", "i8"], ["u8", "i8", "i8"]
    return Scratch(*(np.empty(NEAR_BLOCK, kind) for kind in near), *(np.empty(BLOCK, kind) for kind in judged))


@njit(**KERNEL)
def columns_of(x, west, per_lon, last, column_of):
    """The cell column of each longitude; what lies outside, and NaN, falls into the empty margin."""
    for k in range(x.size):
        column_of[k] = np.int32(min(max(0.0, (x[k] - west) * per_lon), last))


@njit(**KERNEL)
def _tiles_of(column_of, row_of, across, tile_of):
    for k in range(tile_of.size):
        tile_of[k] = (row_of[k] >> np.int32(5)) * across + (column_of[k] >> np.int32(5))


@njit(**KERNEL)
def near_points(lon, lat, start, stop, cells, stations, scratch, near_ping, near_entry):
    """Rows from `start` to before `stop` that lie in a circle, and the directory entry of their cell; how many."""
    west, south, per_lon, per_lat = cells.west, cells.south, cells.per_lon, cells.per_lat
    tiles, words, rank, directory, lists, rows = (
        cells.tiles, cells.words, cells.rank, cells.directory, cells.lists, stations.rows,
    )  # fmt: skip
    column_block, row_block, tile_block, at_block = scratch.column, scratch.row, scratch.tile, scratch.at
    found_at, entries = scratch.found, scratch.entries
    across = np.int32(cells.columns >> 5)
    last_column, last_row = cells.columns - 1.0, cells.rows - 1.0
    count = np.int64(0)
    for block in range(start, stop, at_block.size):
        size = min(at_block.size, stop - block)
        x, y = lon[block : block + size], lat[block : block + size]
        columns_of(x, west, per_lon, last_column, column_block)
        columns_of(y, south, per_lat, last_row, row_block)
        _tiles_of(column_block, row_block, across, tile_block[:size])
        for k in range(size):
            at_block[k] = np.uint32(tiles[tile_block[k]] * np.int32(32) + (row_block[k] & np.int32(31)))
            prefetch(words, at_block[k])
        found = np.int64(0)
        for k in range(size):
            found_at[found] = np.uint32(k)
            found += (words[at_block[k]] >> np.uint32(column_block[k] & 31)) & np.uint32(1)

        for f in range(found):
            prefetch(rank, at_block[found_at[f]])
        for f in range(found):
            k = found_at[f]
            entries[f] = cell_number(words, rank, at_block[k], column_block[k])
            prefetch(directory, entries[f])
        for f in range(found):
            entries[f] = directory[np.uint64(entries[f])]
            if entries[f] >= 0:
                prefetch(rows, entries[f])
            else:
                prefetch(lists, ~entries[f])
        for f in range(found):
            k, entry = found_at[f], entries[f]
            if entry >= 0:
                station = np.uint64(entry)
                radius = rows[station, 4]
                inside = square_from(station, x[k], y[k], rows) <= radius * radius
            else:
                inside = False
                first = np.uint64(~entry)
                for at in range(first + np.uint64(1), first + np.uint64(1) + np.uint64(lists[first])):
                    station = np.uint64(lists[at])
                    radius = rows[station, 4]
                    inside |= square_from(station, x[k], y[k], rows) <= radius * radius
            near_ping[count], near_entry[count] = block + k, entry
            count += np.int64(inside)
    return count


@njit(**INLINE)
def _nearest(
    slot, entry, time_ms, lon, lat, accuracy_m, asked, lists, rows, whole, offered, spans,
    cool_ms, gap_ms, quiet_ms, need_s, slots, pool,
):  # fmt: skip
    """The nearest station of a cell that holds the point and may be named: index, squared metres; index -1 if none."""
    best, best_square = np.int64(-1), math.inf
    first, count = np.int64(0), np.int64(1)
    if entry < 0:
        first = ~entry + 1
        count = np.int64(lists[first - 1])
    for k in range(first, first + count):
        station = entry if entry >= 0 else np.int64(lists[k])
        radius = rows[station, 4]
        square = square_from(station, lon, lat, rows)
        if not square <= radius * radius or square > best_square or accuracy_m > radius:
            continue
        if square == best_square and whole[station, 6] > whole[best, 6]:
            continue
        rule = int(rows[station, 5])
        if may_be_named(
            slot, station, time_ms, asked, rule, whole, offered, spans, cool_ms, gap_ms, quiet_ms, need_s, slots, pool
        ):  # fmt: skip
            best, best_square = station, square
    return best, best_square


@njit(**KERNEL)
def judge_points(  # noqa: C901
    vehicle, time_ms, lon, lat, accuracy_m, asked, near_ping, near_entry, start, latest_ms, shard, shards, cells,
    stations, rules, memory, scratch, out,
):  # fmt: skip
    """Judge the pings of a shard's vehicles that lie in a circle, from place `start` of their list on.

    Returns how far it came and how many reminders `out` holds; short of the end when the memory must grow first.
    """
    lists, rows, whole, spans = cells.lists, stations.rows, stations.whole, stations.spans
    cool_ms, gap_ms, need_s, longest_memory_ms = rules.cool_ms, rules.gap_ms, rules.need_s, rules.longest_memory_ms
    offered, quiet_ms = stations.offered, rules.quiet_ms
    tags, slots, pool, counts = memory.tags, memory.slots, memory.pool, memory.counts
    hashes, slot_of, mine = scratch.hashes, scratch.slot, scratch.mine
    count = np.int64(0)
    for block in range(start, near_ping.size, mine.size):
        if not has_room(counts, slots, pool, mine.size):
            return block, count
        size = min(mine.size, near_ping.size - block)
        for k in range(block, block + size):  # one ping in many is here, so the processor does not read ahead
            i = near_ping[k]
            prefetch(vehicle, i)
            prefetch(time_ms, i)
            prefetch(lon, i)
            prefetch(lat, i)
            prefetch(accuracy_m, i)
        found = np.int64(0)
        for k in range(block, block + size):
            hashed = mixed(vehicle[near_ping[k]])
            mine[found], hashes[found] = k, hashed
            found += np.int64(shard_of(hashed, shards) == shard)
            prefetch(tags, home(hashed, tags))
        for f in range(found):
            prefetch(slots, likely_slot(hashes[f], tags))
            entry = near_entry[mine[f]]
            prefetch(whole, entry if entry >= 0 else np.int64(lists[~entry + 1]))
        for f in range(found):
            entry = near_entry[mine[f]]
            prefetch(spans, whole[entry if entry >= 0 else np.int64(lists[~entry + 1]), 7] >> 20)
            slot_of[f] = find(vehicle[near_ping[mine[f]]], hashes[f], tags, slots)
            if slot_of[f] >= 0 and slots[slot_of[f], HEAD] != NONE:
                prefetch_to_write(pool, slots[slot_of[f], HEAD])
        for f in range(found):
            i, slot = near_ping[mine[f]], slot_of[f]
            if not is_evidence(time_ms[i], lon[i], lat[i], accuracy_m[i], latest_ms):
                continue
            if slot < 0:  # it may have been taken by a ping before this one
                slot = find(vehicle[i], hashes[f], tags, slots)
            if slot >= 0 and too_late(time_ms[i], slots[slot, STATE], slots[slot, NEWEST_MS], longest_memory_ms):
                continue
            services = asked[i] if asked.size else np.int64(0)
            station, square = _nearest(
                slot, near_entry[mine[f]], time_ms[i], lon[i], lat[i], accuracy_m[i], services, lists, rows, whole,
                offered, spans, cool_ms, gap_ms, quiet_ms, need_s, slots, pool,
            )  # fmt: skip
            if station >= 0:
                if slot < 0:
                    slot = find_or_take(vehicle[i], hashes[f], tags, slots, counts)
                remember_one(slot, slots, pool, counts, whole[station, 6], time_ms[i], rules.keep_ms)
                out.station[count], out.time_ms[count] = whole[station, 6], time_ms[i]
                out.square_m[count], out.ping[count] = square, i
                count += 1
    return near_ping.size, count
