# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled segment rule: each ping is judged with the path from its vehicle's last one.

Every ping touches its vehicle's line of memory, so that touch is what the steps are laid out around: over a block of
pings first the tags are asked for, then the lines, then each vehicle is moved and its last position written out beside
the ping's. From there on all is local: boxes of cells around the paths, one bit of the wide bitmap for each, and only
for those that it leaves the exact course over the grid and the stations beside it.
"""

import math

import numpy as np
from numba import njit

from yizhan.geo.passage._cells_kernels import cell_number
from yizhan.geo.passage._memory_kernels import (
    ACCURACY,
    HAS_PING,
    HEAD,
    KEY,
    LAST_MS,
    LAT,
    LON,
    NEWEST_MS,
    NONE,
    STATE,
    find_or_take,
    has_room,
    home,
    likely_slot,
    mixed,
    remember_one,
    shard_of,
)
from yizhan.geo.passage._path_scratch import CELLS, ENDLESS, HAIR, LONG
from yizhan.geo.passage._processor import INLINE, KERNEL, prefetch, prefetch_to_write
from yizhan.geo.passage._rule_kernels import approach, is_evidence, may_be_named, too_late


@njit(**INLINE)
def _row_range(fy0, fy1, rows):
    """First and last row of the cells that a path crosses."""
    return max(math.floor(min(fy0, fy1) - HAIR), 0), min(math.floor(max(fy0, fy1) + HAIR), rows - 1)


@njit(**INLINE)
def _row_span(row, fx0, fy0, fx1, fy1):
    """First and last column of the cells that the path from (fx0, fy0) to (fx1, fy1) crosses in a row."""
    dy = fy1 - fy0
    first, last = 0.0, 1.0
    if abs(dy) > 1e-9:
        a, b = (row - HAIR - fy0) / dy, (row + 1.0 + HAIR - fy0) / dy
        first, last = max(min(a, b), 0.0), min(max(a, b), 1.0)
    a, b = fx0 + first * (fx1 - fx0), fx0 + last * (fx1 - fx0)
    return math.floor(min(a, b) - HAIR), math.floor(max(a, b) + HAIR)


@njit(**KERNEL)
def _course(k, fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words, pairs, pair_ping, pair_at, pair_column):
    """List the cells that a long path crosses and a circle touches, or, where they are too many, `LONG` in their place.

    Returns how many pairs of a ping and a cell there are then.
    """
    across = columns >> 5
    upto = pairs + CELLS
    low, high = _row_range(fy0, fy1, grid_rows)
    at = pairs
    for row in range(low, high + 1):
        left, right = _row_span(row, fx0, fy0, fx1, fy1)
        column = max(int(left), 0)
        end = min(int(right), columns - 1)
        while column <= end:
            word_at = np.int64(tiles[(row >> 5) * across + (column >> 5)]) * 32 + (row & 31)
            if words[word_at] == 0:
                column = (column | 31) + 1
                continue
            if (words[word_at] >> np.uint32(column & 31)) & np.uint32(1):
                if at == upto:
                    pair_ping[pairs], pair_at[pairs] = k, LONG
                    return pairs + 1
                pair_ping[at], pair_at[at], pair_column[at] = k, word_at, column & 31
                at += 1
            column += 1
    return at


@njit(**INLINE)
def _nearest(
    slot, path, fx0, fy0, fx1, fy1, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1, asked,
    columns, grid_rows, tiles, words, rank, directory, lists, rows, whole, offered, spans,
    cool_ms, gap_ms, quiet_ms, longest_ms, speed, silent, need_s, slots, pool,
):  # fmt: skip
    """The nearest station that the path meets and that may be named: index, squared metres, milliseconds; or -1."""
    best, best_square, best_ms = np.int64(-1), math.inf, np.int64(0)
    tried = np.int64(-1)
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
                    if station == tried:
                        continue
                    tried = station
                    square, moment = approach(
                        station, path, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1,
                        rows, longest_ms, speed, silent,
                    )  # fmt: skip
                    if square < 0.0 or square > best_square:
                        continue
                    if square == best_square and (best == station or whole[station, 6] > whole[best, 6]):
                        continue
                    rule = int(rows[station, 5])
                    if may_be_named(
                        slot, station, moment, asked, rule, whole, offered, spans, cool_ms, gap_ms, quiet_ms, need_s,
                        slots, pool,
                    ):  # fmt: skip
                        best, best_square, best_ms = station, square, moment
            column += 1
    return best, best_square, best_ms


@njit(**KERNEL)
def _take(vehicle, time_ms, lon, lat, accuracy_m, at, shard, shards, pings, hashes, who, when, x, y, accuracy):
    """Copy the next pings of a shard's vehicles; how many, and the row to go on from."""
    size = np.int64(0)
    while at < vehicle.size and size < pings.size:
        hashed = mixed(vehicle[at])
        pings[size], hashes[size] = at, hashed
        size += np.int64(shard_of(hashed, shards) == shard)
        at += 1
    for k in range(size):
        i = pings[k]
        who[k], when[k], x[k], y[k], accuracy[k] = vehicle[i], time_ms[i], lon[i], lat[i], accuracy_m[i]
    return size, at


