"""Where a source's reminders are delivered to, and with which secret they are signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.passage.actions import DELIVERIES_REPLAYED, WEBHOOK_CHANGED, WEBHOOK_SECRET_ROTATED
from yizhan.passage.models import Delivery, PingSource
from yizhan.passage.rights import MANAGE_SOURCES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy
from yizhan.unions.webhooks import new_secret, problem_of

from .announcements import SOURCES, announce

DEAD_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A source with its signing secret, which is shown now and never again."""

    source: PingSource
    secret: str

    def __repr__(self) -> str:
        return f"<new signing secret of {self.source}>"


@transaction.atomic
def set_webhook(*, staff: Staff, source: PingSource, url: str) -> NewSecret | None:
    """Deliver a source's reminders to `url` from now on; an empty one ends it, and what waits becomes dead letters.

    Returns:
        A signing secret, where the source had none; it keeps the one that it has when the address changes.

    Raises:
        NotAllowed: staff may not manage sources there.
        RuleBroken: the address cannot be used.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    url = url.strip()
    if url and (problem := problem_of(url)):
        raise RuleBroken.at("webhook_url", url, problem, "invalid")
    locked = _locked(source)
    if locked.webhook_url == url:
        return None
    locked.webhook_url = url
    fresh = _renew(locked) if url and locked.webhook_secret is None else None
    locked.save()
    if not url:
        waiting = Delivery.every.filter(source=locked, died_at=None)
        waiting.update(died_at=timezone.now(), last_answer="switched off")
    record(staff, WEBHOOK_CHANGED, union=locked.union, target=locked, details={"host": urlsplit(url).hostname or ""})
    announce(SOURCES)
    return NewSecret(locked, fresh) if fresh else None


@transaction.atomic
def rotate_webhook_secret(*, staff: Staff, source: PingSource) -> NewSecret:
    """Sign with a new secret; for a day with the old one as well, so that the receiver can change in peace.

    Raises:
        NotAllowed: staff may not manage sources there.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    locked = _locked(source)
    made = _renew(locked)
    locked.save()
    record(staff, WEBHOOK_SECRET_ROTATED, union=locked.union, target=locked)
    return NewSecret(locked, made)


@transaction.atomic
def send_again(*, staff: Staff | None, source: PingSource) -> int:
    """Let all dead letters of a source wait for delivery anew; `staff` is None where a command does it.

    Returns:
        How many.

    Raises:
        NotAllowed: staff may not manage sources there.
        RuleBroken: the source has no address.
    """
    if staff is not None:
        policy.require(staff, MANAGE_SOURCES, source.union)
    locked = _locked(source)
    if not locked.webhook_url:
        raise RuleBroken.at("webhook_url", "", _("The source has no address to deliver to."), "required")
    dead = Delivery.every.filter(source=locked, died_at__isnull=False)
    count: int = dead.update(died_at=None, attempts=0, due_at=timezone.now())
    if count:
        record(staff, DELIVERIES_REPLAYED, union=locked.union, target=locked, details={"deliveries": count})
    return count


def forget_dead_letters(*, now: datetime) -> int:
    """Remove dead letters that nobody sent again in a month; how many."""
    count: int = Delivery.every.filter(died_at__lt=now - DEAD_KEPT).delete()[0]
    return count


def _locked(source: PingSource) -> PingSource:
    locked: PingSource = PingSource.every.select_for_update(of=("self",)).select_related("union").get(pk=source.pk)
    return locked


def _renew(source: PingSource) -> str:
    made = new_secret()
    source.webhook_old_secret, source.webhook_secret = source.webhook_secret, made
    source.webhook_secret_made_at = timezone.now()
    return made
