"""The worker that pushes: claims partners, sends them what waits, and goes on until it is stopped.

Several may run, on one machine or more. Each partner has its own turn, so a slow or dead one holds up no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection

from yizhan.feeds.models import Carrier, Partner
from yizhan.feeds.services.sequence import sequence_changes
from yizhan.unions.webhooks import Reach, Receivers, reach_of_this_installation

from . import files, messages, outbox, platforms
from .claims import claim, release
from .loads import Load, Result
from .told import Memory

log = logging.getLogger("yizhan.feeds.pushing")

LOOK_EVERY_S = 0.2
AFTER_TROUBLE_S = 30.0

_T = TypeVar("_T")


class Pusher:
    """Sends what waits.

    Args:
        clock: Seconds since 1970.
        reach: Where messages may go; by default as the operator has set it.
        paced: Keep to the partners' rates.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        reach: Reach | None = None,
        paced: bool = True,
    ) -> None:
        self._clock = clock
        self._reach = reach or reach_of_this_installation()
        self._paced = paced
        self._database: ThreadPoolExecutor | None = None
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}
        self._memory = Memory()
        self._stopping = threading.Event()
        self.requests = 0

    def stop(self) -> None:
        """End after what is under way; may be called from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Send until stopped."""
        asyncio.run(self._go_on())

    def once(self) -> int:
        """Send all that is due now, one partner after the other, in this thread; returns how many requests it took."""
        before = self.requests
        sequence_changes()
        for partner in list(outbox.with_something_due(self._now()).values_list("pk", flat=True)):
            if not claim(partner):
                continue
            try:
                while (load := self._prepare(partner)) is not None:
                    result, took_s = asyncio.run(self._carry_alone(load))
                    self.requests += 1
                    if not outbox.settle(load, result, now=self._now(), took_s=took_s):
                        break
            finally:
                release(partner)
        return self.requests - before

    async def _carry_alone(self, load: Load) -> tuple[Result, float]:
        receivers, began = Receivers(self._reach), time.perf_counter()
        try:
            return await self._carry(load, receivers), time.perf_counter() - began
        finally:
            await receivers.close()

    async def _go_on(self) -> None:
        # Of its own, so that no query ever keeps the loop waiting; one, so that the claims belong to one connection.
        self._database = ThreadPoolExecutor(1, thread_name_prefix="push-database")
        receivers = Receivers(self._reach)
        try:
            while not self._stopping.is_set():
                try:
                    await self._begin(receivers)
                except (DatabaseError, InterfaceError) as failure:
                    log.warning("pushes cannot be read", extra={"error": type(failure).__name__})
                    await self._let_go()
                await self._rest()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await receivers.close()
            await self._let_go()
            self._database.shutdown()

    async def _rest(self) -> None:
        end = time.monotonic() + LOOK_EVERY_S
        while not self._stopping.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _begin(self, receivers: Receivers) -> None:
        """Give each partner to which something is due a task of its own."""
        await self._in_database(lambda: sequence_changes(wait=False))
        now = self._clock()
        due = await self._in_database(
            lambda: list(outbox.with_something_due(_moment(now)).values_list("pk", flat=True))
        )
        for partner in due:
            if partner in self._under_way or self._not_before.get(partner, 0.0) > now:
                continue
            if await self._in_database(partial(claim, partner)):
                task = asyncio.create_task(self._serve(partner, receivers))
                self._under_way[partner] = task
                task.add_done_callback(partial(self._served, partner))

    def _served(self, partner: int, _task: asyncio.Task[None]) -> None:
        self._under_way.pop(partner, None)

    async def _serve(self, partner: int, receivers: Receivers) -> None:
        try:
            while not self._stopping.is_set():
                load = await self._in_database(lambda: self._prepare(partner))
                if load is None:
                    return
                began = time.perf_counter()
                result = await self._carry(load, receivers)
                took_s = time.perf_counter() - began
                self.requests += 1
                settle = partial(outbox.settle, load, result, now=self._now(), took_s=took_s)
                if not await self._in_database(settle):
                    return
                if self._paced:
                    await asyncio.sleep(60 / load.partner.requests_per_minute)
        except Exception as failure:  # another partner's turn must not end with this one's
            log.exception("a push failed within", extra={"partner": partner, "error": type(failure).__name__})
            self._not_before[partner] = self._clock() + AFTER_TROUBLE_S
            if isinstance(failure, DatabaseError | InterfaceError):
                await self._let_go()
        finally:
            with contextlib.suppress(DatabaseError, InterfaceError):
                await self._in_database(lambda: release(partner))

    def _prepare(self, pk: int) -> Load | None:
        """What goes next; looks again whether it may, since another worker may have been here."""
        now = self._now()
        partner = Partner.every.select_related("union").filter(pk=pk).first()
        if partner is None or partner.is_paused or (partner.due_at is not None and partner.due_at > now):
            return None
        while outbox.follow(partner, now=now, memory=self._memory) == outbox.FOLLOWED_AT_ONCE:
            pass
        return outbox.next_load(partner, memory=self._memory) if partner.is_ready else None

    async def _carry(self, load: Load, receivers: Receivers) -> Result:
        match load.partner.carrier:
            case Carrier.WEBHOOK:
                return await messages.carry(load, receivers, self._now())
            case Carrier.PLATFORM:
                return await platforms.carry(load, receivers)
            case Carrier.SFTP:
                return await files.carry_by_sftp(load, self._reach, self._now())
            case _:
                return await files.carry_by_email(load, self._now())

    def _now(self) -> datetime:
        return _moment(self._clock())

    async def _let_go(self) -> None:
        await self._in_database(_close)

    async def _in_database(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._database, work)


def _close() -> None:
    connection.close()  # that of the thread that calls


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
