"""Why no reminder? The question that every operator asks, answered for one vehicle's pings."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo._columns import column
from yizhan.geo.distance import METRES_PER_DEGREE
from yizhan.geo.passage._rule_kernels import approach, is_evidence, is_quiet
from yizhan.geo.passage.kernel import FOREVER_MS, PassageKernel
from yizhan.geo.passage.reminders import Reminders
from yizhan.geo.passage.stations import PassageParameters, Stations

_VEHICLE = 1


class Reason(StrEnum):
    """What became of a station when a vehicle came near it."""

    REMINDED = "reminded"
    NEARER = "another was nearer"
    OUTSIDE = "the path stayed outside the circle"
    INACCURATE = "the position was less accurate than the radius"
    CLOSED = "closed at that moment"
    CLOSING_SOON = "open at that moment, but not for as long as the union asks"
    TOO_FAST = "the vehicle was faster than the union's reminders may interrupt"
    NOT_OFFERED = "the station does not offer all that the driver asked for"
    QUIET = "the union's reminders are silent at that time of day"
    COOL_DOWN = "the vehicle was reminded of this station within the cool-down"
    GAP = "the vehicle was reminded of a station within the gap"
    REPEATED = "the ping has the time of the one before"
    LATE = "the ping is older than the newest reminder by the longest cool-down"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one station at one ping.

    Attributes:
        ping: row of the ping.
        station: station id.
        time_ms, distance_m: closest approach by that ping, UTC epoch milliseconds and metres.
        reason: what decided.
    """

    ping: int
    station: int
    time_ms: int
    distance_m: float
    reason: Reason


def explain(
    stations: Stations,
    time_ms: ArrayLike,
    lon: ArrayLike,
    lat: ArrayLike,
    accuracy_m: ArrayLike | None = None,
    *,
    asked: int = 0,
    remembered: Reminders | None = None,
    near_m: float = 200.0,
) -> list[Verdict]:
    """Each station that one vehicle's pings passed, or missed by at most `near_m` metres, and what decided about it.

    The kernel itself judges the pings, one after another, so what is said here is what happened. Pings that are no
    evidence (not finite, null island, …) are passed over. `remembered` are the reminders that the vehicle had before.

    Args:
        stations: as the kernel had them.
        time_ms, lon, lat, accuracy_m: as `PassageKernel.feed`, of one vehicle.
        asked: the services that its driver asked for, the bits of `Stations.offered`.
    """
    times = column(time_ms, np.int64)
    x, y = column(lon, np.float64), column(lat, np.float64)
    accuracy = np.full(len(times), np.nan) if accuracy_m is None else column(accuracy_m, np.float64)
    kernel = PassageKernel(stations)
    past: list[tuple[int, int]] = []
    if remembered is not None:
        past = list(zip(remembered.station.tolist(), remembered.time_ms.tolist(), strict=True))
        kernel.remember(Reminders.of(np.full(len(remembered), _VEHICLE), remembered.station, remembered.time_ms))
    paths = any(each.max_segment_gap_s > 0 for each in stations.parameters)
    verdicts, last = [], -1
    for k in range(len(times)):
        if not is_evidence(times[k], x[k], y[k], accuracy[k], FOREVER_MS):
            continue
        ping = (times[k : k + 1], x[k : k + 1], y[k : k + 1], accuracy[k : k + 1])
        reminded = kernel.feed([_VEHICLE], *ping, asked=[asked])
        earlier = last if paths and last >= 0 and times[k] > times[last] else k
        for station, moment, distance, fast in _approaches(stations, times, x, y, accuracy, earlier, k, near_m):
            reason = _reason(stations, station, moment, distance, accuracy[k], fast, asked, past)
            if paths and last >= 0 and times[k] == times[last]:
                reason = Reason.REPEATED
            elif _too_late(stations, int(times[k]), past):
                reason = Reason.LATE
            elif len(reminded) and reminded.station[0] == stations.ids[station]:
                reason = Reason.REMINDED
            verdicts.append(Verdict(k, int(stations.ids[station]), moment, distance, reason))
        past += zip(reminded.station.tolist(), reminded.time_ms.tolist(), strict=True)
        if last < 0 or times[k] > times[last]:
            last = k
    return verdicts


