"""Others' geometry on the same pings: which station is nearest to each ping within the radius.

Each peer is used as its documentation recommends, on one core, and answers with the station's row for each ping, -1 for
none, so that answers can be compared. What it keeps of the stations is built before the clock starts, and so are tables
of pings where it has them.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.report import per_second
from yizhan.geo.distance import EARTH_RADIUS_M, METRES_PER_DEGREE, haversine_m

Floats = NDArray[np.float64]
Answer = tuple[float, NDArray[np.int64]]
Peer = Callable[[Floats, Floats, float, Floats, Floats], Answer]

# A little more than the radius in degrees, for those that search in degrees first.
_WIDER = 1.001


def duckdb(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """DuckDB, a hash join on grid cells: stations stand in the 3 × 3 cells around them, a ping in its own."""
    try:
        import duckdb as package
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    with package.connect() as connection:
        connection.execute("SET threads = 1")
        step_lat = radius_m * _WIDER / METRES_PER_DEGREE
        step_lon = step_lat / np.cos(np.radians(np.abs(station_lat).max() + step_lat))
        stations = {"id": np.arange(len(station_lon)), "x": station_lon, "y": station_lat}  # noqa: F841 (SQL reads it)
        points = {"i": np.arange(len(lon)), "x": lon, "y": lat}  # noqa: F841 (SQL reads it)
        connection.execute(f"""
            CREATE TABLE station AS
            SELECT id, x, y, cos(radians(y)) AS scale,
                   (floor(x / {step_lon})::BIGINT + a.d) * 1000000 + floor(y / {step_lat})::BIGINT + b.d AS cell
            FROM stations, (VALUES (-1), (0), (1)) AS a(d), (VALUES (-1), (0), (1)) AS b(d)
        """)
        connection.execute(f"""
            CREATE TABLE ping AS
            SELECT i, x, y, floor(x / {step_lon})::BIGINT * 1000000 + floor(y / {step_lat})::BIGINT AS cell
            FROM points
        """)
        square = (radius_m / METRES_PER_DEGREE) ** 2
        sql = f"""
            SELECT i, arg_min(id, square) AS id FROM (
                SELECT ping.i, station.id,
                       ((ping.x - station.x) * station.scale) ** 2 + (ping.y - station.y) ** 2 AS square
                FROM ping JOIN station USING (cell)
            ) WHERE square <= {square} GROUP BY i
        """
        found: dict[str, Any] = {}

        def ask() -> None:
            found.update(connection.execute(sql).fetchnumpy())

        rate = peers.by_processor(ask, len(lon), repeats=3)
    return rate, _spread(len(lon), found["i"], found["id"])


def sedonadb(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """SedonaDB, a spatial join by ST_DWithin in degrees, narrowed to the radius."""
    try:
        import pyarrow as pa
        import sedonadb as package  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for PROJ and GDAL, which are not needed here
        context = package.connect()
    try:
        context.sql("SET datafusion.execution.target_partitions = 1").execute()
        points = pa.table({"i": np.arange(len(lon)), "x": lon, "y": lat})
        stations = pa.table({"id": np.arange(len(station_lon)), "x": station_lon, "y": station_lat})
        context.create_data_frame(points).to_view("ping", overwrite=True)
        context.create_data_frame(stations).to_view("station", overwrite=True)
        wide = radius_m * _WIDER / METRES_PER_DEGREE / np.cos(np.radians(np.abs(station_lat).max() + 0.01))
        sql = f"""
            SELECT ping.i, station.id FROM ping JOIN station
            ON ST_DWithin(ST_Point(ping.x, ping.y), ST_Point(station.x, station.y), {wide})
        """
        pairs: Any = None

        def ask() -> None:
            nonlocal pairs
            pairs = pa.table(context.sql(sql))

        rate = peers.by_processor(ask, len(lon), repeats=3)
    except Exception as error:  # noqa: BLE001 (a peer of version 0 that has changed is named, not fatal)
        raise peers.Missing(f"{type(error).__name__}: {error}".splitlines()[0]) from None
    ping, station = pairs.column("i").to_numpy(), pairs.column("id").to_numpy()
    return rate, _nearest_of(station_lon, station_lat, radius_m, lon, lat, ping, station)


def tree(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """scipy's cKDTree of unit vectors, asked for all pings in one call."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    kept = cKDTree(peers.on_sphere(station_lon, station_lat))
    chord = 2 * np.sin(radius_m / EARTH_RADIUS_M / 2)
    answer = np.empty(0, np.int64)

    def ask() -> None:
        nonlocal answer
        answer = kept.query(peers.on_sphere(lon, lat), 1, distance_upper_bound=chord)[1]

    rate = peers.by_processor(ask, len(lon), repeats=3)
    return rate, np.where(answer == len(station_lon), -1, answer)


