"""Who may send pings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.passage.actions import SOURCE_CREATED, SOURCE_KEY_ROTATED, SOURCE_LIMITED, SOURCE_REVOKED
from yizhan.passage.models import MOST_PINGS_PER_SECOND, PingSource
from yizhan.passage.rights import MANAGE_SOURCES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from .announcements import SOURCES, announce

PREFIX = "yzp_"
NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class NewKey:
    """A source with its key, which is shown now and never again."""

    source: PingSource
    key: str

    def __repr__(self) -> str:
        return f"<new key of {self.source}>"


def digest(key: str) -> str:
    """What is kept of a key. It holds 256 random bits, so that no salt or slow hash is needed."""
    return sha256(key.encode()).hexdigest()


@transaction.atomic
def create_source(*, staff: Staff, union: Union, name: str, is_simulated: bool = False) -> NewKey:
    """Let a fleet send pings on behalf of `union`.

    Raises:
        NotAllowed: staff may not manage sources there.
        RuleBroken: the name is empty, too long or taken.
    """
    policy.require(staff, MANAGE_SOURCES, union)
    name = _checked_name(name, union)
    made = _add(union, name, is_simulated=is_simulated, created_by=staff)
    record(staff, SOURCE_CREATED, union=union, target=made.source, details={"is_simulated": is_simulated})
    announce(SOURCES)
    return made


@transaction.atomic
def simulated_source(*, union: Union, name: str) -> NewKey:
    """The source of the demo's own riders at `union`, with a fresh key; its earlier key ends. For commands only."""
    source = PingSource.every.select_for_update().filter(union=union, name=name, is_simulated=True).first()
    if source is None:
        made = _add(union, _checked_name(name, union), is_simulated=True, created_by=None)
        record(None, SOURCE_CREATED, union=union, target=made.source, details={"is_simulated": True})
    else:
        made = _with_new_key(source)
        record(None, SOURCE_KEY_ROTATED, union=union, target=source)
    announce(SOURCES)
    return made


@transaction.atomic
def rotate_key(*, staff: Staff, source: PingSource) -> NewKey:
    """Give a source a new key; the old one ends at once, also if the source was revoked.

    Raises:
        NotAllowed: staff may not manage sources there.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    made = _with_new_key(PingSource.every.select_for_update().select_related("union").get(pk=source.pk))
    record(staff, SOURCE_KEY_ROTATED, union=source.union, target=source)
    announce(SOURCES)
    return made


@transaction.atomic
def limit_source(*, staff: Staff, source: PingSource, pings_per_second: int) -> PingSource:
    """Say how many pings a second a source may send on average.

    Raises:
        NotAllowed: staff may not manage sources there.
        RuleBroken: the number is out of range.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    if not 1 <= pings_per_second <= MOST_PINGS_PER_SECOND:
        message = _("must be between %(least)s and %(most)s") % {"least": 1, "most": MOST_PINGS_PER_SECOND}
        raise RuleBroken.at("pings_per_second", pings_per_second, message, "out_of_range")
    locked: PingSource = PingSource.every.select_for_update().select_related("union").get(pk=source.pk)
    if locked.pings_per_second != pings_per_second:
        changed = {"pings_per_second": [locked.pings_per_second, pings_per_second]}
        locked.pings_per_second = pings_per_second
        locked.save(update_fields=["pings_per_second"])
        record(staff, SOURCE_LIMITED, union=locked.union, target=locked, details=changed)
        announce(SOURCES)
    return locked


@transaction.atomic
def revoke_source(*, staff: Staff, source: PingSource) -> PingSource:
    """Take no more pings from a source. Harmless when it is revoked already.

    Raises:
        NotAllowed: staff may not manage sources there.
    """
    policy.require(staff, MANAGE_SOURCES, source.union)
    locked: PingSource = PingSource.every.select_for_update().select_related("union").get(pk=source.pk)
    if locked.is_active:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        record(staff, SOURCE_REVOKED, union=locked.union, target=locked)
        announce(SOURCES)
    return locked


def _checked_name(name: str, union: Union) -> str:
    name = " ".join(name.split())
    if not name:
        raise RuleBroken.at("name", name, _("A source needs a name."), "required")
    if len(name) > NAME_LENGTH:
        message = _("at most %(most)s characters") % {"most": NAME_LENGTH}
        raise RuleBroken.at("name", name, message, "too_long")
    if PingSource.every.filter(union=union, name=name).exists():
        raise RuleBroken.at("name", name, _("This union has a source of that name already."), "taken")
    return name


def _add(union: Union, name: str, *, is_simulated: bool, created_by: Staff | None) -> NewKey:
    key = PREFIX + secrets.token_urlsafe(32)
    source = PingSource.every.create(
        union=union,
        name=name,
        is_simulated=is_simulated,
        created_by=created_by,
        key_digest=digest(key),
        key_hint=_hint(key),
        key_made_at=timezone.now(),
    )
    return NewKey(source, key)


def _with_new_key(source: PingSource) -> NewKey:
    key = PREFIX + secrets.token_urlsafe(32)
    source.key_digest, source.key_hint = digest(key), _hint(key)
    source.key_made_at, source.revoked_at = timezone.now(), None
    source.save(update_fields=["key_digest", "key_hint", "key_made_at", "revoked_at"])
    return NewKey(source, key)


def _hint(key: str) -> str:
    return key[: len(PREFIX) + 4]
