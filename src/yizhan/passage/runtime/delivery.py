"""Delivers reminders to the addresses of their sources: Standard Webhooks, CloudEvents, in batches.

What waits stands in the database beside the reminder log, written in the same transaction: a kill loses none. A thread
with an event loop of its own sends; each source has its own turn, so a slow or dead receiver holds up neither another
nor the stream. A receiver that answers late may get a reminder twice, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from yizhan.passage.models import Delivery, PingSource
from yizhan.passage.services.webhooks import forget_dead_letters
from yizhan.unions.webhooks import PAUSES_S, Answer, Receivers, headers, pause_s, reach_of_this_installation

from . import metrics

log = logging.getLogger("yizhan.passage.delivery")

BATCH = 500
LOOK_EVERY_S = 1.0
MEDIA_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "org.yizhan.reminder.made"
GONE = 410

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Load:
    """What is due to one source."""

    source: PingSource
    deliveries: list[Delivery]


class Deliverer:
    """Sends what waits until it is stopped.

    Args:
        clock: seconds since 1970.
        receivers: makes the pool of connections, in the loop that uses it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        receivers: Callable[[], Receivers] = lambda: Receivers(reach_of_this_installation()),
    ) -> None:
        self._clock = clock
        self._make_receivers = receivers
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="passage-delivery", daemon=True)
        self._database = ThreadPoolExecutor(1, thread_name_prefix="passage-delivery-database")
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}
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
            await self._begin_what_is_due(receivers)
            await asyncio.gather(*self._under_way.values())
            await self._in_database(_let_go)
        finally:
            await receivers.close()

    def _run(self) -> None:
        asyncio.run(self._go_on())
        self._database.submit(_let_go).result()
        self._database.shutdown()

    async def _go_on(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        receivers = self._make_receivers()
        tidied_at = 0.0
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    await self._begin_what_is_due(receivers)
                    if time.monotonic() - tidied_at > 3600:
                        await self._in_database(lambda: forget_dead_letters(now=self._now()))
                        tidied_at = time.monotonic()
                except DatabaseError as failure:
                    log.warning("deliveries cannot be read", extra={"error": type(failure).__name__})
                    await self._in_database(_let_go)
                await self._sleep()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await receivers.close()

    async def _sleep(self) -> None:
        if self._wake is None:
            return
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_EVERY_S)
            await asyncio.sleep(0.05)  # what comes in a flock is sent in one batch
        except TimeoutError:
            pass

    async def _begin_what_is_due(self, receivers: Receivers) -> None:
        now = self._clock()
        resting = {source for source, until in self._not_before.items() if until > now}
        for load in await self._in_database(lambda: _due(self._now(), without=resting | set(self._under_way))):
            task = asyncio.create_task(self._send(receivers, load))
            self._under_way[load.source.pk] = task
            task.add_done_callback(partial(self._ended, load.source.pk))

    def _ended(self, source: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(source, None)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("a delivery failed within", extra={"error": type(failure).__name__})
            self._not_before[source] = self._clock() + PAUSES_S[1]
        self.wake()

    async def _send(self, receivers: Receivers, load: Load) -> None:
        began = time.perf_counter()
        body = body_of(load.deliveries)
        answer = await receivers.post(load.source.webhook_url, body, headers_of(load, body, self._now()))
        metrics.DELIVERY_SECONDS.observe(time.perf_counter() - began)
        rows = [each.pk for each in load.deliveries]
        if answer.is_taken:
            await self._in_database(lambda: _remove(rows))
            self._not_before.pop(load.source.pk, None)
            metrics.DELIVERIES.labels("delivered").inc(len(rows))
            return
        pause = await self._in_database(lambda: _put_off(load, answer, self._now()))
        # While the receiver is down, what is new is tried once a minute and not once a reminder.
        self._not_before[load.source.pk] = self._clock() + min(pause, 60.0)
        log.warning(
            "reminders could not be delivered",
            extra={"to": str(load.source.public_id), "answer": answer.words, "deliveries": len(rows)},
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def _in_database(self, work: Callable[[], _T]) -> _T:
        def done() -> _T:
            close_old_connections()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._database, done)


def body_of(deliveries: list[Delivery]) -> bytes:
    """The message: a batch of CloudEvents, each with the id of its reminder."""
    return msgspec.json.encode([_event(msgspec.json.decode(each.payload)) for each in deliveries])


def _event(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": told["id"],
        "source": f"{settings.BASE_URL}/api/pings",
        "type": EVENT_TYPE,
        "time": told["passed_at"],
        "datacontenttype": "application/json",
        "data": told,
    }


def headers_of(load: Load, body: bytes, now: datetime) -> dict[str, str]:
    """Id, moment and signatures as Standard Webhooks wants them; the same events have the same id in every attempt."""
    message_id = f"msg_{blake2b(body, digest_size=16).hexdigest()}"
    signed = headers(message_id, now, body, load.source.webhook_secrets)
    return {"Content-Type": MEDIA_TYPE, "User-Agent": "yizhan-webhooks/1", **signed}


def _due(now: datetime, *, without: set[int]) -> list[Load]:
    """The oldest that are due, at most `BATCH` a source."""
    waiting = Delivery.every.filter(died_at=None)
    metrics.DELIVERIES_WAITING.set(waiting.count())
    metrics.DEAD_LETTERS.set(Delivery.every.filter(died_at__isnull=False).count())
    due = waiting.filter(due_at__lte=now).exclude(source__in=without)
    sources = PingSource.every.filter(pk__in=due.values("source")).exclude(webhook_url="")
    return [Load(source, list(due.filter(source=source).order_by("pk")[:BATCH])) for source in sources]


def _let_go() -> None:
    connection.close()  # that of the thread that calls


def _remove(rows: list[int]) -> None:
    Delivery.every.filter(pk__in=rows).delete()


def _put_off(load: Load, answer: Answer, now: datetime) -> float:
    """Let them wait for the next attempt, or give them up; the shortest pause in seconds."""
    pauses = []
    for each in load.deliveries:
        each.attempts += 1
        each.last_answer = answer.words[:100]
        pause = pause_s(each.attempts, asked_s=answer.retry_after_s)
        if pause is None or answer.status == GONE:
            each.died_at = now
            continue
        each.due_at = now + timedelta(seconds=pause)
        pauses.append(pause)
    Delivery.every.bulk_update(load.deliveries, ["attempts", "last_answer", "died_at", "due_at"])
    metrics.DELIVERIES.labels("failed").inc(len(pauses))
    metrics.DELIVERIES.labels("dead").inc(len(load.deliveries) - len(pauses))
    return min(pauses, default=PAUSES_S[0])
