# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled rules: what is evidence, how near a path came to a station, whether the station may be named then.

The exact test uses only + - * / and square roots, in a fixed order and without fused operations, so that the
reference in the tests gets the same bits.

Numba's cache watches only the text of a compiled function's own file, not what that function calls: after a change
here, delete the cache (`__pycache__/*.nbi`).
"""

import math

from numba import njit

from yizhan.geo.passage._memory_kernels import HAS_REMINDER, HEAD, NEWEST_MS, STATE, allowed
from yizhan.geo.passage._processor import INLINE

EARTH_RADIUS_M = 6_371_008.8
RADIANS = math.pi / 180.0
TIME_LIMIT_MS = 2**52
DAY_MS = 86_400_000


@njit(**INLINE)
def is_evidence(time_ms, lon, lat, accuracy_m, latest_ms):
    """Whether a ping says anything: finite, on the globe, not null island, in time, its accuracy not negative.

    Without branches, so that many are judged at once.
    """
    return (
        (abs(lon) <= 180.0)
        & (abs(lat) <= 90.0)
        & ((lon != 0.0) | (lat != 0.0))
        & (not accuracy_m < 0.0)
        & (time_ms > -TIME_LIMIT_MS)
        & (time_ms < TIME_LIMIT_MS)
        & (time_ms <= latest_ms)
    )


@njit(**INLINE)
def too_late(time_ms, state, newest_ms, longest_memory_ms):
    """Whether a ping is older than the vehicle's newest reminder by the longest memory."""
    return (state & HAS_REMINDER) != 0 and time_ms <= newest_ms - longest_memory_ms


@njit(**INLINE)
def _plane(lon, lat, rows, station):
    """Position in metres east and north of a station; the scale of longitude is the cosine of the middle latitude."""
    north = (lat - rows[station, 1]) * RADIANS
    middle = north * 0.5
    cosine = rows[station, 2] - rows[station, 3] * middle - rows[station, 2] * middle * middle * 0.5
    east = (lon - rows[station, 0]) * RADIANS
    return east * cosine * EARTH_RADIUS_M, north * EARTH_RADIUS_M


@njit(**INLINE)
def square_from(station, lon, lat, rows):
    """Squared metres between a position and a station."""
    x, y = _plane(lon, lat, rows, station)
    return x * x + y * y


@njit(**INLINE)
def approach(
    station, path, time0, lon0, lat0, accuracy0, time1, lon1, lat1, accuracy1, rows, longest_ms, speed, silent
):
    """Closest approach to a station: squared metres and milliseconds; -1 where it is no evidence of a passage.

    `path` says whether there is an earlier ping (the one of index 0) that is joined to this one. The union's limits of
    time and speed, and the accuracy of the earlier ping, decide whether it is so for this station. A path that was
    driven faster than the union's reminders may interrupt counts as none.
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
                calm = silent[rule] * lasted / 1000.0
                if length > calm * calm:
                    return -1.0, time1
                share = -(x0 * dx + y0 * dy) / length
                if share < 1.0:
                    share = max(share, 0.0)
                    x, y = x0 + share * dx, y0 + share * dy
                    square = x * x + y * y
                    moment = time0 + math.floor(share * lasted + 0.5)
    if square <= radius * radius:
        return square, moment
    return -1.0, time1


@njit(**INLINE)
def stays_open(span, time_s, need_s, spans):
    """Whether a station is open, and for `need_s` seconds to come; `span` says where its intervals lie."""
    first = span >> 20
    low, high = first, first + (span & 0xFFFFF)
    while low < high:
        middle = (low + high) >> 1
        if spans[middle, 0] <= time_s:
            low = middle + 1
        else:
            high = middle
    return low > first and spans[low - 1, 1] - time_s >= need_s


@njit(**INLINE)
def is_quiet(moment, from_ms, until_ms):
    """Whether a moment lies in the union's quiet hours, which may go past midnight."""
    into = moment % DAY_MS
    if from_ms <= until_ms:
        return from_ms <= into < until_ms
    return into >= from_ms or into < until_ms


@njit(**INLINE)
def may_be_named(
    slot, station, moment, asked, rule, whole, offered, spans, cool_ms, gap_ms, quiet_ms, need_s, slots, pool
):
    """Whether the vehicle may be reminded of the station at that moment; `slot` is -1 where nothing is known of it."""
    if asked != 0 and asked & ~offered[station]:  # mostly nothing is asked, and the line is not read
        return False
    if is_quiet(moment, quiet_ms[rule, 0], quiet_ms[rule, 1]):
        return False
    if slot >= 0 and slots[slot, STATE] & HAS_REMINDER:
        if abs(moment - slots[slot, NEWEST_MS]) < gap_ms[rule]:
            return False
        if not allowed(slots[slot, HEAD], whole[station, 6], moment, cool_ms[rule], gap_ms[rule], pool):
            return False
    return stays_open(whole[station, 7], moment // 1000, need_s[rule], spans)
