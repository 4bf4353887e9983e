"""How fast the ten nearest open places are found among 200,000, beside PostGIS, Redis and a k-d tree.

Places are simulated: they lie in 300 cities of very different size, 60 % are open. Half of the queries come from near a
place, half from anywhere in the country's east. Each query is asked alone, as a rider's phone asks.
"""

import contextlib
import itertools
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import numpy as np

from benchmarks import peers, serving
from benchmarks.report import Row, main
from yizhan.geo import EARTH_RADIUS_M, NearestIndex

SEED = 20250102
PLACES = 200_000
OPEN_SHARE = 0.6
_AHEAD = 8

Query = tuple[float, float]
Answer = set[int]


def measure(quick: bool) -> Iterator[Row]:
    """Ask for the ten nearest open places of 200,000 simulated ones."""
    rng = np.random.default_rng(SEED)
    lon, lat = simulated_places(rng)
    is_open = rng.random(PLACES) < OPEN_SHARE
    count = 300 if quick else 3_000
    home = rng.integers(0, PLACES, count // 2)
    x = np.concatenate([lon[home] + rng.normal(0, 0.02, count // 2), rng.uniform(100, 122, count - count // 2)])
    y = np.concatenate([lat[home] + rng.normal(0, 0.02, count // 2), rng.uniform(23, 42, count - count // 2)])
    queries = list(zip(x.tolist(), y.tolist(), strict=True))

    index = NearestIndex(lon, lat)
    ours, answers, micros = _rate(lambda q: set(index.nearest(*q, allowed=is_open)[0].tolist()), queries)
    figures, missing, agreement = {}, {}, []
    for name, rate in (("scipy cKDTree", _tree), ("PostGIS KNN", _postgis), ("Redis GEOSEARCH", _redis)):
        try:
            figures[name], theirs = rate(lon, lat, is_open, queries)
        except peers.Missing as why:
            missing[name] = str(why)
            continue
        same = statistics.mean(len(a & b) / len(a) for a, b in zip(answers, theirs, strict=True))
        agreement.append(f"{name} {same:.2%}")
    yield Row(
        case="nearest-open-200k",
        unit="queries/s",
        ours=ours,
        peers=figures,
        missing=missing,
        note=f"places and queries are simulated; ours takes {micros}; of our ten, they name: {', '.join(agreement)}",
    )
    yield _http(queries, quick)
    yield from _rebuilds(quick)


def _rebuilds(quick: bool) -> Iterator[Row]:
    """The index with all that its answers are made of: made anew, and after one place changed its hours or came."""
    code = (
        "import resource, sys, time\n"
        "from dataclasses import replace\n"
        "from benchmarks.places_server import keeper\n"
        "from yizhan.places.index import PlaceIndex\n"
        "from yizhan.places.prepared import Prepared\n"
        "held = keeper.current\n"
        "memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == 'darwin' else 1024)\n"
        "def timed(snapshot, like):\n"
        "    start = time.perf_counter()\n"
        "    Prepared(PlaceIndex(snapshot, like=like.index if like else None), like=like)\n"
        "    return time.perf_counter() - start\n"
        "whole = min(timed(held.index.snapshot, None) for _ in range(int(sys.argv[1])))\n"
        "hours = replace(held.index.snapshot, hours=list(held.index.snapshot.hours))\n"
        "kept = min(timed(hours, held) for _ in range(int(sys.argv[1])))\n"
        "print(whole, kept, memory)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, "1" if quick else "3"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        whole, kept, memory = (float(part) for part in done.stdout.split()[-3:])
    except ValueError:
        yield Row(case="rebuild-200k", unit="rebuilds/s", ours=None, note=f"not measured: {done.stderr.strip()[-200:]}")
        return
    yield Row(
        case="rebuild-200k",
        unit="rebuilds/s",
        ours=1 / whole,
        note=f"{whole:.2f} s for all 200,000, without reading the database; the process takes {memory:.0f} MB at most",
    )
    yield Row(
        case="rebuild-one-change-200k",
        unit="rebuilds/s",
        ours=1 / kept,
        note=f"{kept * 1000:.0f} ms when one place changed its hours: what was made of the other columns is kept",
    )


def simulated_places(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of the simulated places, WGS-84 degrees."""
    centres = np.stack([rng.uniform(100, 122, 300), rng.uniform(23, 42, 300)], axis=1)
    size = rng.pareto(1.2, 300) + 0.1
    city = rng.choice(300, PLACES, p=size / size.sum())
    return centres[city, 0] + rng.normal(0, 0.15, PLACES), centres[city, 1] + rng.normal(0, 0.12, PLACES)


def _rate(ask: Callable[[Query], Answer], queries: list[Query]) -> tuple[float, list[Answer], str]:
    """Queries a second, the answers, and the median and 99th percentile in words."""
    for query in queries[:20]:
        ask(query)
    answers, seconds = [], []
    for query in queries:
        start = time.perf_counter()
        answers.append(ask(query))
        seconds.append(time.perf_counter() - start)
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e6
    return len(queries) / sum(seconds), answers, f"p50 {p50:.0f} µs, p99 {p99:.0f} µs"


def _tree(lon: np.ndarray, lat: np.ndarray, is_open: np.ndarray, queries: list[Query]) -> tuple[float, list[Answer]]:
    """A tree over all places, asked for more until ten open ones are among them: what is open changes all the time."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise peers.Missing(str(error)) from None
    tree = cKDTree(peers.on_sphere(lon, lat))

    def ask(query: Query) -> Answer:
        here = _vector(query)
        wanted = 32
        while True:
            found = tree.query(here, wanted)[1]
            chosen = found[is_open[found]][:10]
            if len(chosen) == 10 or wanted >= len(lon):
                return set(chosen.tolist())
            wanted *= 4

    rate, answers, _ = _rate(ask, queries)
    return rate, answers


def _vector(query: Query) -> np.ndarray:
    return peers.on_sphere(np.array([query[0]]), np.array([query[1]]))[0]


def _postgis(lon: np.ndarray, lat: np.ndarray, is_open: np.ndarray, queries: list[Query]) -> tuple[float, list[Answer]]:
    """`ORDER BY position <-> point LIMIT 10` on a GiST index, as a prepared statement."""
    sql = "SELECT id FROM place WHERE is_open = 1 ORDER BY position <-> ST_MakePoint(%s, %s)::geography LIMIT 10"
    with peers.postgis() as connection:
        peers.fill_postgis(connection, lon, lat, is_open=is_open.astype(float))
        cursor = connection.cursor()
        rate, answers, _ = _rate(lambda q: {row[0] for row in cursor.execute(sql, q, prepare=True).fetchall()}, queries)
    return rate, answers


def _redis(lon: np.ndarray, lat: np.ndarray, is_open: np.ndarray, queries: list[Query]) -> tuple[float, list[Answer]]:
    """GEOSEARCH over a set of the open places, with a radius that is doubled until ten are found."""
    chosen = np.flatnonzero(is_open)
    with peers.redis() as (client, key):
        peers.fill_redis(client, key, lon[chosen], lat[chosen], chosen)

        def ask(query: Query) -> Answer:
            radius_m = 2_000.0
            while True:
                found = client.execute_command(
                    "GEOSEARCH", key, "FROMLONLAT", *query, "BYRADIUS", radius_m, "m", "ASC", "COUNT", 10
                )
                if len(found) == 10 or radius_m > 2 * EARTH_RADIUS_M:
                    return {int(member) for member in found}
                radius_m *= 4

        rate, answers, _ = _rate(ask, queries)
    return rate, answers


def _http(queries: list[Query], quick: bool) -> Row:
    """Requests to `GET /api/places/nearest` over 16 kept connections, eight asked ahead on each.

    The server is started for the run (one Granian worker, the same 200,000 places), unless `BENCH_HOT_URL` names one.
    """
    case, unit = "http-nearest", "requests/s"
    url = os.environ.get("BENCH_HOT_URL", "")
    with contextlib.ExitStack() as stack:
        try:
            parts = urlsplit(url or stack.enter_context(_own_server()))
            address = (parts.hostname or "127.0.0.1", parts.port or 80)
            path = parts.path or "/api/places/nearest"
            requests = [
                f"GET {path}?lon={x:.6f}&lat={y:.6f}&datum=WGS-84 HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
                for x, y in queries
            ]
            connections = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(16)]
        except OSError as error:
            return Row(case=case, unit=unit, ours=None, note=f"not measured: {error}")
        turns = _turns(requests, len(connections) * _AHEAD)
        _ask(connections, next(turns))  # the first answers of a process are made while it warms up
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < (3 if quick else 10):
            status = _ask(connections, next(turns))
            if status != 200:
                return Row(case=case, unit=unit, ours=None, note=f"not measured: the server answered {status}")
            done += len(connections) * _AHEAD
        seconds = time.perf_counter() - start
    return Row(case=case, unit=unit, ours=done / seconds, note="one worker; the client is Python on the same cores")


@contextlib.contextmanager
def _own_server() -> Iterator[str]:
    """A server of the simulated places on a free port of this machine.

    Raises:
        OSError: it does not come up.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--port", str(port)]
    command += ["--log-level", "error", "benchmarks.places_server:application"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + serving.PATIENCE_S
        while time.monotonic() < until:
            if server.poll() is not None:
                raise OSError("the server ended before it answered")
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.settimeout(10)
                    connection.sendall(b"GET /api/places/nearest HTTP/1.1\r\nHost: x\r\n\r\n")
                    if connection.recv(1):
                        break
            except OSError:
                time.sleep(0.1)
        else:
            raise OSError(f"the server did not answer in {serving.PATIENCE_S} s")
        yield f"http://127.0.0.1:{port}/api/places/nearest"
    finally:
        serving.end(server)


def _turns(requests: list[bytes], size: int) -> Iterator[list[bytes]]:
    """The requests in groups of `size`, over and over."""
    endless = itertools.cycle(requests)
    while True:
        yield list(itertools.islice(endless, size))


def _ask(connections: list[socket.socket], requests: list[bytes]) -> int:
    """Send the requests, so many ahead on each connection, and read all answers; the worst status."""
    for number, connection in enumerate(connections):
        connection.sendall(b"".join(requests[number * _AHEAD : (number + 1) * _AHEAD]))
    return max(_read_answers(connection, _AHEAD) for connection in connections)


def _read_answers(connection: socket.socket, count: int) -> int:
    """Read answers that say their Content-Length; the worst status."""
    data, at, worst = b"", 0, 0
    for _answer in range(count):
        while (end := data.find(b"\r\n\r\n", at)) < 0:
            data = data[at:] + _received(connection)
            at = 0
        head = data[at:end].lower()
        worst = max(worst, int(head[9:12]))
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        at = end + 4 + length
        while len(data) < at:
            data += _received(connection)
    return worst


def _received(connection: socket.socket) -> bytes:
    received = connection.recv(262_144)
    if not received:
        raise ConnectionError("the server closed the connection")
    return received


if __name__ == "__main__":
    main("places", measure)
