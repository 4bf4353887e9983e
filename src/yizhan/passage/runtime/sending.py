"""A thread with an event loop of its own that sends what waits in the database, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from django.db import DatabaseError, close_old_connections, connection

from yizhan.unions.webhooks import Receivers, reach_of_this_installation

log = logging.getLogger("yizhan.passage.sending")

_T = TypeVar("_T")


class Sender:
    """Sends what waits until it is stopped.

    Args:
        clock: seconds since 1970.
        receivers: makes the pool of connections, in the loop that uses it.

    Attributes:
        what: What it sends, in the names of its threads and in the log.
        look_every_s: So long it rests when nothing waits and nobody wakes it.
        settle_s: So long it lets what comes in a flock come, to send it in one.
    """

    what: ClassVar[str]
    look_every_s: ClassVar[float]
    settle_s: ClassVar[float] = 0.0

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        receivers: Callable[[], Receivers] = lambda: Receivers(reach_of_this_installation()),
    ) -> None:
        self._clock = clock
        self._make_receivers = receivers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"passage-{self.what}", daemon=True)
        self._database = ThreadPoolExecutor(1, thread_name_prefix=f"passage-{self.what}-database")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something new waits. May be called from any thread."""
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def stop(self) -> None:
        """End; what is under way is sent again by whoever starts next."""
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(10)

    async def once(self) -> None:
        """Send what is due now, and wait until every receiver has answered."""
        receivers = self._make_receivers()
        try:
            await self._send_what_is_due(receivers)
            await self._all_answered()
            await self._in_database(_let_go)
        finally:
            await receivers.close()

    async def _send_what_is_due(self, receivers: Receivers) -> bool:
        """Begin to send what is due; whether more may be due at once."""
        raise NotImplementedError

    async def _all_answered(self) -> None:
        """Wait for what is still under way."""

    async def _tidy(self) -> None:
        """What is to be done now and then."""

    async def _give_up(self) -> None:
        """End what is still under way."""

    def _run(self) -> None:
        asyncio.run(self._go_on())
        self._database.submit(_let_go).result()
        self._database.shutdown()

    async def _go_on(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        receivers = self._make_receivers()
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                more = False
                try:
                    more = await self._send_what_is_due(receivers)
                    await self._tidy()
                except DatabaseError as failure:
                    log.warning("%s cannot be read", self.what, extra={"error": type(failure).__name__})
                    await self._in_database(_let_go)
                if not more:
                    await self._rest(self._wake)
        finally:
            await self._give_up()
            await receivers.close()

    async def _rest(self, wake: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), self.look_every_s)
            await asyncio.sleep(self.settle_s)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def _in_database(self, work: Callable[[], _T]) -> _T:
        def done() -> _T:
            close_old_connections()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._database, done)


def _let_go() -> None:
    connection.close()  # that of the thread that calls