def strtree(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """shapely's STRtree, a bulk query by dwithin in degrees, narrowed to the radius."""
    try:
        import shapely
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    kept = shapely.STRtree(np.asarray(shapely.points(station_lon, station_lat)))
    wide = radius_m * _WIDER / METRES_PER_DEGREE / np.cos(np.radians(np.abs(station_lat).max() + 0.01))
    answer = np.empty(0, np.int64)

    def ask() -> None:
        nonlocal answer
        ping, station = kept.query(shapely.points(lon, lat), predicate="dwithin", distance=wide)
        answer = _nearest_of(station_lon, station_lat, radius_m, lon, lat, ping, station)

    return peers.by_processor(ask, len(lon), repeats=1), answer


def h3(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """h3 cells of about 200 m as keys of a dict of stations, with those in the rings around."""
    try:
        import h3 as package
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    resolution, rings = 9, 2
    cells: dict[str, list[int]] = {}
    for row, (x, y) in enumerate(zip(station_lon.tolist(), station_lat.tolist(), strict=True)):
        for cell in package.grid_disk(package.latlng_to_cell(y, x, resolution), rings):
            cells.setdefault(cell, []).append(row)
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    answer = np.empty(0, np.int64)

    def ask() -> None:
        nonlocal answer
        found = [(i, row) for i, (x, y) in enumerate(points) for row in cells.get(package.latlng_to_cell(y, x, 9), ())]
        pairs = np.array(found, np.int64).reshape(-1, 2)
        answer = _nearest_of(station_lon, station_lat, radius_m, lon, lat, pairs[:, 0], pairs[:, 1])

    return peers.by_processor(ask, len(lon), repeats=1), answer


def redis(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """Redis GEOSEARCH for the nearest one, a thousand in a pipeline."""
    answer: list[int] = []
    with peers.redis() as (client, key):
        peers.fill_redis(client, key, station_lon, station_lat, np.arange(len(station_lon)))
        points = list(zip(lon.tolist(), lat.tolist(), strict=True))

        def ask() -> None:
            answer.clear()
            for start in range(0, len(points), 1_000):
                pipeline = client.pipeline(transaction=False)
                for point in points[start : start + 1_000]:
                    pipeline.execute_command(
                        "GEOSEARCH", key, "FROMLONLAT", *point, "BYRADIUS", radius_m, "m", "ASC", "COUNT", 1
                    )
                answer.extend(int(found[0]) if found else -1 for found in pipeline.execute())

        rate = per_second(ask, len(lon), repeats=1)
    return rate, np.array(answer, np.int64)


def postgis(station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats) -> Answer:
    """One join of a batch of pings, already in a table, with the nearest station by ST_DWithin on a GiST index."""
    sql = """
        SELECT ping.id, nearest.id FROM ping CROSS JOIN LATERAL (
            SELECT id FROM place WHERE ST_DWithin(place.position, ping.position, %s, false)
            ORDER BY place.position <-> ping.position LIMIT 1
        ) AS nearest
    """
    rows: list[tuple[int, int]] = []
    with peers.postgis() as connection:
        peers.fill_postgis(connection, station_lon, station_lat)
        peers.fill_postgis(connection, lon, lat, table="ping")

        def ask() -> None:
            rows[:] = connection.execute(sql, (radius_m,)).fetchall()

        rate = per_second(ask, len(lon), repeats=1)
    found = np.array(rows, np.int64).reshape(-1, 2)
    return rate, _spread(len(lon), found[:, 0], found[:, 1])


# Name, what asks it, and how many times the pings of the slowest it is given.
ALL: tuple[tuple[str, Peer, int], ...] = (
    ("DuckDB grid hash join", duckdb, 100),
    ("SedonaDB", sedonadb, 20),
    ("scipy cKDTree", tree, 20),
    ("shapely STRtree", strtree, 10),
    ("h3 + dict", h3, 10),
    ("Redis GEOSEARCH", redis, 2),
    ("PostGIS", postgis, 1),
)


def _spread(count: int, ping: NDArray[Any], station: NDArray[Any]) -> NDArray[np.int64]:
    answer = np.full(count, -1, np.int64)
    answer[np.asarray(ping, np.int64)] = np.asarray(station, np.int64)
    return answer


def _nearest_of(
    station_lon: Floats, station_lat: Floats, radius_m: float, lon: Floats, lat: Floats, ping: NDArray[Any],
    station: NDArray[Any],
) -> NDArray[np.int64]:  # fmt: skip
    """Of pairs of a ping and a station, the nearest station within the radius for each ping."""
    distance = haversine_m(lon[ping], lat[ping], station_lon[station], station_lat[station])
    order = np.argsort(-distance)
    order = order[distance[order] <= radius_m]
    return _spread(len(lon), ping[order], station[order])
