# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled passage kernel.

The exact test uses only + - * / and square roots, in a fixed order and without fused operations, so that the
reference in the tests gets the same bits.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from yizhan.geo.passage._cells_kernels import cell_number
from yizhan.geo.passage._memory_kernels import (
    ACCURACY,
    HAS_PING,
    HAS_REMINDER,
    HEAD,
    LAST_MS,
    LAT,
    LON,
    NEWEST_MS,
    NONE,
    STATE,
    allowed,
    find,
    find_or_take,
    has_room,
    home,
    prefetch,
    remember_one,
)

EARTH_RADIUS_M = 6_371_008.8
RADIANS = math.pi / 180.0
TIME_LIMIT_MS = 2**52

BLOCK = 512
# Cells are widened by this share of a cell where a path is cut at cell edges: far above rounding, far below a metre.
HAIR = 1e-6

_INLINE: Any = {"nogil": True, "cache": True, "forceinline": True, "error_model": "numpy"}


@njit(**_INLINE)
def is_evidence(time_ms, lon, lat, accuracy_m, latest_ms):
    """Whether a ping says anything: finite, on the globe, not null island, in time, its accuracy not negative."""
    return (
        abs(lon) <= 180.0
        and abs(lat) <= 90.0
        and not (lon == 0.0 and lat == 0.0)
        and not accuracy_m < 0.0
        and -TIME_LIMIT_MS < time_ms < TIME_LIMIT_MS
        and time_ms <= latest_ms
    )


@njit(**_INLINE)
def too_late(time_ms, state, newest_ms, longest_memory_ms):
    """Whether a ping is older than the vehicle's newest reminder by the longest memory."""
    return (state & HAS_REMINDER) != 0 and time_ms <= newest_ms - longest_memory_ms


@njit(**_INLINE)
def _plane(lon, lat, rows, station):
    """Position in metres east and north of a station; the scale of longitude is the cosine of the middle latitude."""
    north = (lat - rows[station, 1]) * RADIANS
    middle = north * 0.5
    cosine = rows[station, 2] - rows[station, 3] * middle - rows[station, 2] * middle * middle * 0.5
    east = (lon - rows[station, 0]) * RADIANS
    return east * cosine * EARTH_RADIUS_M, north * EARTH_RADIUS_M


@njit(**_INLINE)
def approach(station, path, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1, rows, longest_ms, speed):
    """Closest approach to a station: squared metres and milliseconds; -1 where it is no evidence of a passage.

    `path` says whether there is an earlier ping (the one of index 0) that is joined to this one. The union's limits of
    time and speed, and the accuracy of the earlier ping, decide whether it is so for this station.
    """
    radius = rows[station, 4]
    if accuracy1 > radius:
        return -1.0, time1
    x1, y1 = _plane(lon1, lat1, rows, station)
    square = x1 * x1 + y1 * y1
    moment = time1
    if path and not accuracy0 > radius:
        rule = int(rows[station, 5])
        lasted = time1 - time0
        if lasted <= longest_ms[rule]:
            x0, y0 = _plane(lon0, lat0, rows, station)
            dx, dy = x1 - x0, y1 - y0
            length = dx * dx + dy * dy
            limit = speed[rule] * lasted / 1000.0
            if 0.0 < length <= limit * limit:
                share = -(x0 * dx + y0 * dy) / length
                if share < 1.0:
                    share = max(share, 0.0)
                    x, y = x0 + share * dx, y0 + share * dy
                    square = x * x + y * y
                    moment = time0 + math.floor(share * lasted + 0.5)
    if square <= radius * radius:
        return square, moment
    return -1.0, time1


@njit(**_INLINE)
def _row_range(fy0, fy1, rows):
    """First and last row of the cells that a path crosses."""
    return max(math.floor(min(fy0, fy1) - HAIR), 0), min(math.floor(max(fy0, fy1) + HAIR), rows - 1)