def _approaches(
    stations: Stations,
    times: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    earlier: int,
    k: int,
    near_m: float,
) -> list[tuple[int, int, float, bool]]:
    """Stations whose circle the ping's path meets or misses by `near_m`, nearest first.

    For each its index, the moment, metres, and whether the union wants silence at that speed.
    """
    reach = (stations.radius_m + near_m) / METRES_PER_DEGREE * 1.1
    beside = reach / np.cos(np.radians(stations.lat))
    near = (
        (stations.lon >= min(x[earlier], x[k]) - beside)
        & (stations.lon <= max(x[earlier], x[k]) + beside)
        & (stations.lat >= min(y[earlier], y[k]) - reach)
        & (stations.lat <= max(y[earlier], y[k]) + reach)
    )
    found = []
    for station in np.flatnonzero(near):
        row = np.zeros((1, 8))
        angle = np.radians(stations.lat[station])
        # A circle wider by `near_m`, and accuracies that it believes: the kernel's own measure of the path.
        radius = stations.radius_m[station]
        row[0, :5] = stations.lon[station], stations.lat[station], np.cos(angle), np.sin(angle), radius + near_m
        rule = _rule(stations, int(station))
        before = 0.0 if not accuracy[earlier] > radius else np.inf
        path = (0, earlier != k, times[earlier], x[earlier], y[earlier], before, times[k], x[k], y[k], 0.0, row)
        limits = (np.array([round(rule.max_segment_gap_s * 1000)]), np.array([float(rule.max_speed_mps)]))
        square, moment = approach(*path, *limits, np.array([np.inf]))
        if square >= 0.0:
            heard, _ = approach(*path, *limits, np.array([float(rule.silent_above_mps)]))
            found.append((int(station), int(moment), float(np.sqrt(square)), bool(heard < 0.0)))
    return sorted(found, key=lambda each: (each[2], stations.ids[each[0]]))


def _reason(
    stations: Stations, station: int, moment: int, distance: float, accuracy: float, fast: bool, asked: int,
    past: list[tuple[int, int]],
) -> Reason:  # fmt: skip
    rule = _rule(stations, station)
    if distance > stations.radius_m[station]:
        return Reason.OUTSIDE
    if accuracy > stations.radius_m[station]:
        return Reason.INACCURATE
    if fast:
        return Reason.TOO_FAST
    assert stations.offered is not None  # noqa: S101 (Stations fills it in)
    if asked & ~int(stations.offered[station]):
        return Reason.NOT_OFFERED
    if is_quiet(moment, round(rule.quiet_from_s * 1000), round(rule.quiet_until_s * 1000)):
        return Reason.QUIET
    left_s = int(stations.hours.take([station]).open_until(moment // 1000)[0]) - moment // 1000
    if left_s <= 0:
        return Reason.CLOSED
    if left_s < rule.still_open_s:
        return Reason.CLOSING_SOON
    number = int(stations.ids[station])
    if any(of == number and abs(moment - at) < rule.cool_down_s * 1000 for of, at in past):
        return Reason.COOL_DOWN
    if any(abs(moment - at) < rule.gap_s * 1000 for _, at in past):
        return Reason.GAP
    return Reason.NEARER


def _too_late(stations: Stations, time_ms: int, past: list[tuple[int, int]]) -> bool:
    longest_s = max(max(each.cool_down_s, each.gap_s) for each in stations.parameters)
    return bool(past) and time_ms <= max(at for _, at in past) - longest_s * 1000


def _rule(stations: Stations, station: int) -> PassageParameters:
    assert stations.parameters_of is not None  # noqa: S101 (Stations fills it in)
    return stations.parameters[int(stations.parameters_of[station])]
