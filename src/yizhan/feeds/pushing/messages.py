"""The carrier `webhook`: Standard Webhooks around a batch of CloudEvents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings

from yizhan.feeds.models import Partner
from yizhan.feeds.payloads import mapped
from yizhan.unions.webhooks import Answer, Receivers, headers

from .loads import Item, Load, Result

MEDIA_TYPE = "application/cloudevents-batch+json"
SHOWN, GONE, TEST = "org.yizhan.place.shown", "org.yizhan.place.gone", "org.yizhan.push.test"


async def carry(load: Load, receivers: Receivers, now: datetime) -> Result:
    """Post a load. Every 2xx takes all of it, unless the answer names places that are refused."""
    body = body_of(load)
    answer = await receivers.post(load.partner.address, body, headers_of(load.partner, load.message_id, body, now))
    if not answer.is_taken:
        return Result(answer)
    said = _said(answer)
    refused = {
        item.listing: str(one.get("reason") or "refused")[:200]
        for item in load.items
        if (one := said.get(str(item.place))) and one.get("status") == "refused"
    }
    theirs = {
        item.listing: one["their_id"]
        for item in load.items
        if (one := said.get(str(item.place))) and isinstance(one.get("their_id"), str)
    }
    return Result(answer, [item for item in load.items if item.listing not in refused], refused, theirs)


async def test(partner: Partner, receivers: Receivers, now: datetime, message_id: str) -> Answer:
    """Post an event that is none of a place."""
    body = msgspec.json.encode([_event(message_id, TEST, "", now, {"test": True, "partner": partner.name})])
    return await receivers.post(partner.address, body, headers_of(partner, message_id, body, now))


def body_of(load: Load) -> bytes:
    """The batch: what is to be shown under the partner's names, and what is gone."""
    return msgspec.json.encode([_of(item, load.partner) for item in load.items])


def headers_of(partner: Partner, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Id, moment and signatures."""
    return {
        "Content-Type": MEDIA_TYPE,
        "User-Agent": "yizhan-webhooks/1",
        **headers(message_id, now, body, partner.signing_keys(now)),
    }


def _of(item: Item, partner: Partner) -> dict[str, Any]:
    if item.gone:
        key = next((theirs for theirs, ours in partner.fields.items() if ours == "id"), "id")
        data = {**mapped(item.shown, {key: "id"}), "gone": item.gone}
    else:
        data = mapped(item.shown, partner.fields)
    event = _event(item.event_id, GONE if item.gone else SHOWN, str(item.place), item.at, data)
    event["sequence"] = str(item.sequence)  # CloudEvents' extension of this name: newer is larger
    return event


def _event(event_id: str, kind: str, subject: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"{settings.BASE_URL}/api/feeds",
        "type": kind,
        "time": at.isoformat(timespec="seconds"),
        "datacontenttype": "application/json",
    }
    if subject:
        event["subject"] = subject
    return {**event, "data": data}


def _said(answer: Answer) -> dict[str, dict[str, Any]]:
    """What the receiver says of single places; whatever is not that, is no harm."""
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    results = told.get("results") if isinstance(told, dict) else None
    if not isinstance(results, list):
        return {}
    return {one["id"]: one for one in results if isinstance(one, dict) and isinstance(one.get("id"), str)}
