"""How many pings a second the passage kernel judges on one core, beside others' geometry alone.

All is simulated: stations lie evenly in square cities, so densely that about one ping in twenty falls within 250 m of
one; four in five are open. Vehicles drive straight at 10 m/s, turn a little at each ping and back at the city's edge,
and send a ping every 10 s. Our figure is the full rule: paths (or points, where the case says so), hours, cool-downs
and gaps. Peers only say which station is nearest to each ping within 250 m, on the same pings; the cases `geometry-…`
hold our geometry alone against them.

On one core we count the processor's time of the thread, which a busy machine disturbs less than the clock, and on two
the clock. All kernels of a size judge the same batches in turn. Peers inside this process are counted by the
processor's time of the whole process, servers by the clock.

The limit is the nearer of two that this machine sets: reading the columns of the pings once in sequence, and, where
each ping needs its vehicle's last position, one touch of 64 bytes at a random place a ping.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks import passage_peers, peers
from benchmarks.report import Row, figure, main
from yizhan.geo import OpenIntervals, PassageKernel, PassageParameters, Stations
from yizhan.geo.distance import METRES_PER_DEGREE

SEED = 20250103
RADIUS_M = 250.0
HIT_SHARE = 0.05
SPEED_MPS, EVERY_MS = 10.0, 10_000
START_MS = 1_750_000_000_000
BATCH = 1_000_000


@dataclass(frozen=True)
class Pings:
    """A batch of pings as columns."""

    vehicle: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    accuracy_m: NDArray[np.float64]

    @property
    def columns(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        return self.vehicle, self.time_ms, self.lon, self.lat, self.accuracy_m


class World:
    """So many stations and vehicles in so many square cities."""

    def __init__(self, stations: int, vehicles: int, cities: int, near: float = HIT_SHARE) -> None:
        self.random = np.random.default_rng(SEED)
        circles = -np.log(1.0 - near)  # how many of them lie over each other on average
        self.side = np.sqrt(stations / cities * np.pi * RADIUS_M**2 / circles) / METRES_PER_DEGREE
        self.west = self.random.uniform(100, 120, cities)
        self.south = self.random.uniform(23, 40, cities)
        self.stretch = 1.0 / np.cos(np.radians(self.south + self.side / 2))
        home = np.arange(stations) % cities
        self.station_lon = self.west[home] + self.random.random(stations) * self.side * self.stretch[home]
        self.station_lat = self.south[home] + self.random.random(stations) * self.side
        self.is_open = self.random.random(stations) < 0.8
        self.home = self.random.permutation(np.arange(vehicles) % cities)
        self.east_of, self.north_of = self.random.random((2, vehicles)) * self.side
        self.heading = self.random.uniform(0, 2 * np.pi, vehicles)
        self.order = self.random.permutation(vehicles)
        self.at, self.clock = 0, START_MS

    def stations(self, max_segment_gap_s: float) -> Stations:
        """The stations under the usual rules, or without paths."""
        day = [
            (START_MS // 1000 - 43_200, START_MS // 1000 - 21_600),
            (START_MS // 1000 - 3_600, START_MS // 1000 + 86_400),
        ]
        return Stations(
            ids=np.arange(len(self.station_lon), dtype=np.int64),
            lon=self.station_lon,
            lat=self.station_lat,
            radius_m=np.full(len(self.station_lon), RADIUS_M),
            hours=OpenIntervals.of(day if each else day[:1] for each in self.is_open),
            parameters=[PassageParameters(max_segment_gap_s=max_segment_gap_s)],
        )

    def pings(self, count: int) -> Pings:
        """The next pings: every vehicle drives on and sends one, in an order without pattern, and so on again."""
        parts = []
        while count:
            taken = self.order[self.at : self.at + count]
            step = SPEED_MPS * EVERY_MS / 1000 / METRES_PER_DEGREE
            self.heading[taken] += self.random.normal(0, 0.3, len(taken))
            for where, way in ((self.east_of, np.cos), (self.north_of, np.sin)):
                moved = where[taken] + step * way(self.heading[taken])
                out = (moved < 0) | (moved > self.side)
                self.heading[taken[out]] += np.pi
                where[taken] = np.clip(moved, 0, self.side)
            city = self.home[taken]
            lon = self.west[city] + self.east_of[taken] * self.stretch[city]
            parts.append((taken, np.full(len(taken), self.clock), lon, self.south[city] + self.north_of[taken]))
            count -= len(taken)
            self.at = (self.at + len(taken)) % len(self.order)
            if self.at == 0:
                self.clock += EVERY_MS
        vehicle, time_ms, lon, lat = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        spread = (vehicle.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)).view(np.int64)
        return Pings(spread, time_ms, lon, lat, np.full(len(lon), 10.0))


def measure(quick: bool) -> Iterator[Row]:
    """Judge simulated pings of a city's and of a country's vehicles, on one core and on two."""
    batches, asked = (3, 500) if quick else (7, 10_000)
    for name, stations, vehicles, cities, rounds in (
        ("city-5k-50k", 5_000, 50_000, 1, 2),
        ("country-200k-5M", 200_000, 5_000_000, 300, 1 if quick else 2),
    ):
        world = World(stations, vehicles, cities)
        runs = [_Run(world, name, 120.0, 1), _Run(world, f"point-{name}", 0.0, 1)]
        if not (quick and cities > 1):
            runs += [_Run(world, f"{name}-2-cores", 120.0, 2), _Run(world, f"point-{name}-2-cores", 0.0, 2)]
        pings = _drive(world, runs, rounds * vehicles, batches)
        limits = {"": _sequential(pings), "touch": _touches(vehicles, pings)}
        for run in runs:
            row = run.row(min(limits.values()) if run.gap_s else limits[""], limits)
            if run.threads == 1 and not run.gap_s:
                row, geometry = _beside_peers(row, name, world, pings, asked)
                yield geometry
            elif run.threads > 1:
                alone = next(other for other in runs if other.gap_s == run.gap_s and other.threads == 1)
                effort = run.threads * float(np.median(alone.effort)) / float(np.median(run.effort))
                note = (
                    f"{run.by_clock / alone.by_clock:.2f} times one core by the clock, with whatever else ran;"
                    f" {effort:.2f} times by the work that both did in all; {row.note}"
                )
                row = replace(row, note=note)
            yield row
    for share in (0.17, 0.43, 0.88):
        world = World(5_000, 50_000, 1, share)
        runs = [
            _Run(world, f"city-5k-50k-near-{share:.0%}", 120.0, 1),
            _Run(world, f"point-city-5k-50k-near-{share:.0%}", 0.0, 1),
        ]
        pings = _drive(world, runs, BATCH, 1 if quick else batches)
        for run in runs:
            limits = {"": _sequential(pings), "touch": _touches(50_000, pings)}
            yield run.row(min(limits.values()) if run.gap_s else limits[""], limits)
    yield _build(200_000, 300)


class _Run:
    """One kernel among those that judge the same pings, turn by turn."""

    def __init__(self, world: World, case: str, gap_s: float, threads: int) -> None:
        self.case, self.gap_s, self.threads = case, gap_s, threads
        self.kernel = PassageKernel(world.stations(gap_s))
        self.rates: list[float] = []
        self.clock: list[float] = []
        self.effort: list[float] = []
        self.reminders = 0

    def feed(self, pings: Pings) -> None:
        """Judge a batch and keep how long it took, by the clock and by what this thread used of the processor."""
        start, used, all_used = time.perf_counter(), time.thread_time(), time.process_time()
        reminded = self.kernel.feed(*pings.columns, threads=self.threads)
        used, took = time.thread_time() - used, time.perf_counter() - start
        self.effort.append(time.process_time() - all_used)
        self.clock.append(BATCH / took)
        self.rates.append(BATCH / (used if self.threads == 1 else took))
        self.reminders += len(reminded)

    @property
    def by_clock(self) -> float:
        """Median of pings a second by the clock."""
        return float(np.median(self.clock))

    def row(self, limit: float, limits: dict[str, float]) -> Row:
        """The row, with both limits of the machine in the note."""
        seen = max(self.kernel.vehicles, 1)
        note = (
            f"simulated, {len(self.rates)} batches of {BATCH:,};"
            f" {self.reminders / len(self.rates) / BATCH:.2%} of pings remind;"
            f" {self.kernel.memory_bytes / seen:.0f} bytes for each of {seen:,} vehicles remembered;"
            f" by the clock {figure(self.by_clock)}/s"
        )
        if limits:
            note += f"; limits: reading in sequence {figure(limits[''])}/s, a random touch {figure(limits['touch'])}/s"
        return Row(case=self.case, unit="pings/s", ours=float(np.median(self.rates)), limit=limit, note=note)


def _drive(world: World, runs: list[_Run], before: int, batches: int) -> Pings:
    """Let all judge the same pings, `before` the clock starts and after; returns the last batch."""
    for _ in range(0, before, BATCH):  # until every vehicle is known and cool-downs have set in
        pings = world.pings(BATCH)
        for run in runs:
            run.kernel.feed(*pings.columns, threads=run.threads)
    for _ in range(batches):
        pings = world.pings(BATCH)
        for run in runs:
            run.feed(pings)
    return pings


def _beside_peers(row: Row, name: str, world: World, pings: Pings, asked: int) -> tuple[Row, Row]:
    """The full rule and our geometry alone beside those that are here, those that are missing, and what differs."""
    figures, missing, differ = {}, {}, []
    lon, lat = pings.lon[: asked * 100], pings.lat[: asked * 100]
    ours_rate, ours = _nearest(world, lon, lat)
    for peer, ask, times in passage_peers.ALL:
        count = asked * times
        try:
            figures[peer], answer = ask(world.station_lon, world.station_lat, RADIUS_M, lon[:count], lat[:count])
        except peers.Missing as why:
            missing[peer] = str(why)
            continue
        differ.append(f"{peer} {np.count_nonzero(answer != ours[:count])} of {count:,}")
    note = (
        f"every ping of its own vehicle; {np.mean(ours >= 0):.2%} of pings near a station;"
        f" answers that differ from ours: {', '.join(differ)}"
    )
    geometry = Row(
        case=f"geometry-{name}",
        unit="pings/s",
        ours=ours_rate,
        peers=figures,
        limit=row.limit,
        missing=missing,
        note=note,
    )
    return replace(row, peers=figures, missing=missing), geometry


def _nearest(world: World, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[float, NDArray[np.int64]]:
    """The nearest station within the radius by our kernel without hours and cool-downs, every ping of its own vehicle.

    It keeps a memory of each vehicle near a station, which the peers need not; the rate has that in it.
    """
    rule = PassageParameters(cool_down_s=0, gap_s=0, max_segment_gap_s=0)
    stations = replace(world.stations(0.0), hours=OpenIntervals.always(len(world.station_lon)), parameters=[rule])
    vehicle, time_ms = np.arange(len(lon)), np.full(len(lon), START_MS)
    kernel = PassageKernel(stations)
    answer = np.full(len(lon), -1, np.int64)

    def ask() -> None:
        found = kernel.feed(vehicle, time_ms, lon, lat)
        answer[found.ping] = found.station

    return peers.by_processor(ask, len(lon), repeats=3), answer


def _build(stations: int, cities: int) -> Row:
    """How fast a new set of stations is made ready while the old one serves."""
    world = World(stations, stations, cities).stations(120.0)
    rate = peers.by_processor(lambda: PassageKernel(world), stations, repeats=3)
    return Row(case="index-200k", unit="stations/s", ours=rate, note=f"a rebuild takes {stations / rate:.2f} s")


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _read(vehicle, time_ms, lon, lat, accuracy_m):  # type: ignore[no-untyped-def]
    whole, real = 0, 0.0
    for i in range(vehicle.size):
        whole += vehicle[i] ^ time_ms[i]
    for i in range(vehicle.size):
        real = max(real, lon[i])
    for i in range(vehicle.size):
        real = max(real, lat[i])
    for i in range(vehicle.size):
        real = max(real, accuracy_m[i])
    return whole, real


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _touch(lines, where):  # type: ignore[no-untyped-def]
    total = 0
    for i in range(where.size):
        total += lines[where[i], 0]
    return total


def _sequential(pings: Pings) -> float:
    """Pings a second if each column is read once."""
    return peers.by_processor(lambda: _read(*pings.columns), len(pings.lon))


def _touches(vehicles: int, pings: Pings) -> float:
    """Pings a second if each reads one cache line of its own at random, of as many as there are vehicles."""
    lines = np.ones((1 << int(vehicles * 1.25 - 1).bit_length(), 8), np.int64)
    where = np.random.default_rng(SEED).integers(0, len(lines), len(pings.lon))
    return peers.by_processor(lambda: _touch(lines, where), len(where))


if __name__ == "__main__":
    main("passage", measure)
