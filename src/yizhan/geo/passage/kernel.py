"""The passage kernel: pings in, reminders out."""

import math
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo._columns import column
from yizhan.geo.distance import METRES_PER_DEGREE
from yizhan.geo.passage import _kernels as kernels
from yizhan.geo.passage import _memory_kernels as memory_kernels
from yizhan.geo.passage import cells as grid
from yizhan.geo.passage import memory as memories
from yizhan.geo.passage.memory import aligned_lines
from yizhan.geo.passage.reminders import Reminders, vehicle_column
from yizhan.geo.passage.stations import PassageParameters, Stations

FOREVER_MS = 2**52
"""Times of pings lie within ± this many milliseconds of 1970; beyond is no evidence."""


class StationRows(NamedTuple):
    """Stations in the flat form that the kernels read.

    `rows` holds 64 bytes a station, one cache line: longitude, latitude, cosine and sine of the latitude, radius, row
    in the table of rules, and, as integers (`whole` is the same memory seen as int64), the id and where its open
    intervals lie in `spans` (first × 2²⁰ + how many).
    """

    rows: NDArray[np.float64]
    whole: NDArray[np.int64]
    spans: NDArray[np.int64]


class Rules(NamedTuple):
    """The table of parameters, and what follows from all of it."""

    cool_ms: NDArray[np.int64]
    gap_ms: NDArray[np.int64]
    longest_ms: NDArray[np.int64]
    speed: NDArray[np.float64]
    longest_path_ms: int
    longest_memory_ms: int
    keep_ms: int
    most_columns: float
    most_rows: float


class _Out(NamedTuple):
    station: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    square_m: NDArray[np.float64]
    ping: NDArray[np.int64]


class _World(NamedTuple):
    """All that `replace_stations` swaps at once."""

    stations: Stations
    cells: grid.Cells
    rows: StationRows
    rules: Rules


class PassageKernel:
    """Decides which vehicle is reminded of which station, from pings alone.

    **A passage.** Two consecutive pings of a vehicle that are at most `max_segment_gap_s` apart, at a speed of at most
    `max_speed_mps`, are joined by a path that is straight in longitude and latitude; otherwise the ping counts alone. A
    station is passed when the path comes within its radius, also when the vehicle was inside before. Its moment is that
    of the closest approach. A ping less accurate than a station's radius is no evidence for that station, nor is a path
    from such a ping (the later one then counts alone).

    **A reminder.** At most one a ping: of the stations passed that are open at the moment of passage, the nearest for
    which the vehicle was not reminded of any station within `gap_s`, nor of this one within `cool_down_s`, before or
    after that moment; of two at the same distance, the lower id. Each station brings the rules of its own union.

    **Event time.** Only the times of the pings count, never the clock. A ping as old as the vehicle's last one is a
    repeat and is ignored; an older one is judged alone, in its own time, and leaves the vehicle where it is. A ping
    that is older than the vehicle's newest reminder by the longest cool-down is ignored. Where no union uses paths
    (`max_segment_gap_s` is 0 for all), every ping is judged alone, and a vehicle takes memory only once it is reminded.

    **No evidence** are, and are ignored: coordinates that are not finite or beyond 180 or 90 degrees, null island
    (0, 0), a negative accuracy, times beyond `FOREVER_MS` or later than `latest_ms`. An accuracy of NaN is one that was
    not stated, and is believed. Any int64 is a vehicle, 0 too. Positions outside China are just far from stations.

    Reminders are the same however the pings are cut into batches. One thread feeds at a time (a lock sees to it);
    stations may be replaced from another meanwhile.
    """

    def __init__(self, stations: Stations) -> None:
        self._world = _world(stations)
        self._memory = memories.empty()
        self._lock = threading.Lock()

    @property
    def stations(self) -> Stations:
        """The stations that the next batch is judged by."""
        return self._world.stations

    @property
    def vehicles(self) -> int:
        """How many vehicles are remembered."""
        return self._memory.vehicles

    @property
    def memory_bytes(self) -> int:
        """Bytes that the memory of vehicles and reminders takes."""
        return self._memory.nbytes

    def replace_stations(self, stations: Stations) -> None:
        """Judge all later batches by these stations; what vehicles were reminded of is kept by station id."""
        self._world = _world(stations)

    def feed(
        self,
        vehicle: ArrayLike,
        time_ms: ArrayLike,
        lon: ArrayLike,
        lat: ArrayLike,
        accuracy_m: ArrayLike | None = None,
        *,
        latest_ms: int = FOREVER_MS,
    ) -> Reminders:
        """Judge a batch of pings in the order given, and remember them.

        Args:
            vehicle: int64, or uint64 of which the bits are kept.
            time_ms: UTC epoch milliseconds, integers.
            lon, lat: WGS-84 degrees.
            accuracy_m: radius of uncertainty in metres; NaN or no column at all where it is not known.
            latest_ms: pings later than this are no evidence; give the present and some minutes where clocks run ahead.

        Raises:
            TypeError: vehicles or times are no integers.
            ValueError: the columns differ in length.
        """
        pings = _columns(vehicle, time_ms, lon, lat, accuracy_m)
        with self._lock:
            world = self._world
            judge = kernels.feed_paths if world.rules.longest_path_ms > 0 else kernels.feed_points
            out = _empty_out(len(pings[0]))
            parts: list[_Out] = []
            done = 0
            while True:
                done, count = judge(
                    *pings, np.int64(done), np.int64(latest_ms), world.cells, world.rows, world.rules, self._memory, out
                )
                parts.append(_Out(out.station[:count], out.time_ms[:count], out.square_m[:count], out.ping[:count]))
                out = _Out(out.station[count:], out.time_ms[count:], out.square_m[count:], out.ping[count:])
                if done == len(pings[0]):
                    break
                self._memory = memories.grown(self._memory, kernels.BLOCK)
        ping = np.concatenate([part.ping for part in parts])
        return Reminders(
            pings[0][ping],
            np.concatenate([part.station for part in parts]),
            np.concatenate([part.time_ms for part in parts]),
            np.sqrt(np.concatenate([part.square_m for part in parts])),
            ping,
        )

    def remember(self, reminders: Reminders) -> None:
        """Take over reminders that went out before, from a log, so that none goes out twice. Repeats do no harm."""
        columns = (reminders.vehicle, reminders.station, reminders.time_ms)
        vehicle, station, time_ms = (column(values, np.int64) for values in columns)
        with self._lock:
            keep_ms = self._world.rules.keep_ms
            done = 0
            while True:
                done = memory_kernels.remember(
                    vehicle, station, time_ms, np.int64(done), self._memory, np.int64(keep_ms)
                )
                if done == len(vehicle):
                    break
                self._memory = memories.grown(self._memory, kernels.BLOCK)

    def remembered(self) -> Reminders:
        """The reminders in memory, those that may still hold back others; in no particular order."""
        with self._lock:
            vehicle, station, time_ms = (np.empty(self._memory.reminders, np.int64) for _ in range(3))
            memory_kernels.export(self._memory, vehicle, station, time_ms)
        return Reminders.of(vehicle, station, time_ms)

    def forget_before(self, time_ms: int) -> None:
        """Forget vehicles of which no ping and no reminder is as late as `time_ms`. Call it now and then."""
        with self._lock:
            self._memory = memories.without_those_before(self._memory, time_ms)


