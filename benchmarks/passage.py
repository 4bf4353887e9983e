"""How many pings a second the passage kernel judges on one core, beside others' geometry alone.

All is simulated: stations lie evenly in square cities, so densely that about one ping in twenty falls within 250 m of
one; four in five are open. Vehicles drive straight at 10 m/s, turn a little at each ping and back at the city's edge,
and send a ping every 10 s. Our figure is the full rule: paths (or points, where the case says so), hours, cool-downs
and gaps. Peers only say which station is nearest to each ping within 250 m, on the same pings.

The limit is the nearer of two that this machine sets: reading the columns of the pings once in sequence, and, where
each ping needs its vehicle's last position, one touch of 64 bytes at a random place a ping.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.report import Row, main, per_second
from yizhan.geo import OpenIntervals, PassageKernel, PassageParameters, Stations
from yizhan.geo.distance import EARTH_RADIUS_M, METRES_PER_DEGREE

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

    def __init__(self, stations: int, vehicles: int, cities: int) -> None:
        self.random = np.random.default_rng(SEED)
        self.side = np.sqrt(stations / cities * np.pi * RADIUS_M**2 / HIT_SHARE) / METRES_PER_DEGREE
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
    """Judge simulated pings of a city's and of a country's vehicles, on one core."""
    asked = 5_000 if quick else 50_000
    batches = 3 if quick else 7
    for name, stations, vehicles, cities in (
        ("city-5k-50k", 5_000, 50_000, 1),
        ("country-200k-5M", 200_000, 5_000_000, 300),
    ):
        for case, gap_s in ((name, 120.0), (f"point-{name}", 0.0)):
            world = World(stations, vehicles, cities)
            kernel = PassageKernel(world.stations(gap_s))
            for _ in range(0, 2 * vehicles, BATCH):  # until every vehicle is known and cool-downs have set in
                kernel.feed(*world.pings(BATCH).columns)
            rates, reminders = [], 0
            for _ in range(batches):
                pings = world.pings(BATCH)
                start = time.perf_counter()
                reminded = kernel.feed(*pings.columns)
                rates.append(BATCH / (time.perf_counter() - start))
                reminders += len(reminded)
            limit = _sequential(pings)
            if gap_s:
                limit = min(limit, _touches(vehicles, pings))
            figures, missing, note = {}, {}, ""
            if not gap_s:
                figures, missing, note = _peers(world, pings, asked)
            yield Row(
                case=case,
                unit="pings/s",
                ours=float(np.median(rates)),
                peers=figures,
                limit=limit,
                missing=missing,
                note=f"simulated; {reminders / batches / BATCH:.2%} of pings remind; {kernel.memory_bytes / 1e6:.0f} MB"
                f" for {kernel.vehicles:,} vehicles remembered{note}",
            )


def _peers(world: World, pings: Pings, asked: int) -> tuple[dict[str, float], dict[str, str], str]:
    """Figures of those that are here, those that are missing, and how many pings each found near a station."""
    figures, missing, found = {}, {}, []
    for name, judge, count in (
        ("scipy cKDTree", _tree, asked * 10),
        ("Redis GEOSEARCH", _redis, asked),
        ("PostGIS", _postgis, asked),
    ):
        try:
            figures[name], hits = judge(world, pings.lon[:count], pings.lat[:count])
        except peers.Missing as why:
            missing[name] = str(why)
            continue
        found.append(f"{name} {hits / count:.2%}")
    for name, module in (("DuckDB", "duckdb"), ("SedonaDB", "sedonadb")):
        missing[name] = "not wired up yet" if find_spec(module) else "not installed"
    return figures, missing, f"; pings near a station: {', '.join(found)}"


def _tree(world: World, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[float, int]:
    """A tree of unit vectors, asked for all pings in one call."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    tree = cKDTree(peers.on_sphere(world.station_lon, world.station_lat))
    chord = 2 * np.sin(RADIUS_M / EARTH_RADIUS_M / 2)
    distances = np.empty(0)

    def ask() -> None:
        nonlocal distances
        distances = tree.query(peers.on_sphere(lon, lat), 1, distance_upper_bound=chord)[0]

    return per_second(ask, len(lon), repeats=3), int(np.isfinite(distances).sum())


def _redis(world: World, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[float, int]:
    """GEOSEARCH for the nearest one, a thousand in a pipeline."""
    hits = 0
    with peers.redis() as (client, key):
        peers.fill_redis(client, key, world.station_lon, world.station_lat, np.arange(len(world.station_lon)))
        points = list(zip(lon.tolist(), lat.tolist(), strict=True))

        def ask() -> None:
            nonlocal hits
            hits = 0
            for start in range(0, len(points), 1_000):
                pipeline = client.pipeline(transaction=False)
                for point in points[start : start + 1_000]:
                    pipeline.execute_command(
                        "GEOSEARCH", key, "FROMLONLAT", *point, "BYRADIUS", RADIUS_M, "m", "ASC", "COUNT", 1
                    )
                hits += sum(1 for found in pipeline.execute() if found)

        return per_second(ask, len(lon), repeats=1), hits


def _postgis(world: World, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[float, int]:
    """One join of a batch of pings, already in a table, with the nearest station by ST_DWithin on a GiST index."""
    sql = """
        SELECT count(*) FROM ping CROSS JOIN LATERAL (
            SELECT id FROM place WHERE ST_DWithin(place.position, ping.position, %s, false)
            ORDER BY place.position <-> ping.position LIMIT 1
        ) AS nearest
    """
    hits = 0
    with peers.postgis() as connection:
        peers.fill_postgis(connection, world.station_lon, world.station_lat)
        peers.fill_postgis(connection, lon, lat, table="ping")

        def ask() -> None:
            nonlocal hits
            hits = connection.execute(sql, (RADIUS_M,)).fetchone()[0]

        return per_second(ask, len(lon), repeats=1), hits


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
    return per_second(lambda: _read(*pings.columns), len(pings.lon))


def _touches(vehicles: int, pings: Pings) -> float:
    """Pings a second if each reads one cache line of its own at random, of as many as there are vehicles."""
    lines = np.ones((1 << int(vehicles * 1.25 - 1).bit_length(), 8), np.int64)
    where = np.random.default_rng(SEED).integers(0, len(lines), len(pings.lon))
    return per_second(lambda: _touch(lines, where), len(where))


if __name__ == "__main__":
    main("passage", measure)