@njit(**KERNEL)
def _evidence(when, x, y, accuracy, latest_ms, good):
    for k in range(when.size):
        good[k] = is_evidence(when[k], x[k], y[k], accuracy[k], latest_ms)


@njit(**KERNEL)
def _boxes(x0, x1, origin, per, last, low, wide):
    """First cell of each path along one axis, held to the grid, and whether it takes more than this and the next."""
    for k in range(x1.size):
        a = min(max(0.0, (x0[k] - origin) * per), last)
        b = min(max(0.0, (x1[k] - origin) * per), last)
        first = np.int32(max(min(a, b) - HAIR, 0.0))
        low[k] = first
        wide[k] = np.int32(max(a, b) + HAIR) - first


@njit(**KERNEL)
def _hash(who, hashes):
    for k in range(who.size):
        hashes[k] = mixed(who[k])


@njit(**KERNEL)
def _ask_for_tags(size, hashes, tags):
    for k in range(size):
        prefetch(tags, home(hashes[k], tags))


@njit(**KERNEL)
def _ask_for_slots(size, hashes, tags, slots, slot_of):
    for k in range(size):
        slot_of[k] = likely_slot(hashes[k], tags)
        prefetch_to_write(slots, slot_of[k])


@njit(**KERNEL)
def _read_ahead(column, start, block):
    """Ask for the next block of a column: the processor's own reading ahead stops at each page's end."""
    for at in range(start, min(start + block, column.size), 8):
        prefetch(column, at)


@njit(**KERNEL)
def _move(who, when, x, y, accuracy, longest_path_ms, hashes, tags, slots, reals, counts, known):
    """Every ping moves its vehicle and learns where it came from; without a path, from where it is."""
    alive, slot_of, time0, lon0, lat0, accuracy0 = known
    for k in range(who.size):
        if not alive[k]:
            lon0[k], lat0[k] = x[k], y[k]
            continue
        slot = slot_of[k]
        if slots[slot, KEY] != who[k] or slots[slot, STATE] == 0:
            slot = np.uint64(find_or_take(who[k], hashes[k], tags, slots, counts))
            slot_of[k] = slot
        state = slots[slot, STATE]
        before = slots[slot, LAST_MS]
        has_ping = (state & HAS_PING) != 0
        lasted = when[k] - before
        joined = has_ping and 0 < lasted <= longest_path_ms
        time0[k] = before
        accuracy0[k] = reals[slot, ACCURACY]
        lon0[k] = reals[slot, LON] if joined else x[k]
        lat0[k] = reals[slot, LAT] if joined else y[k]
        if not has_ping or lasted > 0:
            slots[slot, LAST_MS] = when[k]
            reals[slot, LON], reals[slot, LAT], reals[slot, ACCURACY] = x[k], y[k], accuracy[k]
            slots[slot, STATE] = state | HAS_PING
        elif lasted == 0:
            alive[k] = False


