"""The passage kernel: pings in, reminders out."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yizhan.geo._columns import column
from yizhan.geo.distance import METRES_PER_DEGREE
from yizhan.geo.passage import _memory_kernels as memory_kernels
from yizhan.geo.passage import _path_kernels as path_kernels
from yizhan.geo.passage import _point_kernels as point_kernels
from yizhan.geo.passage import cells as grid
from yizhan.geo.passage import memory as memories
from yizhan.geo.passage._path_scratch import scratch as room_for_a_block
from yizhan.geo.passage._rule_kernels import TIME_LIMIT_MS
from yizhan.geo.passage.memory import Memory, aligned_lines
from yizhan.geo.passage.reminders import Reminders, vehicle_column
from yizhan.geo.passage.stations import PassageParameters, Stations

_T = TypeVar("_T")

FOREVER_MS = TIME_LIMIT_MS
"""Times of pings lie within ± this many milliseconds of 1970; beyond is no evidence."""

KEPT_ROWS = 1 << 20
"""Room to work in is kept between batches of at most so many pings."""


class StationRows(NamedTuple):
    """Stations in the flat form that the kernels read.

    `rows` holds 64 bytes a station, one cache line: longitude, latitude, cosine and sine of the latitude, radius, row
    in the table of rules, and, as integers (`whole` is the same memory seen as int64), the id and where its open
    intervals lie in `spans` (first × 2²⁰ + how many).
    """

    rows: NDArray[np.float64]
    whole: NDArray[np.int64]
    offered: NDArray[np.int64]
    spans: NDArray[np.int64]


class Rules(NamedTuple):
    """The table of parameters, and what follows from all of it."""

    cool_ms: NDArray[np.int64]
    gap_ms: NDArray[np.int64]
    longest_ms: NDArray[np.int64]
    speed: NDArray[np.float64]
    silent: NDArray[np.float64]
    need_s: NDArray[np.int64]
    quiet_ms: NDArray[np.int64]
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


_Pings = tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]


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

    **A reminder.** At most one a ping: of the stations passed that are open at the moment of passage and for
    `still_open_s` more, offer all the services that the driver asked for, and were passed neither faster than
    `silent_above_mps` nor in quiet hours, the nearest for which the vehicle was not
    reminded of any station within `gap_s`, nor of this one within `cool_down_s`, before or after that moment; of two at
    the same distance, the lower id. Each station brings the rules of its own union. The speed is that of the path that
    led to the ping; a ping that counts alone has none. A driver who was silently too fast is reminded by the first
    slower path that still meets the circle.

    **Event time.** Only the times of the pings count, never the clock. A ping as old as the vehicle's last one is a
    repeat and is ignored; an older one is judged alone, in its own time, and leaves the vehicle where it is. A ping
    that is older than the vehicle's newest reminder by the longest cool-down is ignored. Where no union uses paths
    (`max_segment_gap_s` is 0 for all), every ping is judged alone, and a vehicle takes memory only once it is reminded.

    **No evidence** are, and are ignored: coordinates that are not finite or beyond 180 or 90 degrees, null island
    (0, 0), a negative accuracy, times beyond `FOREVER_MS` or later than `latest_ms`. An accuracy of NaN is one that was
    not stated, and is believed. Any int64 is a vehicle, 0 too. Positions outside China, or anywhere beyond the circles,
    are no error: they are evidence of being far from all stations, and a path from there or to there counts.

    Reminders are the same however the pings are cut into batches, and whatever the number of threads. One caller feeds
    at a time (a lock sees to it); stations may be replaced from another thread meanwhile.
    """

    def __init__(self, stations: Stations) -> None:
        self._world = _world(stations)
        self._memories: tuple[Memory, ...] = (memories.empty(),)
        self._pool: ThreadPoolExecutor | None = None
        self._kept: dict[tuple[str, int], NDArray[np.int64]] = {}
        self._lock = threading.Lock()

    @property
    def stations(self) -> Stations:
        """The stations that the next batch is judged by."""
        return self._world.stations

    @property
    def vehicles(self) -> int:
        """How many vehicles are remembered."""
        return sum(memory.vehicles for memory in self._memories)

    @property
    def memory_bytes(self) -> int:
        """Bytes that the memory of vehicles and reminders takes."""
        return sum(memory.nbytes for memory in self._memories)

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
        asked: ArrayLike | None = None,
        latest_ms: int = FOREVER_MS,
        threads: int = 1,
    ) -> Reminders:
        """Judge a batch of pings in the order given, and remember them.

        Args:
            vehicle: int64, or uint64 of which the bits are kept.
            time_ms: UTC epoch milliseconds, integers.
            lon, lat: WGS-84 degrees.
            accuracy_m: radius of uncertainty in metres; NaN or no column at all where it is not known.
            asked: services that the driver asked for, the bits of `Stations.offered`, int64; only stations that offer
                all of them count. 0, or no column at all, for any station.
            latest_ms: pings later than this are no evidence; give the present and some minutes where clocks run ahead.
            threads: how many threads share the work, by vehicle. It pays for batches of 100,000 and more. Each change
                of the number moves the memory of all vehicles once.

        Raises:
            TypeError: vehicles or times are no integers.
            ValueError: the columns differ in length, or there are no threads.
        """
        pings = _columns(vehicle, time_ms, lon, lat, accuracy_m, asked)
        if threads < 1:
            raise ValueError(f"threads is {threads}: must be at least 1")
        with self._lock:
            world = self._world
            self._memories = memories.sharded(self._memories, threads)
            judge = self._paths if world.rules.longest_path_ms > 0 else self._points
            parts = judge(world, pings, int(latest_ms))
        ping = np.concatenate([part.ping for part in parts])
        order = np.argsort(ping) if threads > 1 else slice(None)
        ping = ping[order]
        return Reminders(
            pings[0][ping],
            np.concatenate([part.station for part in parts])[order],
            np.concatenate([part.time_ms for part in parts])[order],
            np.sqrt(np.concatenate([part.square_m for part in parts])[order]),
            ping,
        )

    def remember(self, reminders: Reminders) -> None:
        """Take over reminders that went out before, from a log, so that none goes out twice. Repeats do no harm."""
        columns = (reminders.vehicle, reminders.station, reminders.time_ms)
        vehicle, station, time_ms = (column(values, np.int64) for values in columns)
        with self._lock:
            keep_ms = self._world.rules.keep_ms

            def take(memory: Memory, shard: int, start: int) -> tuple[int, _Out | None]:
                shards = len(self._memories)
                done = memory_kernels.remember(vehicle, station, time_ms, start, memory, shard, shards, keep_ms)
                return int(done), None

            self._memories = tuple(
                _through(take, memory, shard, len(vehicle))[0] for shard, memory in enumerate(self._memories)
            )

    def remembered(self) -> Reminders:
        """The reminders in memory, those that may still hold back others; in no particular order."""
        with self._lock:
            held = sum(memory.reminders for memory in self._memories)
            vehicle, station, time_ms = (np.empty(held, np.int64) for _ in range(3))
            done = 0
            for memory in self._memories:
                done = memory_kernels.export(memory, done, vehicle, station, time_ms)
        return Reminders.of(vehicle, station, time_ms)

    def forget_before(self, time_ms: int) -> None:
        """Forget vehicles of which no ping and no reminder is as late as `time_ms`. Call it now and then."""
        with self._lock:
            self._memories = tuple(memories.without_those_before(memory, time_ms) for memory in self._memories)

    def _paths(self, world: _World, pings: _Pings, latest_ms: int) -> list[_Out]:
        """Judge by the segment rule, each shard in a thread of its own."""

        def work(shard: int) -> tuple[Memory, list[_Out]]:
            out, scratch = self._out(shard, len(pings[0])), room_for_a_block()

            def judge(memory: Memory, shard: int, start: int) -> tuple[int, _Out]:
                nonlocal out
                done, count = path_kernels.feed_paths(
                    *pings, start, latest_ms, shard, len(self._memories), world.cells, world.rows, world.rules, memory,
                    scratch, out,
                )  # fmt: skip
                part, out = _cut(out, count)
                return int(done), part

            return _through(judge, self._memories[shard], shard, len(pings[0]))

        return self._shared_out(work)

    def _points(self, world: _World, pings: _Pings, latest_ms: int) -> list[_Out]:
        """Judge by the point rule: circles by rows, then memory by vehicle."""
        threads, rows = len(self._memories), len(pings[0])
        edges = [rows * k // threads for k in range(threads + 1)]
        near_ping, near_entry = self._room("ping", 0, rows + threads), self._room("entry", 0, rows + threads)

        def find(part: int) -> slice:
            own = slice(edges[part] + part, edges[part + 1] + part + 1)
            count = point_kernels.near_points(
                pings[2], pings[3], edges[part], edges[part + 1], world.cells, world.rows,
                point_kernels.scratch(), near_ping[own], near_entry[own],
            )  # fmt: skip
            return slice(own.start, own.start + int(count))

        found = self._in_threads(find)
        if threads > 1:
            near_ping = np.concatenate([near_ping[part] for part in found])
            near_entry = np.concatenate([near_entry[part] for part in found])
        else:
            near_ping, near_entry = near_ping[found[0]], near_entry[found[0]]

        def work(shard: int) -> tuple[Memory, list[_Out]]:
            out, scratch = self._out(shard, len(near_ping)), point_kernels.scratch()

            def judge(memory: Memory, shard: int, start: int) -> tuple[int, _Out]:
                nonlocal out
                done, count = point_kernels.judge_points(
                    *pings, near_ping, near_entry, start, latest_ms, shard, threads, world.cells, world.rows,
                    world.rules, memory, scratch, out,
                )  # fmt: skip
                part, out = _cut(out, count)
                return int(done), part

            return _through(judge, self._memories[shard], shard, len(near_ping))

        return self._shared_out(work)

    def _out(self, shard: int, rows: int) -> _Out:
        """Room for the reminders of a shard."""
        station, time_ms, square_m, ping = (
            self._room(name, shard, rows) for name in ("station", "time_ms", "square_m", "row")
        )
        return _Out(station, time_ms, square_m.view(np.float64), ping)

    def _room(self, name: str, shard: int, rows: int) -> NDArray[np.int64]:
        """Room for a column, kept from batch to batch: fresh memory costs more than what is written into it."""
        if rows > KEPT_ROWS:
            return np.empty(rows, np.int64)
        kept = self._kept.get((name, shard))
        if kept is None or len(kept) < rows:
            kept = self._kept[name, shard] = np.empty(rows, np.int64)
        return kept[:rows]

    def _shared_out(self, work: Callable[[int], tuple[Memory, list[_Out]]]) -> list[_Out]:
        """Let each shard do its work, and keep the memories that come of it."""
        done = self._in_threads(work)
        self._memories = tuple(memory for memory, _ in done)
        return [part for _, parts in done for part in parts]

    def _in_threads(self, work: Callable[[int], _T]) -> list[_T]:
        """What each shard's work returns; the first one is done by this thread itself."""
        shards = len(self._memories)
        if shards == 1:
            return [work(0)]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(thread_name_prefix="passage")
        others = [self._pool.submit(work, shard) for shard in range(1, shards)]
        return [work(0), *(other.result() for other in others)]


def _through(
    step: Callable[[Memory, int, int], tuple[int, _Out | None]], memory: Memory, shard: int, rows: int
) -> tuple[Memory, list[_Out]]:
    """Take steps until all rows are done, and let the memory grow between them."""
    parts: list[_Out] = []
    done = 0
    while True:
        before = done
        done, part = step(memory, shard, done)
        if part is not None:
            parts.append(part)
        if done == rows:
            return memory, parts
        larger = memories.grown(memory, memory_kernels.BLOCK)
        if larger is memory and done == before:
            raise RuntimeError("the compiled passage kernels are older than their sources: delete the caches of Numba")
        memory = larger


def _cut(out: _Out, count: int) -> tuple[_Out, _Out]:
    """The rows that are filled, and the rest."""
    filled, rest = slice(None, count), slice(count, None)
    done, left = (
        _Out(out.station[rows], out.time_ms[rows], out.square_m[rows], out.ping[rows]) for rows in (filled, rest)
    )
    return done, left


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
    assert stations.offered is not None  # noqa: S101 (Stations fills it in)
    return StationRows(
        rows, lines, stations.offered, np.stack([stations.hours.starts_s, stations.hours.ends_s], axis=1)
    )


def _rules(stations: Stations) -> tuple[Rules, float]:
    """The rules as arrays, and the longest path in metres that any of them believes."""

    def milliseconds(name: str) -> NDArray[np.int64]:
        return np.array([round(getattr(each, name) * 1000) for each in parameters], np.int64)

    parameters: Sequence[PassageParameters] = stations.parameters or (PassageParameters(),)
    cool_ms, gap_ms, longest_ms = (milliseconds(name) for name in ("cool_down_s", "gap_s", "max_segment_gap_s"))
    speed, silent = (
        np.array([getattr(each, name) for each in parameters], np.float64)
        for name in ("max_speed_mps", "silent_above_mps")
    )
    # An open station is open for a second at least: its hours are whole seconds.
    need_s = np.array([max(1, math.ceil(each.still_open_s)) for each in parameters], np.int64)
    quiet_ms = np.stack([milliseconds("quiet_from_s"), milliseconds("quiet_until_s")], axis=1)
    longest_path_ms = int(longest_ms.max())
    longest_memory_ms = int(max(cool_ms.max(), gap_ms.max()))
    # A ping that is judged is later than the newest reminder less the longest memory, and its passage at most one path
    # earlier: what is older than twice the memory and a path can hold nothing back.
    keep_ms = 2 * longest_memory_ms + longest_path_ms
    rules = Rules(
        cool_ms, gap_ms, longest_ms, speed, silent, need_s, quiet_ms, longest_path_ms, longest_memory_ms, keep_ms,
        most_columns=0.0, most_rows=0.0,
    )  # fmt: skip
    return rules, float((longest_ms / 1000.0 * speed).max())


def _columns(
    vehicle: ArrayLike,
    time_ms: ArrayLike,
    lon: ArrayLike,
    lat: ArrayLike,
    accuracy_m: ArrayLike | None,
    asked: ArrayLike | None,
) -> _Pings:
    who = vehicle_column(vehicle)
    times = np.asarray(time_ms)
    if times.size and times.dtype.kind not in "iu":
        raise TypeError(f"time_ms must be integer milliseconds, not {times.dtype}")
    accuracy = np.full(len(who), np.nan) if accuracy_m is None else column(accuracy_m, np.float64)
    services = np.empty(0, np.int64) if asked is None else column(asked, np.int64)
    pings = (who, column(times, np.int64), column(lon, np.float64), column(lat, np.float64), accuracy, services)
    for name, values in zip(("time_ms", "lon", "lat", "accuracy_m", "asked"), pings[1:], strict=True):
        if len(values) != len(who) and not (name == "asked" and asked is None):
            raise ValueError(f"{name} has {len(values)} rows for {len(who)} pings")
    return pings
