"""The servers that we measure beside, each with a scratch space that is gone afterwards.

`BENCH_POSTGIS_URL` and `BENCH_REDIS_URL` say where they are.
"""

import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

POSTGIS_URL = os.environ.get("BENCH_POSTGIS_URL", "postgresql:///postgres")
REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379")


class Missing(Exception):
    """A peer that is not here; the text says why."""


def by_processor(work: Callable[[], Any], amount: int, *, repeats: int = 5) -> float:
    """Median rate of `work`, which handles `amount` things at a call, by the processor's time of this process."""
    work()
    rates = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        rates.append(amount / (time.process_time() - start))
    return statistics.median(rates)


@contextmanager
def postgis() -> Iterator[Any]:
    """A connection to PostgreSQL with PostGIS, in a schema of its own that is dropped at the end."""
    try:
        import psycopg
    except ImportError as error:
        raise Missing(str(error)) from None
    try:
        connection = psycopg.connect(POSTGIS_URL, connect_timeout=3, autocommit=True)
    except psycopg.Error:
        raise Missing("no PostgreSQL answers at BENCH_POSTGIS_URL") from None
    schema = f"bench_{uuid.uuid4().hex[:12]}"
    with connection:
        try:
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"SET search_path = {schema}, public")
            connection.execute("SET client_min_messages = warning")
            connection.execute("SET max_parallel_workers_per_gather = 0")
            there = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
            if there is None:
                connection.execute(f"CREATE EXTENSION postgis SCHEMA {schema}")
        except psycopg.Error as error:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            raise Missing(f"no PostGIS: {str(error).splitlines()[0]}") from None
        try:
            yield connection
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def redis() -> Iterator[tuple[Any, str]]:
    """A Redis client and a key of its own that is deleted at the end."""
    try:
        import redis as package
    except ImportError as error:
        raise Missing(str(error)) from None
    client = package.Redis.from_url(REDIS_URL, socket_connect_timeout=3)
    try:
        client.ping()
    except package.RedisError:
        raise Missing("no Redis answers at BENCH_REDIS_URL") from None
    key = f"bench:{uuid.uuid4().hex[:12]}"
    try:
        yield client, key
    finally:
        client.delete(key)
        client.close()


def fill_postgis(
    connection: Any, lon: NDArray[Any], lat: NDArray[Any], *, table: str = "place", **columns: NDArray[Any]
) -> None:
    """A table with `id`, `position` (geography, GiST) and more columns of numbers."""
    names = ", ".join(f"{name} double precision" for name in columns)
    connection.execute(
        f"CREATE UNLOGGED TABLE {table} (id int, position geography(Point, 4326){', ' + names if names else ''})"
    )
    connection.execute(
        f"CREATE TEMP TABLE raw_{table} (id int, x double precision, y double precision{', ' + names if names else ''})"
    )
    rows = zip(
        range(len(lon)), lon.tolist(), lat.tolist(), *(values.tolist() for values in columns.values()), strict=True
    )
    with connection.cursor().copy(f"COPY raw_{table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    more = "".join(f", {name}" for name in columns)
    connection.execute(f"INSERT INTO {table} SELECT id, ST_MakePoint(x, y)::geography{more} FROM raw_{table}")
    connection.execute(f"CREATE INDEX ON {table} USING gist (position)")
    connection.execute(f"ANALYZE {table}")


def fill_redis(client: Any, key: str, lon: NDArray[Any], lat: NDArray[Any], members: NDArray[np.int64]) -> None:
    """A geo set of the members."""
    for start in range(0, len(lon), 10_000):
        stop = start + 10_000
        values: list[Any] = []
        for x, y, member in zip(
            lon[start:stop].tolist(), lat[start:stop].tolist(), members[start:stop].tolist(), strict=True
        ):
            values += (x, y, member)
        client.execute_command("GEOADD", key, *values)


def on_sphere(lon: NDArray[Any], lat: NDArray[Any]) -> NDArray[np.float64]:
    """Unit vectors, for trees that measure straight lines; shape (n, 3)."""
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=1)
