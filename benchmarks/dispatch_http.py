"""Calls through HTTP while rescuers' phones tell their positions: how soon an offer is on the phone of whom it asks.

All is simulated. The server is the one that `yizhan serve` starts, with its front door, Django's workers, the hot
application and the dispatcher as processes of their own; behind it a fresh database. The phones are coroutines of one
further process on the same machine: each keeps a live stream open and posts a position every second, as the rescuer's
page does (it every five). Riders call all at the same instant, from an address each. What is measured is the time from
the moment at which the database took a call to that at which its first offer, facts included, has arrived at a phone.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from benchmarks.serving import end, wait_until_ready

_SPAWN = multiprocessing.get_context("spawn")
WARM_UP_S = 8.0
PATIENCE_S = 60.0
PROBLEMS = ("flat_tyre", "flat_tyre", "battery", "chain", "other")


@dataclass(frozen=True)
class Plan:
    """What phones and riders do: plain values, since they live in another process."""

    port: int
    phones: list[tuple[str, float, float]]  # token, longitude, latitude
    riders: list[tuple[float, float]]


@dataclass
class Seen:
    """What the phones and the riders saw. Times are seconds since 1970 by the machine's clock."""

    offers: dict[str, float] = field(default_factory=dict)
    accepted_s: list[float] = field(default_factory=list)
    positions_s: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    began: float = 0.0
    lasted_s: float = 0.0


@contextmanager
def serving() -> Iterator[int]:
    """All processes of an installation on a port, over the database of this process."""
    from django.conf import settings
    from django.db import connection

    connection.ensure_connection()
    info = connection.connection.info
    user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    var = Path(tempfile.mkdtemp(prefix="yizhan-dispatch-"))
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}",
        "YIZHAN_VAR": str(var),
        "YIZHAN_BASE_URL": f"http://127.0.0.1:{port}",
        "YIZHAN_INSECURE_HTTP": "1",
        "YIZHAN_SECRET_KEY": settings.SECRET_KEY,
        "YIZHAN_PERSONAL_DATA_KEYS": json.dumps(list(settings.PERSONAL_DATA_KEYS)),
        "YIZHAN_PERSONAL_DATA_INDEX_KEY": settings.PERSONAL_DATA_INDEX_KEY,
    }
    command = [sys.executable, "-m", "yizhan.site.cli", "serve", "--port", str(port), "--behind-proxy"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/api/openapi.json")
        wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        yield port
    finally:
        end(server)
        shutil.rmtree(var, ignore_errors=True)


def run(plan: Plan) -> Seen:
    """Let phones and riders do what is planned, in a process of their own."""
    with _SPAWN.Pool(1) as pool:
        return pool.apply(_run, (plan,))


def _run(plan: Plan) -> Seen:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return asyncio.run(_Street(plan).play())


class _Street:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seen = Seen()
        self.counting = False

    async def play(self) -> Seen:
        tasks = [asyncio.create_task(self.listen(token, number)) for number, (token, _x, _y) in self._phones()]
        tasks += [asyncio.create_task(self.tell(*phone, number)) for number, phone in self._phones()]
        await asyncio.sleep(WARM_UP_S)
        self.counting, self.seen.began = True, time.time()
        began = time.perf_counter()
        riders = [asyncio.create_task(self.call(number, *at)) for number, at in enumerate(self.plan.riders)]
        await asyncio.gather(*riders)
        until = time.perf_counter() + PATIENCE_S
        while len(self.seen.offers) < len(self.plan.riders) and time.perf_counter() < until:
            heard = len(self.seen.offers)
            await asyncio.sleep(3)
            if len(self.seen.offers) == heard:  # whoever is left can be asked by nobody
                break
        self.seen.lasted_s = time.perf_counter() - began
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.seen

    def _phones(self) -> list[tuple[int, tuple[str, float, float]]]:
        return list(enumerate(self.plan.phones))

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.plan.port)

    async def listen(self, token: str, number: int) -> None:
        """A rescuer's page: whatever is offered is noted as soon as it is there."""
        await asyncio.sleep(number / len(self.plan.phones) * WARM_UP_S / 2)
        reader, writer = await self._open()
        writer.write(f"GET /api/live/rescue/events?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"data: ") and b'"offer":{' in line:
                self.seen.offers.setdefault(json.loads(line[6:])["offer"]["id"], time.time())

    async def tell(self, token: str, lon: float, lat: float, number: int) -> None:
        """A rescuer's phone: a position every second."""
        await asyncio.sleep(number / len(self.plan.phones))
        reader, writer = await self._open()
        loop, turn = asyncio.get_running_loop(), 0
        due = loop.time()
        while True:
            body = json.dumps({"lon": lon + turn % 9 * 1e-5, "lat": lat}).encode()
            began = time.perf_counter()
            status, _said = await _ask(
                reader, writer, "/api/live/rescue/position", body, f"Authorization: Bearer {token}"
            )
            if self.counting:
                self.seen.positions_s.append(time.perf_counter() - began)
                if status != 200:
                    self.seen.refused.append(f"position {status}")
            turn += 1
            due += 1.0
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def call(self, number: int, lon: float, lat: float) -> None:
        """A rider."""
        reader, writer = await self._open()
        body = {
            "request_id": str(uuid4()), "problem": PROBLEMS[number % len(PROBLEMS)], "lon": lon, "lat": lat,
            "contact_phone": f"139{number:08d}",
        }  # fmt: skip
        began = time.perf_counter()
        address = f"X-Forwarded-For: 203.0.{number // 200}.{number % 200 + 1}"
        status, said = await _ask(reader, writer, "/api/rescue/calls", json.dumps(body).encode(), address)
        self.seen.accepted_s.append(time.perf_counter() - began)
        if status != 201:
            self.seen.refused.append(f"call {status} {said[:200]!r}")
        writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes, header: str
) -> tuple[int, bytes]:
    """POST a JSON body over a line that stays open."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{header}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    status = int((await reader.readline()).split()[1])
    length, chunked = 0, False
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "content-length":
            length = int(value)
        chunked |= name.lower() == "transfer-encoding"
    if not chunked:
        return status, await reader.readexactly(length)
    said = b""
    while size := int(await reader.readline(), 16):
        said += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return status, said


def cuts(values: list[float]) -> tuple[float, float]:
    """Half, and ninety-nine of a hundred."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (float("nan"), float("nan"))
    parts = statistics.quantiles(values, n=100, method="inclusive")
    return parts[49], parts[98]


def delays_of(seen: Seen) -> list[float]:
    """Seconds from call to offer, of each call that was offered."""
    from yizhan.rescue.models import Offer

    rows = Offer.objects.with_scopes_disabled().filter(public_id__in=list(seen.offers))
    first: dict[int, float] = {}
    received: dict[int, Any] = {}
    for public_id, call, at in rows.values_list("public_id", "call", "call__received_at"):
        arrived = seen.offers[str(public_id)]
        first[call] = min(first.get(call, arrived), arrived)
        received[call] = at
    return [first[call] - received[call].timestamp() for call in first]
