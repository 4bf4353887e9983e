"""The process of one worker: a stream without doors of its own, fed by its partitions."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence

from prometheus_client import start_http_server

from .partitions import Layout, NatsRefused, Worker
from .stream import Stream

__all__ = ["Layout", "NatsRefused", "work"]


def work(
    servers: Sequence[str],
    layout: Layout,
    *,
    number: int,
    workers: int,
    metrics_port: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        NatsRefused, OSError: the servers cannot be used.
    """
    if metrics_port is not None:
        start_http_server(metrics_port, addr="127.0.0.1")
    asyncio.run(_work(servers, layout, number, workers, say))


async def _work(servers: Sequence[str], layout: Layout, number: int, workers: int, say: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, ended.set)
    stream = Stream(announces=True)
    await stream.start()
    worker = Worker(stream, servers, layout, number=number, workers=workers)
    try:
        while not stream.is_ready and not ended.is_set():
            await asyncio.sleep(0.05)
        if not ended.is_set():
            await worker.start()
            say(f"worker {number} of {workers} asks for {layout.partitions} partitions")
        await ended.wait()
    finally:
        await worker.stop()
        await stream.stop()