def _empty_out(rows: int) -> _Out:
    return _Out(np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows), np.empty(rows, np.int64))


def _world(stations: Stations) -> _World:
    rules, longest_path_m = _rules(stations)
    cells = grid.build(stations, longest_path_m)
    # A path that may be believed never spans more cells than this, wherever it lies.
    highest = float(np.abs(stations.lat).max(initial=0.0))
    beside_deg = (longest_path_m * 1.01 + 10_000.0) / METRES_PER_DEGREE
    across_m = METRES_PER_DEGREE * math.cos(math.radians(min(highest + beside_deg, 89.0)))
    rules = rules._replace(
        most_columns=2.0 + longest_path_m * 1.01 / across_m * cells.per_lon,
        most_rows=2.0 + longest_path_m * 1.01 / METRES_PER_DEGREE * cells.per_lat,
    )
    return _World(stations, cells, _station_rows(stations), rules)


def _station_rows(stations: Stations) -> StationRows:
    lines = aligned_lines(len(stations))
    rows = lines.view(np.float64)
    radians = np.radians(stations.lat)
    assert stations.parameters_of is not None  # noqa: S101 (Stations fills it in)
    columns = (stations.lon, stations.lat, np.cos(radians), np.sin(radians), stations.radius_m, stations.parameters_of)
    for k, values in enumerate(columns):
        rows[:, k] = values
    offsets = stations.hours.offsets
    lines[:, 6] = stations.ids
    lines[:, 7] = offsets[:-1] << 20 | np.diff(offsets)
    return StationRows(rows, lines, np.stack([stations.hours.starts_s, stations.hours.ends_s], axis=1))


def _rules(stations: Stations) -> tuple[Rules, float]:
    """The rules as arrays, and the longest path in metres that any of them believes."""

    def milliseconds(name: str) -> NDArray[np.int64]:
        return np.array([round(getattr(each, name) * 1000) for each in parameters], np.int64)

    parameters: Sequence[PassageParameters] = stations.parameters or (PassageParameters(),)
    cool_ms, gap_ms, longest_ms = (milliseconds(name) for name in ("cool_down_s", "gap_s", "max_segment_gap_s"))
    speed = np.array([each.max_speed_mps for each in parameters], np.float64)
    longest_path_ms = int(longest_ms.max())
    longest_memory_ms = int(max(cool_ms.max(), gap_ms.max()))
    # A ping that is judged is later than the newest reminder less the longest memory, and its passage at most one path
    # earlier: what is older than twice the memory and a path can hold nothing back.
    keep_ms = 2 * longest_memory_ms + longest_path_ms
    rules = Rules(
        cool_ms, gap_ms, longest_ms, speed, longest_path_ms, longest_memory_ms, keep_ms, most_columns=0.0, most_rows=0.0
    )
    return rules, float((longest_ms / 1000.0 * speed).max())


def _columns(
    vehicle: ArrayLike, time_ms: ArrayLike, lon: ArrayLike, lat: ArrayLike, accuracy_m: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    who = vehicle_column(vehicle)
    times = np.asarray(time_ms)
    if times.size and times.dtype.kind not in "iu":
        raise TypeError(f"time_ms must be integer milliseconds, not {times.dtype}")
    accuracy = np.full(len(who), np.nan) if accuracy_m is None else column(accuracy_m, np.float64)
    pings = (who, column(times, np.int64), column(lon, np.float64), column(lat, np.float64), accuracy)
    for name, values in zip(("time_ms", "lon", "lat", "accuracy_m"), pings[1:], strict=True):
        if len(values) != len(who):
            raise ValueError(f"{name} has {len(values)} rows for {len(who)} pings")
    return pings
