"""The same pings by way of NATS JetStream: one server (the wheel's), one worker, Arrow in messages of one lane each."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import nats

from benchmarks.report import Row

PARTITIONS, UNDER_WAY = 12, 64


def row_of(bodies: list[bytes], rows: int, lanes: int, source: UUID, database_url: str) -> Row:
    """Publish all bodies, the k-th to lane k modulo `lanes`, and wait until each is judged and acknowledged.

    Args:
        rows: pings in each body.
        lanes: as many as bodies in a round, so that a rider keeps to a lane.
    """
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        config = Path(folder, "nats.conf")
        config.write_text(
            f'server_name: n0\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: "{folder}", max_memory_store: 1GB }}\n'
        )
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("nats-server")), "-c", str(config), "-l", f"{folder}/log"]
        )
        command = [sys.executable, "-m", "yizhan.site.cli", "pings-worker", "--nats", f"nats://127.0.0.1:{port}"]
        command += ["--held-mb", "900", "--partitions", str(PARTITIONS)]
        time.sleep(1)
        worker = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": database_url})
        try:
            took, reminders = asyncio.run(_drive(port, bodies, lanes, source))
        finally:
            worker.send_signal(signal.SIGINT)
            worker.wait(30)
            server.kill()
            server.wait()
    note = (
        f"{(len(bodies) - lanes) * rows:,} pings in {took:.1f} s, {rows:,} a "
        f"message of {len(bodies[0]) // 1024} KB, {lanes} lanes, {PARTITIONS} partitions, one worker; {reminders:,} "
        "reminders told by subject; server, worker and sender share this machine"
    )
    return Row(case="ingest-nats", unit="pings/s", ours=(len(bodies) - lanes) * rows / took, note=note)


async def _drive(port: int, bodies: list[bytes], lanes: int, source: UUID) -> tuple[float, int]:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    told = 0

    async def hear(message: Any) -> None:
        nonlocal told
        told += len(json.loads(message.data)["reminders"])

    await client.subscribe(f"reminders.{source}", cb=hear)
    stream = client.jetstream(publish_async_max_pending=UNDER_WAY)
    await _until_judged(client)
    headers = {"Content-Type": "application/vnd.apache.arrow.stream"}

    async def publish(some: list[bytes]) -> None:
        for k, body in enumerate(some):
            await stream.publish_async(f"pings.{source}.{k % lanes}", body, headers=headers, wait_stall=60)
        await stream.publish_async_completed()
        await _until_judged(client)

    await publish(bodies[:lanes])  # names and first reminders are known, and all partitions are held
    began = time.perf_counter()
    await publish(bodies[lanes:])
    took = time.perf_counter() - began
    await client.close()
    return took, told


async def _until_judged(client: Any) -> None:
    while True:
        left = 0
        for k in range(PARTITIONS):
            try:
                answer = await client.request(f"$JS.API.CONSUMER.INFO.PINGS.partition-{k}", b"", timeout=5)
            except nats.errors.Error:
                left += 1
                continue
            state = json.loads(answer.data)
            left += 1 if "error" in state else state["num_pending"] + state["num_ack_pending"]
        if not left:
            return
        await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