@njit(**KERNEL)
def _left_over(size, column_of, row_of, columns_more, rows_more, alive, across, tiles, wide, words_at, hit):
    """List the pings whose path may meet a circle; how many.

    A path that keeps to two columns and two rows is put to the bitmap of such squares; a longer one is listed.
    """
    for k in range(size):
        tile = np.uint32((row_of[k] >> np.int32(5)) * across + (column_of[k] >> np.int32(5)))
        words_at[k] = np.uint32(tiles[tile] * np.int32(32) + (row_of[k] & np.int32(31)))
        prefetch(wide, words_at[k])
    found = np.int64(0)
    for k in range(size):
        hit[found] = np.uint32(k)
        touched = (wide[words_at[k]] >> np.uint32(column_of[k] & np.int32(31))) & np.uint32(1)
        long = np.uint32((columns_more[k] > 1) | (rows_more[k] > 1))
        found += np.int64((touched | long) & np.uint32(alive[k]))
    return found


@njit(**KERNEL)
def _cells_of(
    found, hit, words_at, x, y, lon0, lat0, column_of, row_of, columns_more, rows_more, cells,
    most_columns, most_rows, pairs_of,
):  # fmt: skip
    """List the touched cells around each path: of a short one the four of its square, of a long one its course."""
    tiles, words, columns, grid_rows = cells.tiles, cells.words, cells.columns, cells.rows
    west, south, per_lon, per_lat = cells.west, cells.south, cells.per_lon, cells.per_lat
    pair_ping, pair_at, pair_column, _ = pairs_of
    across = np.int32(columns >> 5)
    last_column, last_row = np.int32(columns - 1), np.int32(grid_rows - 1)
    for f in range(found):
        prefetch(words, words_at[hit[f]])
    pairs = np.int64(0)
    for f in range(found):
        k = hit[f]
        column, row = column_of[k], row_of[k]
        if columns_more[k] > 1 or rows_more[k] > 1:
            fx1, fy1 = (x[k] - west) * per_lon, (y[k] - south) * per_lat
            fx0, fy0 = (lon0[k] - west) * per_lon, (lat0[k] - south) * per_lat
            if abs(fx1 - fx0) <= most_columns and abs(fy1 - fy0) <= most_rows:
                pairs = _course(
                    k, fx0, fy0, fx1, fy1, columns, grid_rows, tiles, words, pairs, pair_ping, pair_at, pair_column
                )  # fmt: skip
                continue
            lon0[k], lat0[k] = x[k], y[k]
            column = np.int32(min(max(0.0, fx1), columns - 1.0))
            row = np.int32(min(max(0.0, fy1), grid_rows - 1.0))
        for corner in range(4):
            c = min(column + np.int32(corner & 1), last_column)
            r = min(row + np.int32(corner >> 1), last_row)
            tile = np.uint32((r >> np.int32(5)) * across + (c >> np.int32(5)))
            word_at = np.uint32(tiles[tile] * np.int32(32) + (r & np.int32(31)))
            pair_ping[pairs], pair_at[pairs], pair_column[pairs] = k, word_at, c & np.int32(31)
            pairs += np.int64((words[word_at] >> np.uint32(c & np.int32(31))) & np.uint32(1))
    return pairs


@njit(**KERNEL)
def _entries_of(pairs, words, rank, directory, lists, rows, pairs_of):
    """Put the directory's entry beside each pair, one level of look-up after another; an entry twice in a row, once."""
    pair_ping, pair_at, pair_column, pair_entry = pairs_of
    for p in range(pairs):
        prefetch(rank, max(pair_at[p], 0))
    for p in range(pairs):
        if pair_at[p] != LONG:
            pair_entry[p] = cell_number(words, rank, np.uint64(pair_at[p]), pair_column[p])
            prefetch(directory, pair_entry[p])
    kept = np.uint64(0)
    last_ping, last_entry = np.uint32(0), np.int64(-(2**62))
    for p in range(pairs):
        ping = pair_ping[p]
        entry = np.int64(ENDLESS)
        if pair_at[p] != LONG:
            entry = np.int64(directory[np.uint64(pair_entry[p])])
            if entry >= 0:
                prefetch(rows, entry)
            else:
                prefetch(lists, ~entry)
        pair_ping[kept], pair_entry[kept] = ping, entry
        kept += np.uint64((ping != last_ping) | (entry != last_entry))
        last_ping, last_entry = ping, entry
    return np.int64(kept)


