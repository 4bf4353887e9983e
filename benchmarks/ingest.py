"""How many pings a second one process takes over HTTP, end to end: socket, decoding, rule, commit, answer.

The hot application is served by Granian, one worker, as in an installation, on a fresh database (`DATABASE_URL`, else
the embedded one; it is created and dropped). All is simulated: 2,000 stations, open around the clock, 5 % of the area
within their radius; riders drive straight at 10 m/s, turn back at the city's edge and send a ping each second. The
sender keeps two requests under way, from this machine, too. Bodies are built before the clock runs, and one round of
all riders goes ahead of it, so that names and first reminders are known.

The delay is that from the first byte of a request to the last one of an answer that holds a reminder, at full load:
with two requests under way, about twice the time that one takes.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import ingest_nats
from benchmarks.report import Row, main
from benchmarks.serving import wait_until_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
SEED = 20261124
STATIONS, RADIUS_M, NEAR = 2_000, 300.0, 0.05
WEST, SOUTH, METRES = 113.4, 34.6, 111_195.0
SIDE = float(np.sqrt(STATIONS * np.pi * RADIUS_M**2 / NEAR)) / METRES  # degrees
SPEED = 10.0 / METRES  # degrees a second
UNDER_WAY = 2


@dataclass(frozen=True)
class Form:
    """How pings are sent: media type, rows a request, and who builds a body from names, time, longitude, latitude."""

    case: str
    media_type: str
    riders: int
    rows: int
    rounds: int
    build: Callable[[NDArray[np.str_], int, NDArray[np.float64], NDArray[np.float64]], bytes]


@dataclass
class Tally:
    """What came back."""

    pings: int = 0
    reminders: int = 0
    delays_s: list[float] = field(default_factory=list)


def arrow_body(names: NDArray[np.str_], time_ms: int, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bytes:
    """A body as an Arrow IPC stream."""
    columns = {"vehicle": pa.array(names), "time": np.full(len(lon), time_ms), "lon": lon, "lat": lat}
    table = pa.table(columns).replace_schema_metadata({"datum": "WGS-84"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def json_body(names: NDArray[np.str_], time_ms: int, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bytes:
    """A body as JSON."""
    places = zip(names.tolist(), lon.round(6).tolist(), lat.round(6).tolist(), strict=True)
    rows = [[name, time_ms, x, y, 8] for name, x, y in places]
    return json.dumps({"datum": "WGS-84", "pings": rows}, separators=(",", ":")).encode()


def measure(quick: bool) -> Iterator[Row]:
    """Pings over HTTP into one process, reminders back."""
    forms = [
        Form("ingest-arrow", "application/vnd.apache.arrow.stream", 200_000, 50_000, 8 if quick else 40, arrow_body),
        Form("ingest-json", "application/json", 50_000, 5_000, 6 if quick else 20, json_body),
    ]
    with database() as made:
        with server() as port:
            for form in forms:
                yield row_of(form, port, made.key)
        by_nats = Form("ingest-nats", "", 200_000, 4_000, 4 if quick else 20, arrow_body)
        bodies = list(bodies_of(by_nats))
        lanes = by_nats.riders // by_nats.rows
        yield ingest_nats.row_of(bodies, by_nats.rows, lanes, made.source.public_id, address())


def row_of(form: Form, port: int, key: str) -> Row:
    """Warm up, send all rounds, count."""
    bodies = list(bodies_of(form))
    ahead = form.riders // form.rows
    send(form, port, key, bodies[:ahead])
    began = time.perf_counter()
    tally = send(form, port, key, bodies[ahead:])
    took = time.perf_counter() - began
    delays = np.sort(tally.delays_s)
    p50_ms, p99_ms = (np.quantile(delays, share) * 1000 if len(delays) else np.nan for share in (0.5, 0.99))
    note = (
        f"{tally.pings:,} pings of {form.riders:,} riders in {took:.1f} s, {form.rows:,} a request, {UNDER_WAY} "
        f"requests under way; {tally.reminders:,} reminders ({tally.reminders / took:,.0f}/s) in {len(delays)} "
        f"answers, request to reminder p50 {p50_ms:.0f} ms, p99 {p99_ms:.0f} ms"
        if len(delays)
        else "no reminder came back: the figure does not hold the log"
    )
    return Row(case=form.case, unit="pings/s", ours=tally.pings / took, note=note)


def bodies_of(form: Form) -> Iterator[bytes]:
    """All requests, round by round."""
    random = np.random.default_rng(SEED)
    names = np.char.add(f"{form.case}-", np.arange(form.riders).astype(np.str_))
    x, y = random.uniform(0, SIDE, (2, form.riders))
    heading = random.uniform(0, 2 * np.pi, form.riders)
    began_ms = round(time.time() * 1000) - 3_600_000
    for second in range(form.rounds + 1):
        # A path that is folded at the edges of the city.
        lon = WEST + SIDE - np.abs((x + np.cos(heading) * SPEED * second) % (2 * SIDE) - SIDE)
        lat = SOUTH + SIDE - np.abs((y + np.sin(heading) * SPEED * second) % (2 * SIDE) - SIDE)
        for first in range(0, form.riders, form.rows):
            rows = slice(first, first + form.rows)
            yield form.build(names[rows], began_ms + second * 1000, lon[rows], lat[rows])


def send(form: Form, port: int, key: str, bodies: list[bytes]) -> Tally:
    """Send them in their order, `UNDER_WAY` at a time."""
    tally, lock, waiting = Tally(), threading.Lock(), iter(bodies)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": form.media_type}

    def one_connection() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            began = time.perf_counter()
            connection.request("POST", "/api/pings", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            took = time.perf_counter() - began
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {said[:300]!r}")
            told = json.loads(said)
            with lock:
                tally.pings += told["accepted"]
                tally.reminders += len(told["reminders"])
                if told["reminders"]:
                    tally.delays_s.append(took)

    threads = [threading.Thread(target=one_connection) for _ in range(UNDER_WAY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


@contextmanager
def database() -> Iterator[Any]:
    """A fresh database with stations and one source, which it gives with its key."""
    import django

    django.setup()
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield _fill()
    finally:
        connection.close()
        connection.creation.destroy_test_db(name, verbosity=0)


def _fill() -> Any:
    from django.utils import timezone

    from yizhan.passage.models import PingSource
    from yizhan.passage.services.sources import simulated_source
    from yizhan.places.models import Place
    from yizhan.unions.models import Level, Union

    union = Union.objects.add_root({"name": "模拟总工会", "level": Level.CITY, "division_code": "4101"})
    lon, lat = np.random.default_rng(SEED).uniform(0, SIDE, (2, STATIONS))
    common = {"datum_given": "WGS-84", "position_source": "surveyed", "hours": "24/7", "status": "published"}
    Place.published.bulk_create(
        Place(
            union=union,
            name=f"{k}号驿站（模拟）",
            lon=WEST + lon[k],
            lat=SOUTH + lat[k],
            published_at=timezone.now(),
            **common,
        )
        for k in range(STATIONS)
    )
    made = simulated_source(union=union, name="模拟车队")
    PingSource.every.filter(pk=made.source.pk).update(is_simulated=False, pings_per_second=5_000_000)
    return made


def address() -> str:
    """Where the fresh database is."""
    from django.db import connection

    connection.ensure_connection()
    info = connection.connection.info
    user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    return f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"


@contextmanager
def server() -> Iterator[int]:
    """The hot application, one worker; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--workers",
        "1",
        "--no-ws",
        "--host",
        "127.0.0.1",
    ]
    command += ["--port", str(port), "--log-level", "warning", "yizhan.site.hot:application"]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": address()}, start_new_session=True)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/hot/readyz")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


if __name__ == "__main__":
    main("ingest", measure)
