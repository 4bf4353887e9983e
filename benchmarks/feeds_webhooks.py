"""How long 1,000 changes take to reach six partners' servers.

A fresh database (`DATABASE_URL`, else the embedded one; it is created and dropped) with 1,000 simulated places. The
worker is a process of its own, as in an installation; the six receivers are another, which parses each body and notes
which changes it holds. The clock runs from the commit of all 1,000 changes until each receiver holds all of them:
giving them numbers, filters, the partners' words and datum, signatures, HTTP and the evidence in the database.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from benchmarks.report import Row
from benchmarks.serving import end

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
PLACES, RECEIVERS = 1_000, 6
DATUMS = ("WGS-84", "GCJ-02", "BD-09")


def measure(quick: bool) -> Iterator[Row]:
    """Change 1,000 simulated places and wait until six receivers hold every change."""
    os.environ["YIZHAN_WEBHOOK_NETWORKS"] = '["127.0.0.0/8"]'
    try:
        with _receivers() as ports, _database(ports) as url, _worker(url) as worker:
            _wait(worker, ports, -1, 120)  # the first load
            seconds = [_changed(worker, ports, number) for number in range(2 if quick else 5)]
    except OSError as why:
        yield Row(case="webhooks", unit="deliveries/s", ours=None, note=f"not measured: {why}")
        return
    middle = statistics.median(seconds)
    yield Row(
        case="webhooks",
        unit="deliveries/s",
        ours=PLACES * RECEIVERS / middle,
        note=f"{PLACES} changes of simulated places held by {RECEIVERS} receivers after {middle:.2f} s "
        f"(slowest {max(seconds):.2f} s); worker and receivers share this machine",
    )


def _changed(worker: subprocess.Popen[bytes], ports: list[int], number: int) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE places_place SET name = split_part(name, '·', 1) || '·' || %s", [number])
    began = time.perf_counter()
    _wait(worker, ports, number, 60)
    return time.perf_counter() - began


def _wait(worker: subprocess.Popen[bytes], ports: list[int], number: int, longest_s: float) -> None:
    """Until each receiver holds all places under the name of that round.

    Raises:
        OSError: they do not, or the worker has ended.
    """
    end = time.monotonic() + longest_s
    while time.monotonic() < end:
        if all(int(urlopen(f"http://127.0.0.1:{port}/{number}").read()) == PLACES for port in ports):
            return
        if worker.poll() is not None:
            raise OSError("the worker ended")
        time.sleep(0.01)
    raise OSError("the changes did not arrive")


@contextmanager
def _database(ports: list[int]) -> Iterator[str]:
    import django

    django.setup()
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        _fill(ports)
        info = connection.connection.info
        user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
        yield f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"
    finally:
        connection.close()
        connection.creation.destroy_test_db(name, verbosity=0)


def _fill(ports: list[int]) -> None:
    from django.utils import timezone

    from yizhan.feeds.presets import PRESETS
    from yizhan.feeds.services.partner_rules import PartnerFacts, facts_of
    from yizhan.feeds.services.partners import create_partner
    from yizhan.places.models import Place
    from yizhan.unions.models import Level, Union
    from yizhan.unions.rights import OPERATOR

    union = Union.objects.add_root({"name": "模拟总工会", "level": Level.CITY, "division_code": "4101"})
    now = timezone.now()
    common = {"datum_given": "WGS-84", "position_source": "survey", "hours": "24/7", "status": "published"}
    Place.published.bulk_create(
        Place(
            union=union,
            name=f"{k}号驿站（模拟）",
            lon=113.4 + k * 0.0005,
            lat=34.6 + k * 0.0003,
            published_at=now,
            verified_at=now,
            **common,
        )
        for k in range(PLACES)
    )
    known = facts_of(PRESETS["generic"])
    values: dict[str, Any] = {name: getattr(known, name) for name in PartnerFacts.__slots__}
    for number, port in enumerate(ports):
        facts = PartnerFacts(
            **{
                **values,
                "name": f"模拟接收方{number}",
                "address": f"http://127.0.0.1:{port}/",
                "datum": DATUMS[number % len(DATUMS)],
                "signing": "ed25519" if number % 2 else "hmac",
            }
        )
        create_partner(staff=OPERATOR, union=union, preset="generic", facts=facts, is_simulated=True)


@contextmanager
def _worker(url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "yizhan.site.cli", "feeds", "push"], env={**os.environ, "DATABASE_URL": url}
    )
    try:
        yield process
    finally:
        end(process)


@contextmanager
def _receivers() -> Iterator[list[int]]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.feeds_webhooks"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait(10)


async def _receive() -> None:
    """Six servers: a POST brings events, a GET asks how many places bear the name of a round."""
    servers = [await asyncio.start_server(_handler({}), "127.0.0.1", 0) for _ in range(RECEIVERS)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.Event().wait()


def _handler(names: dict[str, str]) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                if head.startswith("post"):
                    length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
                    for event in json.loads(await reader.readexactly(length)):
                        names[event["subject"]] = event["data"]["name"]
                    said = b""
                else:
                    number = head.split(" ", 2)[1].strip("/")
                    said = str(
                        len(names) if number == "-1" else sum(name.endswith(f"·{number}") for name in names.values())
                    ).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


if __name__ == "__main__":
    asyncio.run(_receive())