@njit(**KERNEL)
def _stations_met(
    kept, when, x, y, accuracy, known, pairs_of, lists, rows, whole, spans, longest_ms, speed, silent, slots, pool, met
):  # fmt: skip
    """List the stations that the paths meet, with the closest approach; `LONG` for those of an endless list."""
    _, slot_of, time0, lon0, lat0, accuracy0 = known
    pair_ping, _, _, pair_entry = pairs_of
    met_ping, met_station, met_square, met_ms = met
    count = np.int64(0)
    for p in range(kept):
        k, entry = np.uint64(pair_ping[p]), pair_entry[p]
        first, listed = np.int64(0), np.int64(1)
        if entry < 0:
            if entry != ENDLESS:
                first = ~entry + 1
                listed = np.int64(lists[np.uint64(first - 1)])
            if entry == ENDLESS or count + listed + kept - p > met_ping.size:
                met_ping[count], met_station[count] = k, LONG
                count += 1
                continue
        path = lon0[k] != x[k] or lat0[k] != y[k]
        for at in range(first, first + listed):
            station = entry if entry >= 0 else np.int64(lists[at])
            square, moment = approach(
                np.uint64(station), path, time0[k], lon0[k], lat0[k], accuracy0[k], when[k], x[k], y[k], accuracy[k],
                rows, longest_ms, speed, silent,
            )  # fmt: skip
            if square >= 0.0:
                met_ping[count], met_station[count] = k, station
                met_square[count], met_ms[count] = square, moment
                count += 1
                prefetch(spans, whole[np.uint64(station), 7] >> 20)
                head = slots[slot_of[k], HEAD]
                if head != NONE:
                    prefetch_to_write(pool, head)
    return count


@njit(**KERNEL)
def _name(
    count, first_row, mine, shards, when, x, y, accuracy, asked, known, met, cells, stations, rules, slots, pool,
    counts, out, reminded,
):  # fmt: skip
    """Remind, in the order of the pings, of the nearest station that each met and that may be named."""
    _, slot_of, time0, lon0, lat0, accuracy0 = known
    met_ping, met_station, met_square, met_ms = met
    west, south, per_lon, per_lat = cells.west, cells.south, cells.per_lon, cells.per_lat
    rows, whole, spans = stations.rows, stations.whole, stations.spans
    cool_ms, gap_ms, need_s = rules.cool_ms, rules.gap_ms, rules.need_s
    offered, quiet_ms = stations.offered, rules.quiet_ms
    p = np.int64(0)
    while p < count:
        k = np.uint64(met_ping[p])
        slot = np.int64(slot_of[k])
        late = too_late(when[k], slots[slot, STATE], slots[slot, NEWEST_MS], rules.longest_memory_ms)
        station, square, moment = np.int64(-1), math.inf, np.int64(0)
        i = first_row + np.int64(k) if shards == 1 else mine[k]
        services = asked[i] if asked.size else np.int64(0)
        while p < count and np.uint64(met_ping[p]) == k:
            other, other_square, other_ms = met_station[p], met_square[p], met_ms[p]
            p += 1
            if late:
                continue
            if other == LONG:
                fx1, fy1 = (x[k] - west) * per_lon, (y[k] - south) * per_lat
                fx0, fy0 = (lon0[k] - west) * per_lon, (lat0[k] - south) * per_lat
                path = lon0[k] != x[k] or lat0[k] != y[k]
                other, other_square, other_ms = _nearest(
                    slot, path, fx0, fy0, fx1, fy1, time0[k], lon0[k], lat0[k], accuracy0[k],
                    when[k], x[k], y[k], accuracy[k], services, cells.columns, cells.rows, cells.tiles, cells.words,
                    cells.rank, cells.directory, cells.lists, rows, whole, offered, spans, cool_ms, gap_ms, quiet_ms,
                    rules.longest_ms, rules.speed, rules.silent, need_s, slots, pool,
                )  # fmt: skip
                if other < 0:
                    continue
            if other_square > square:
                continue
            if other_square == square and (other == station or whole[other, 6] > whole[station, 6]):
                continue
            rule = int(rows[other, 5])
            if may_be_named(
                slot, other, other_ms, services, rule, whole, offered, spans, cool_ms, gap_ms, quiet_ms, need_s, slots,
                pool,
            ):  # fmt: skip
                station, square, moment = other, other_square, other_ms
        if station >= 0:
            remember_one(slot, slots, pool, counts, whole[station, 6], moment, rules.keep_ms)
            out.station[reminded], out.time_ms[reminded] = whole[station, 6], moment
            out.square_m[reminded], out.ping[reminded] = square, i
            reminded += 1
    return reminded


