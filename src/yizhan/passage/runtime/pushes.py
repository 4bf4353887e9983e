"""Pushes reminders to phones: encrypted for the phone alone (RFC 8291), by way of its browser's maker.

What waits stands in the database beside the reminder log, written in the same transaction. A notice that could not be
pushed within some minutes is dropped and counted: the vehicle is far from the place by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, close_old_connections, connection
from pywebpush import WebPusher

from yizhan.passage.models import Notice, Phone
from yizhan.passage.services.log import USEFUL_FOR, stale_before
from yizhan.passage.vapid import authorization
from yizhan.unions.webhooks import Answer, Receivers, reach_of_this_installation

from . import metrics

log = logging.getLogger("yizhan.passage.pushes")

BATCH = 200
AT_ONCE = 20
LOOK_EVERY_S = 2.0
PAUSES_S = (5, 15, 45, 120, 240)
GONE = {404, 410}

_T = TypeVar("_T")


class Pusher:
    """Pushes what waits until it is stopped, in a thread of its own.

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
        self._thread = threading.Thread(target=self._run, name="passage-pushes", daemon=True)
        self._database = ThreadPoolExecutor(1, thread_name_prefix="passage-pushes-database")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to push."""
        self._thread.start()

    def wake(self) -> None:
        """Something new waits. May be called from any thread."""
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def stop(self) -> None:
        """End; what is under way is pushed again by whoever starts next."""
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(10)

    async def once(self) -> None:
        """Push what is due now, and wait until every service has answered."""
        receivers = self._make_receivers()
        try:
            await self._push_what_is_due(receivers)
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
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    pushed = await self._push_what_is_due(receivers)
                except DatabaseError as failure:
                    log.warning("notices cannot be read", extra={"error": type(failure).__name__})
                    await self._in_database(_let_go)
                    pushed = 0
                if not pushed:
                    await self._sleep()
        finally:
            await receivers.close()

    async def _sleep(self) -> None:
        if self._wake is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), LOOK_EVERY_S)

    async def _push_what_is_due(self, receivers: Receivers) -> int:
        due = await self._in_database(lambda: _due(self._now()))
        turns = asyncio.Semaphore(AT_ONCE)

        async def push(notice: Notice) -> tuple[Notice, Answer]:
            async with turns:
                return notice, await self._push(receivers, notice)

        answers = await asyncio.gather(*(push(each) for each in due))
        if answers:
            await self._in_database(lambda: _settle(answers, self._now()))
        return len(answers)

    async def _push(self, receivers: Receivers, notice: Notice) -> Answer:
        subscription = json.loads(notice.phone.subscription or "{}")
        # Off the loop: a curve operation each.
        body = await asyncio.to_thread(_sealed, subscription, told_to_a_phone(notice))
        headers = {
            "Authorization": authorization(subscription["endpoint"], now=self._clock()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(round(USEFUL_FOR.total_seconds())),
            "Urgency": "high",
        }
        return await receivers.post(subscription["endpoint"], body, headers)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def _in_database(self, work: Callable[[], _T]) -> _T:
        def done() -> _T:
            close_old_connections()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._database, done)


def _let_go() -> None:
    connection.close()  # that of the thread that calls


def told_to_a_phone(notice: Notice) -> dict[str, Any]:
    """What the service worker shows: the place and how near it is, nothing of the vehicle."""
    reminder = notice.reminder
    return {
        "title": reminder.place.name,
        "body": f"路过提醒：距离约 {max(10, round(reminder.distance_m / 10) * 10)} 米",
        "tag": str(reminder.public_id),
        "url": f"/places/{reminder.place.public_id}/",
    }


def _sealed(subscription: dict[str, Any], told: dict[str, Any]) -> bytes:
    text = json.dumps(told, ensure_ascii=False).encode()
    return bytes(WebPusher(subscription).encode(text, content_encoding="aes128gcm")["body"])


def _due(now: datetime) -> list[Notice]:
    """The oldest that are due; those that came to nothing in time are dropped first."""
    dropped, _by_model = Notice.every.filter(reminder__passed_at__lt=stale_before(now)).delete()
    metrics.NOTICES.labels("dropped").inc(dropped)
    due = Notice.every.filter(due_at__lte=now).select_related("phone", "reminder__place").order_by("due_at", "pk")
    return list(due[:BATCH])


def _settle(answers: list[tuple[Notice, Answer]], now: datetime) -> None:
    pushed = [notice.pk for notice, answer in answers if answer.is_taken]
    gone = {notice.phone_id for notice, answer in answers if answer.status in GONE}
    later = []
    for notice, answer in answers:
        if answer.is_taken or notice.phone_id in gone:
            continue
        pause = PAUSES_S[min(notice.attempts, len(PAUSES_S) - 1)]
        notice.attempts += 1
        notice.due_at = now + timedelta(seconds=answer.retry_after_s or pause)
        later.append(notice)
    Notice.every.filter(pk__in=pushed).delete()
    Phone.every.filter(pk__in=gone).delete()  # the browser has withdrawn the address
    Notice.every.bulk_update(later, ["attempts", "due_at"])
    metrics.NOTICES.labels("pushed").inc(len(pushed))
    metrics.NOTICES.labels("failed").inc(len(later))
    metrics.NOTICES.labels("gone").inc(len(gone))
