"""Delivers reminders to the addresses of their sources: Standard Webhooks, CloudEvents, in batches.

What waits stands in the database beside the reminder log, written in the same transaction: a kill loses none. A thread
with an event loop of its own sends; each source has its own turn, so a slow or dead receiver holds up neither another
nor the stream. A receiver that answers late may get a reminder twice, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
from django.conf import settings

from yizhan.passage.models import Delivery, PingSource
from yizhan.passage.services.webhooks import forget_dead_letters
from yizhan.unions.webhooks import PAUSES_S, Answer, Receivers, headers, pause_s

from . import metrics
from .sending import Sender

log = logging.getLogger("yizhan.passage.delivery")

BATCH = 500
MEDIA_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "org.yizhan.reminder.made"
GONE = 410


@dataclass(frozen=True, slots=True)
class Load:
    """What is due to one source."""

    source: PingSource
    deliveries: list[Delivery]


class Deliverer(Sender):
    """Sends what waits until it is stopped."""

    what = "deliveries"
    look_every_s = 1.0
    settle_s = 0.05

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}
        self._tidied_at = 0.0

    async def _all_answered(self) -> None:
        await asyncio.gather(*self._under_way.values())

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied_at > 3600:
            await self._in_database(lambda: forget_dead_letters(now=self._now()))
            self._tidied_at = time.monotonic()

    async def _give_up(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _send_what_is_due(self, receivers: Receivers) -> bool:
        now = self._clock()
        resting = {source for source, until in self._not_before.items() if until > now}
        for load in await self._in_database(lambda: _due(self._now(), without=resting | set(self._under_way))):
            task = asyncio.create_task(self._send(receivers, load))
            self._under_way[load.source.pk] = task
            task.add_done_callback(partial(self._ended, load.source.pk))
        return False  # each source has its turn; the end of one wakes

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