@njit(**KERNEL)
def feed_paths(
    vehicle, time_ms, lon, lat, accuracy_m, asked, start, latest_ms, shard, shards, cells, stations, rules, memory,
    scratch, out,
):  # fmt: skip
    """Judge the pings of a shard's vehicles from row `start` on.

    Returns how far it came and how many reminders `out` holds; short of the end when the memory must grow first.
    """
    tags, slots, reals, pool, counts = memory.tags, memory.slots, memory.reals, memory.pool, memory.counts
    of = scratch
    mine, hashes = of.mine, of.hashes
    block = np.int64(hashes.size)
    known = (of.alive, of.slot, of.time0, of.lon0, of.lat0, of.accuracy0)
    boxes = (of.column, of.row, of.columns_more, of.rows_more)
    pairs_of = (of.pair_ping, of.pair_at, of.pair_column, of.pair_entry)
    met = (of.met_ping, of.met_station, of.met_square, of.met_ms)
    across = np.int32(cells.columns >> 5)
    last_column, last_row = cells.columns - 1.0, cells.rows - 1.0
    count = np.int64(0)
    at = np.int64(start)
    while at < vehicle.size:
        if not has_room(counts, slots, pool, block):
            return at, count
        first_row = at
        if shards == 1:
            size = min(block, vehicle.size - at)
            who, when, accuracy = vehicle[at : at + size], time_ms[at : at + size], accuracy_m[at : at + size]
            x, y = lon[at : at + size], lat[at : at + size]
            _hash(who, hashes)
            at += size
        else:
            size, at = _take(
                vehicle, time_ms, lon, lat, accuracy_m, at, shard, shards,
                mine, hashes, of.mine_who, of.mine_when, of.mine_x, of.mine_y, of.mine_accuracy,
            )  # fmt: skip
            who, when, accuracy = of.mine_who[:size], of.mine_when[:size], of.mine_accuracy[:size]
            x, y = of.mine_x[:size], of.mine_y[:size]
        _ask_for_tags(size, hashes, tags)
        _evidence(when, x, y, accuracy, latest_ms, of.alive)
        _ask_for_slots(size, hashes, tags, slots, of.slot)
        _move(who, when, x, y, accuracy, rules.longest_path_ms, hashes, tags, slots, reals, counts, known)
        for column in (vehicle, time_ms):
            _read_ahead(column, at, block * shards)
        for column in (lon, lat, accuracy_m):
            _read_ahead(column, at, block * shards)
        _boxes(of.lon0, x, cells.west, cells.per_lon, last_column, of.column, of.columns_more)
        _boxes(of.lat0, y, cells.south, cells.per_lat, last_row, of.row, of.rows_more)
        found = _left_over(size, *boxes, of.alive, across, cells.tiles, cells.wide, of.words_at, of.hit)
        pairs = _cells_of(
            found, of.hit, of.words_at, x, y, of.lon0, of.lat0, *boxes, cells, rules.most_columns,
            rules.most_rows, pairs_of,
        )  # fmt: skip
        kept = _entries_of(pairs, cells.words, cells.rank, cells.directory, cells.lists, stations.rows, pairs_of)
        near = _stations_met(
            kept, when, x, y, accuracy, known, pairs_of, cells.lists, stations.rows, stations.whole, stations.spans,
            rules.longest_ms, rules.speed, rules.silent, slots, pool, met,
        )  # fmt: skip
        count = _name(
            near, first_row, mine, shards, when, x, y, accuracy, asked, known, met, cells, stations, rules, slots, pool,
            counts, out, count,
        )  # fmt: skip
    return at, count
