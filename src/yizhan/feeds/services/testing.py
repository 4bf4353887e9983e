"""Trying a partner's way out: something really goes to it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.feeds.actions import PARTNER_TESTED
from yizhan.feeds.models import Carrier, Listing, Partner, Push, PushOutcome
from yizhan.feeds.pushing import files, messages, outbox, platforms
from yizhan.feeds.pushing.claims import claim, release
from yizhan.feeds.pushing.loads import Load, Result
from yizhan.feeds.rights import MANAGE_PARTNERS
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy
from yizhan.unions.webhooks import Answer, Receivers, reach_of_this_installation


def test_partner(*, staff: Staff | Operator, partner: Partner) -> Answer:
    """Send something now, and say what came back: an event of no place, a small file, or for a platform one place.

    Not within a transaction: it waits for somebody else's server.

    Raises:
        NotAllowed: staff may not manage partners there.
        RuleBroken: it is not known where to send, or a platform has no place to be tried with.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    if not partner.is_ready:
        raise RuleBroken.at("address", "", _("First enter where and with what to send."), "not_ready")
    began, now, name = time.perf_counter(), datetime.now(UTC), f"msg_test_{uuid4().hex}"
    if partner.carrier == Carrier.PLATFORM:
        answer = _one_place(partner)
    else:
        answer = asyncio.run(_try(partner, now, name))
        with transaction.atomic():
            Push.every.create(
                partner=partner,
                message_id=name,
                at=now,
                took_ms=round((time.perf_counter() - began) * 1000),
                outcome=PushOutcome.TAKEN if answer.is_taken else PushOutcome.FAILED,
                status=answer.status,
                answer=answer.words[:200],
                places=0,
                is_test=True,
            )
    record(staff, PARTNER_TESTED, union=partner.union, target=partner, details={"outcome": answer.words[:100]})
    return answer


async def _try(partner: Partner, now: datetime, name: str) -> Answer:
    reach = reach_of_this_installation()
    if partner.carrier == Carrier.WEBHOOK:
        receivers = Receivers(reach)
        try:
            return await messages.test(partner, receivers, now, name)
        finally:
            await receivers.close()
    text = f"驿站 test {timezone.localtime(now):%Y-%m-%d %H:%M:%S}\n".encode()
    if partner.carrier == Carrier.SFTP:
        return await files.lay_down(partner, f"test-{timezone.localtime(now):%Y%m%d-%H%M%S}.txt", text, reach)
    return await asyncio.to_thread(files.send_mail, partner, "test.csv", text, 0)


def _one_place(partner: Partner) -> Answer:
    """A platform is tried with a place that it is to show anyway, while no worker is at it."""
    if not claim(partner.pk):
        raise RuleBroken.at("address", "", _("A worker is just sending to this partner."), "busy")
    try:
        while outbox.follow(partner, now=timezone.now()) == outbox.FOLLOWED_AT_ONCE:
            pass
        first = Listing.every.filter(partner=partner, is_wanted=True).order_by("-is_waiting", "sequence")[:1]
        load = outbox.load_of(partner, first)
        if load is None:
            raise RuleBroken.at("address", "", _("There is no place yet that this partner is to show."), "no_place")
        began = time.perf_counter()
        result = asyncio.run(_to_platform(load))
        outbox.settle(load, result, now=timezone.now(), took_s=time.perf_counter() - began)
        why = next(iter(result.refused.values()), "")
        return Answer(None, why) if why else result.answer
    finally:
        release(partner.pk)


async def _to_platform(load: Load) -> Result:
    receivers = Receivers(reach_of_this_installation())
    try:
        return await platforms.carry(load, receivers)
    finally:
        await receivers.close()
