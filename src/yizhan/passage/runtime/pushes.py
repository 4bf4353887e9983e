"""Pushes reminders to phones: encrypted for the phone alone (RFC 8291), by way of its browser's maker.

What waits stands in the database beside the reminder log, written in the same transaction. A notice that could not be
pushed within some minutes is dropped and counted: the vehicle is far from the place by then.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from pywebpush import WebPusher

from yizhan.passage.models import Notice, Phone
from yizhan.passage.services.log import USEFUL_FOR, stale_before
from yizhan.passage.vapid import authorization
from yizhan.unions.webhooks import Answer, Receivers

from . import metrics
from .sending import Sender

BATCH = 200
AT_ONCE = 20
PAUSES_S = (5, 15, 45, 120, 240)
GONE = {404, 410}


class Pusher(Sender):
    """Pushes what waits until it is stopped, in a thread of its own."""

    what = "notices"
    look_every_s = 2.0

    async def _send_what_is_due(self, receivers: Receivers) -> bool:
        due = await self._in_database(lambda: _due(self._now()))
        turns = asyncio.Semaphore(AT_ONCE)

        async def push(notice: Notice) -> tuple[Notice, Answer]:
            async with turns:
                return notice, await self._push(receivers, notice)

        answers = await asyncio.gather(*(push(each) for each in due))
        if answers:
            await self._in_database(lambda: _settle(answers, self._now()))
        return bool(answers)

    async def _push(self, receivers: Receivers, notice: Notice) -> Answer:
        subscription = json.loads(notice.phone.subscription or "{}")
        # Off the loop: a curve operation each.
        body = await asyncio.to_thread(_sealed, subscription, told_to_a_phone(notice, subscription.get("language")))
        headers = {
            "Authorization": authorization(subscription["endpoint"], now=self._clock()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(round(USEFUL_FOR.total_seconds())),
            "Urgency": "high",
        }
        return await receivers.post(subscription["endpoint"], body, headers)


def told_to_a_phone(notice: Notice, language: str | None) -> dict[str, Any]:
    """What the service worker shows: the place and how near it is, nothing of the vehicle, in the phone's language."""
    reminder = notice.reminder
    with translation.override(language or settings.LANGUAGE_CODE):
        body = _("On your way: about %(metres)s m off") % {"metres": max(10, round(reminder.distance_m / 10) * 10)}
    return {
        "title": reminder.place.name,
        "body": body,
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