@njit(**_INLINE)
def _row_span(row, fx0, fy0, fx1, fy1):
    """First and last column of the cells that the path from (fx0, fy0) to (fx1, fy1) crosses in a row."""
    dy = fy1 - fy0
    first, last = 0.0, 1.0
    if abs(dy) > 1e-9:
        a, b = (row - HAIR - fy0) / dy, (row + 1.0 + HAIR - fy0) / dy
        first, last = max(min(a, b), 0.0), min(max(a, b), 1.0)
    a, b = fx0 + first * (fx1 - fx0), fx0 + last * (fx1 - fx0)
    return math.floor(min(a, b) - HAIR), math.floor(max(a, b) + HAIR)


@njit(**_INLINE)
def _is_open(span, time_s, spans):
    """Whether a station is open; `span` says where its intervals lie."""
    first = span >> 20
    low, high = first, first + (span & 0xFFFFF)
    while low < high:
        middle = (low + high) >> 1
        if spans[middle, 0] <= time_s:
            low = middle + 1
        else:
            high = middle
    return low > first and time_s < spans[low - 1, 1]


@njit(**_INLINE)
def _best(  # noqa: C901
    slot, path, fx0, fy0, fx1, fy1, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1,
    columns, grid_rows, tiles, words, rank, directory, lists, rows, whole, spans,
    cool_ms, gap_ms, longest_ms, speed, slots, pool,
):  # fmt: skip
    """The nearest eligible station that the path meets: index, squared metres, milliseconds; index -1 if none."""
    best, best_square, best_ms = np.int64(-1), math.inf, np.int64(0)
    across = columns >> 5
    low, high = _row_range(fy0, fy1, grid_rows)
    for row in range(low, high + 1):
        left, right = _row_span(row, fx0, fy0, fx1, fy1)
        column = max(int(left), 0)
        end = min(int(right), columns - 1)
        while column <= end:
            at = np.int64(tiles[(row >> 5) * across + (column >> 5)]) * 32 + (row & 31)
            if words[at] == 0:
                column = (column | 31) + 1
                continue
            if (words[at] >> np.uint32(column & 31)) & np.uint32(1):
                entry = np.int64(directory[cell_number(words, rank, at, column)])
                first, count = np.int64(0), np.int64(1)
                if entry < 0:
                    first = ~entry + 1
                    count = np.int64(lists[first - 1])
                for k in range(first, first + count):
                    station = entry if entry >= 0 else np.int64(lists[k])
                    square, moment = approach(
                        station, path, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1,
                        rows, longest_ms, speed,
                    )  # fmt: skip
                    if square < 0.0 or square > best_square:
                        continue
                    if square == best_square and (best == station or whole[station, 6] > whole[best, 6]):
                        continue
                    rule = int(rows[station, 5])
                    if slot >= 0 and slots[slot, STATE] & HAS_REMINDER:
                        if abs(moment - slots[slot, NEWEST_MS]) < gap_ms[rule]:
                            continue
                        if not allowed(slots[slot, HEAD], whole[station, 6], moment, cool_ms[rule], gap_ms[rule], pool):
                            continue
                    if not _is_open(whole[station, 7], moment // 1000, spans):
                        continue
                    best, best_square, best_ms = station, square, moment
            column += 1
    return best, best_square, best_ms


@njit(**_INLINE)
def _may_meet(fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words):
    """Whether a circle touches any cell of the path's box; quickly, and never wrongly no."""
    left, right = math.floor(min(fx0, fx1) - HAIR), math.floor(max(fx0, fx1) + HAIR)
    low, high = math.floor(min(fy0, fy1) - HAIR), math.floor(max(fy0, fy1) + HAIR)
    if left < 0 or low < 0 or right >= columns or high >= grid_rows:
        return True
    if (left ^ right) >> 5 or (low ^ high) >> 5:
        return True
    block = np.int64(tiles[(low >> 5) * (columns >> 5) + (left >> 5)]) * 32
    met = np.uint32(0)
    for row in range(low, high + 1):
        met |= words[block + (row & 31)]
    wanted = ((np.uint64(2) << np.uint64(right - left)) - np.uint64(1)) << np.uint64(left & 31)
    return (np.uint64(met) & wanted) != 0


@njit(**_INLINE)
def _meets(fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words):
    """Whether the path meets any cell that a circle touches."""
    across = columns >> 5
    low, high = _row_range(fy0, fy1, grid_rows)
    for row in range(low, high + 1):
        left, right = _row_span(row, fx0, fy0, fx1, fy1)
        column = max(int(left), 0)
        end = min(int(right), columns - 1)
        while column <= end:
            word = words[tiles[(row >> 5) * across + (column >> 5)] * 32 + (row & 31)]
            upto = min(column | 31, end)
            wanted = (np.uint64(2) << np.uint64(upto - column)) - np.uint64(1)
            if (np.uint64(word) >> np.uint64(column & 31)) & wanted:
                return True
            column = upto + 1
    return False


@njit(**_INLINE)
def _fetch(found, hit, at_of, column_of, slot_of, words, rank, directory, lists, whole, spans, slots, pool, entries):
    """Ask for what the hits of a block will read, one level of look-up after another.

    The levels are the word's rank, the cell's entry, the station, its hours; beside them the vehicle's reminders. Each
    level of all hits is under way at once, where one hit after another would wait for each.
    """
    for h in range(found):
        prefetch(rank, at_of[hit[h]])
    for h in range(found):
        k = hit[h]
        entries[h] = cell_number(words, rank, at_of[k], column_of[k])
        prefetch(directory, min(entries[h], directory.size - 1))
    for h in range(found):
        entries[h] = directory[min(entries[h], directory.size - 1)]
        if entries[h] >= 0:
            prefetch(whole, entries[h])
        else:
            prefetch(lists, ~entries[h])
    for h in range(found):
        entry = entries[h]
        if entry >= 0:
            prefetch(spans, whole[entry, 7] >> 20)
        else:
            prefetch(whole, np.int64(lists[~entry + 1]))
        slot = slot_of[h]
        if slot >= 0 and slots[slot, HEAD] != NONE:
            prefetch(pool, slots[slot, HEAD])


@njit(nogil=True, cache=True, error_model="numpy")
def feed_paths(  # noqa: C901
    vehicle, time_ms, lon, lat, accuracy_m, start, latest_ms, cells, stations, rules, memory, out
):  # fmt: skip
    """Judge the pings from `start` on under the segment rule.

    Returns how far it came and how many reminders `out` holds; short of the end when the memory must grow first.
    """
    west, south, per_lon, per_lat = cells.west, cells.south, cells.per_lon, cells.per_lat
    columns, grid_rows, tiles, words, rank = cells.columns, cells.rows, cells.tiles, cells.words, cells.rank
    directory, lists, rows, whole, spans = cells.directory, cells.lists, stations.rows, stations.whole, stations.spans
    cool_ms, gap_ms, longest_ms, speed = rules.cool_ms, rules.gap_ms, rules.longest_ms, rules.speed
    longest_path_ms, longest_memory_ms = rules.longest_path_ms, rules.longest_memory_ms
    most_columns, most_rows = rules.most_columns, rules.most_rows
    slots, reals, pool, counts = memory.slots, memory.reals, memory.pool, memory.counts
    homes, tile_of, at_of = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    column_of, row_of = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    good = np.empty(BLOCK, np.bool_)
    hit, slot_of, entries = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    joined, time0_of = np.empty(BLOCK, np.bool_), np.empty(BLOCK, np.int64)
    lon0_of, lat0_of, accuracy0_of = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    across = columns >> 5
    last_column, last_row = columns - 1.0, grid_rows - 1.0
    count = 0
    for block in range(start, vehicle.size, BLOCK):
        if not has_room(counts, slots, pool, BLOCK):
            return block, count
        size = min(BLOCK, vehicle.size - block)
        for k in range(size):
            i = block + k
            homes[k] = home(vehicle[i], slots)
            prefetch(slots, homes[k])
        for k in range(size):
            i = block + k
            good[k] = is_evidence(time_ms[i], lon[i], lat[i], accuracy_m[i], latest_ms)
            # The order of the bounds sends NaN to the empty margin.
            column_of[k] = np.int64(min(max(0.0, (lon[i] - west) * per_lon), last_column))
            row_of[k] = np.int64(min(max(0.0, (lat[i] - south) * per_lat), last_row))
            tile_of[k] = (row_of[k] >> 5) * across + (column_of[k] >> 5)
        for k in range(size):
            at_of[k] = np.int64(tiles[tile_of[k]]) * 32 + (row_of[k] & 31)
            prefetch(words, at_of[k])

        # First every ping moves its vehicle; those whose path may meet a circle are kept with where it came from.
        found = 0
        for k in range(size):
            if not good[k]:
                continue
            i = block + k
            time1, lon1, lat1 = time_ms[i], lon[i], lat[i]
            slot = find_or_take(vehicle[i], homes[k], slots, counts)
            state = slots[slot, STATE]
            time0, lon0, lat0 = slots[slot, LAST_MS], reals[slot, LON], reals[slot, LAT]
            accuracy0 = reals[slot, ACCURACY]
            lasted = time1 - time0
            known = (state & HAS_PING) != 0
            if known and lasted == 0:
                continue
            if not known or lasted > 0:
                slots[slot, LAST_MS] = time1
                reals[slot, LON], reals[slot, LAT], reals[slot, ACCURACY] = lon1, lat1, accuracy_m[i]
                slots[slot, STATE] = state | HAS_PING
            fx1, fy1 = (lon1 - west) * per_lon, (lat1 - south) * per_lat
            fx0, fy0 = fx1, fy1
            path = False
            if known and 0 < lasted <= longest_path_ms:
                fx0, fy0 = (lon0 - west) * per_lon, (lat0 - south) * per_lat
                path = abs(fx1 - fx0) <= most_columns and abs(fy1 - fy0) <= most_rows
                if not path:
                    fx0, fy0 = fx1, fy1
            if not _may_meet(fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words):
                continue
            if not _meets(fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words):
                continue
            hit[found], slot_of[found], joined[found] = k, slot, path
            time0_of[found], lon0_of[found], lat0_of[found], accuracy0_of[found] = time0, lon0, lat0, accuracy0
            found += 1

        # Then those are judged, in the same order.
        _fetch(found, hit, at_of, column_of, slot_of, words, rank, directory, lists, whole, spans, slots, pool, entries)
        for h in range(found):
            i, slot, path = block + hit[h], slot_of[h], joined[h]
            time1, lon1, lat1, accuracy1 = time_ms[i], lon[i], lat[i], accuracy_m[i]
            if too_late(time1, slots[slot, STATE], slots[slot, NEWEST_MS], longest_memory_ms):
                continue
            fx1, fy1 = (lon1 - west) * per_lon, (lat1 - south) * per_lat
            fx0, fy0 = fx1, fy1
            if path:
                fx0, fy0 = (lon0_of[h] - west) * per_lon, (lat0_of[h] - south) * per_lat
            station, square, moment = _best(
                slot, path, fx0, fy0, fx1, fy1, time0_of[h], lon0_of[h], lat0_of[h], accuracy0_of[h],
                time1, lon1, lat1, accuracy1, columns, grid_rows, tiles, words, rank, directory, lists,
                rows, whole, spans, cool_ms, gap_ms, longest_ms, speed, slots, pool,
            )  # fmt: skip
            if station >= 0:
                remember_one(slot, slots, pool, counts, whole[station, 6], moment, rules.keep_ms)
                out.station[count], out.time_ms[count] = whole[station, 6], moment
                out.square_m[count], out.ping[count] = square, i
                count += 1
    return vehicle.size, count


@njit(nogil=True, cache=True, error_model="numpy")
def feed_points(  # noqa: C901
    vehicle, time_ms, lon, lat, accuracy_m, start, latest_ms, cells, stations, rules, memory, out
):  # fmt: skip
    """Judge the pings from `start` on one by one, without paths: only reminded vehicles are remembered.

    Returns as `feed_paths` does.
    """
    west, south, per_lon, per_lat = cells.west, cells.south, cells.per_lon, cells.per_lat
    columns, grid_rows, tiles, words, rank = cells.columns, cells.rows, cells.tiles, cells.words, cells.rank
    directory, lists, rows, whole, spans = cells.directory, cells.lists, stations.rows, stations.whole, stations.spans
    cool_ms, gap_ms, longest_ms, speed = rules.cool_ms, rules.gap_ms, rules.longest_ms, rules.speed
    slots, pool, counts = memory.slots, memory.pool, memory.counts
    tile_of, at_of = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int64)
    row_of, column_of = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    hit, slot_of, entries = np.empty(BLOCK + 1, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    across = columns >> 5
    last_column, last_row = columns - 1.0, grid_rows - 1.0
    count = 0
    for block in range(start, vehicle.size, BLOCK):
        if not has_room(counts, slots, pool, BLOCK):
            return block, count
        size = min(BLOCK, vehicle.size - block)
        x, y = lon[block : block + size], lat[block : block + size]
        for k in range(size):
            # The order of the bounds sends NaN to the empty margin.
            column_of[k] = np.int32(min(max(0.0, (x[k] - west) * per_lon), last_column))
            row_of[k] = np.int32(min(max(0.0, (y[k] - south) * per_lat), last_row))
            tile_of[k] = (row_of[k] >> 5) * across + (column_of[k] >> 5)
        for k in range(size):
            at_of[k] = tiles[np.int64(tile_of[k])] * 32 + (row_of[k] & 31)
        found = 0
        for k in range(size):
            hit[found] = k
            found += (words[at_of[k]] >> np.uint32(column_of[k] & 31)) & np.uint32(1)
        for h in range(found):
            slot_of[h] = home(vehicle[block + hit[h]], slots)
            prefetch(slots, slot_of[h])
        for h in range(found):
            slot_of[h] = find(vehicle[block + hit[h]], slot_of[h], slots)
        _fetch(found, hit, at_of, column_of, slot_of, words, rank, directory, lists, whole, spans, slots, pool, entries)
        for h in range(found):
            i = block + hit[h]
            time1, lon1, lat1, accuracy1 = time_ms[i], lon[i], lat[i], accuracy_m[i]
            if not is_evidence(time1, lon1, lat1, accuracy1, latest_ms):
                continue
            slot = slot_of[h]
            if slot < 0:  # it may have been taken by a hit before this one
                slot = find(vehicle[i], home(vehicle[i], slots), slots)
            if slot >= 0 and too_late(time1, slots[slot, STATE], slots[slot, NEWEST_MS], rules.longest_memory_ms):
                continue
            fx, fy = (lon1 - west) * per_lon, (lat1 - south) * per_lat
            station, square, moment = _best(
                slot, False, fx, fy, fx, fy, time1, lon1, lat1, accuracy1, time1, lon1, lat1, accuracy1,
                columns, grid_rows, tiles, words, rank, directory, lists, rows, whole, spans,
                cool_ms, gap_ms, longest_ms, speed, slots, pool,
            )  # fmt: skip
            if station >= 0:
                if slot < 0:
                    slot = find_or_take(vehicle[i], home(vehicle[i], slots), slots, counts)
                remember_one(slot, slots, pool, counts, whole[station, 6], moment, rules.keep_ms)
                out.station[count], out.time_ms[count] = whole[station, 6], moment
                out.square_m[count], out.ping[count] = square, i
                count += 1
    return vehicle.size, count
