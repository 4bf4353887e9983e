"""Who gets the directory pushed, and how: every write of partners."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.feeds import actions
from yizhan.feeds.models import Carrier, Listing, Partner, PauseReason, Signing
from yizhan.feeds.models.partners import MOST_IN_A_BATCH
from yizhan.feeds.presets import PRESETS
from yizhan.feeds.pushing.files import new_ssh_key
from yizhan.feeds.rights import MANAGE_PARTNERS
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy
from yizhan.unions.webhooks import new_key_pair, new_secret

from .partner_rules import PartnerFacts, checked

PREFIX = "yzf_"
OLD_KEY_HOLDS = timedelta(days=7)
_LAST_USE_COUNTS_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A partner with its key and, where one was made, its signing secret: shown now and never again."""

    partner: Partner
    key: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"<new key of {self.partner}>"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A partner with its signing secret; for a key pair the public key, which is no secret."""

    partner: Partner
    secret: str

    def __repr__(self) -> str:
        return f"<new signing secret of {self.partner}>"


def digest(key: str) -> str:
    """What is kept of a key. It holds 256 random bits, so that no salt or slow hash is needed."""
    return sha256(key.encode()).hexdigest()


@transaction.atomic
def create_partner(
    *,
    staff: Staff | Operator,
    union: Union,
    preset: str,
    facts: PartnerFacts,
    is_simulated: bool = False,
) -> NewKey:
    """Let a partner show the places of `union` and below.

    Raises:
        NotAllowed: staff may not manage partners there.
        RuleBroken: a value breaks a rule; names the field.
    """
    policy.require(staff, MANAGE_PARTNERS, union)
    if preset not in PRESETS:
        raise RuleBroken.at("preset", preset, _("There is no such preset."), "unknown")
    key = PREFIX + secrets.token_urlsafe(32)
    partner = Partner(
        union=union,
        preset=preset,
        is_simulated=is_simulated,
        created_by=staff if isinstance(staff, Staff) else None,
        key_digest=digest(key),
        key_hint=_hint(key),
        key_made_at=timezone.now(),
    )
    columns = checked(facts, partner)
    secret = _apply(partner, columns)
    partner.save()
    partner.unions.set(facts.unions)
    record(
        staff,
        actions.PARTNER_CREATED,
        union=union,
        target=partner,
        details={"preset": preset, "carrier": facts.carrier},
    )
    return NewKey(partner, key, secret)


@transaction.atomic
def change_partner(*, staff: Staff | Operator, partner: Partner, facts: PartnerFacts) -> NewSecret | None:
    """Change what is said of a partner. Places that its filters leave out from now on are taken down there.

    Returns:
        A signing secret, where one was made.

    Raises:
        NotAllowed: staff may not manage partners there.
        RuleBroken: a value breaks a rule; names the field.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    columns = checked(facts, locked)
    old_unions = set(locked.unions.values_list("pk", flat=True))
    new_unions = {union.pk for union in facts.unions}
    changed = [name for name, value in columns.items() if (getattr(locked, name) or "") != (value or "")]
    if old_unions != new_unions:
        changed.append("unions")
    if not changed:
        return None
    secret = _apply(locked, columns)
    said_otherwise = {"datum", "mapping", "categories", "carrier", "platform_table"} & set(changed)
    if {"kinds", "areas", "unions"} & set(changed):
        locked.followed_to = 0  # every place is looked at again
    locked.due_at = None
    locked.save()
    locked.unions.set(facts.unions)
    if said_otherwise:
        _everything_once_more(locked)
    record(staff, actions.PARTNER_CHANGED, union=locked.union, target=locked, details={"fields": sorted(changed)})
    return NewSecret(locked, secret) if secret else None


@transaction.atomic
def rotate_key(*, staff: Staff | Operator, partner: Partner, old_holds: timedelta = OLD_KEY_HOLDS) -> NewKey:
    """Give a partner a new key. The present one goes on for `old_holds`, an earlier one ends now.

    Raises:
        NotAllowed: staff may not manage partners there.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    key = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    locked.old_key_digest, locked.old_key_ends_at = (
        (locked.key_digest, now + old_holds) if old_holds > timedelta() else (None, None)
    )
    locked.key_digest, locked.key_hint, locked.key_made_at = digest(key), _hint(key), now
    locked.save(update_fields=["old_key_digest", "old_key_ends_at", "key_digest", "key_hint", "key_made_at"])
    ends = locked.old_key_ends_at
    record(
        staff,
        actions.PARTNER_KEY_ROTATED,
        union=locked.union,
        target=locked,
        details={"ends_at": timezone.localtime(ends).strftime("%Y-%m-%d %H:%M") if ends else "–"},
    )
    return NewKey(locked, key)


@transaction.atomic
def rotate_secret(*, staff: Staff | Operator, partner: Partner) -> NewSecret:
    """Sign with a new secret or key pair; for a day with the old one as well, so that the receiver can change in peace.

    Raises:
        NotAllowed: staff may not manage partners there.
        RuleBroken: no messages go to this partner.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    if locked.carrier != Carrier.WEBHOOK:
        raise RuleBroken.at("carrier", locked.carrier, _("Nothing is signed for this partner."), "not_signed")
    told = _renew_secret(locked)
    locked.save(update_fields=["secret", "old_secret", "secret_made_at"])
    record(staff, actions.PARTNER_SECRET_ROTATED, union=locked.union, target=locked)
    return NewSecret(locked, told)


@transaction.atomic
def pause(*, staff: Staff | Operator, partner: Partner) -> Partner:
    """Send nothing until `resume`; what changes waits. Harmless when it is paused already.

    Raises:
        NotAllowed: staff may not manage partners there.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    if not locked.is_paused:
        locked.paused_at, locked.pause_reason = timezone.now(), PauseReason.STAFF
        locked.save(update_fields=["paused_at", "pause_reason"])
        record(staff, actions.PARTNER_PAUSED, union=locked.union, target=locked)
    return locked


@transaction.atomic
def resume(*, staff: Staff | Operator, partner: Partner) -> Partner:
    """Send again, at once and whatever failed before.

    Raises:
        NotAllowed: staff may not manage partners there.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    _forget_failures(locked)
    locked.paused_at, locked.pause_reason = None, PauseReason.NONE
    locked.save()
    record(staff, actions.PARTNER_RESUMED, union=locked.union, target=locked)
    return locked


@transaction.atomic
def send_everything(*, staff: Staff | Operator, partner: Partner) -> int:
    """Let all that a partner should show wait to be sent once more, and a file go now; returns how many places.

    Raises:
        NotAllowed: staff may not manage partners there.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    _forget_failures(locked)
    locked.save()
    count = _everything_once_more(locked)
    record(staff, actions.EVERYTHING_SENT_AGAIN, union=locked.union, target=locked, details={"places": count})
    return count


@transaction.atomic
def replay_dead_letters(*, staff: Staff | Operator, partner: Partner, listings: Iterable[Any] | None = None) -> int:
    """Let dead letters wait anew: all of a partner, or those with the given public ids; returns how many.

    What goes is how the place stands by then, so that no old state takes the place of a newer one.

    Raises:
        NotAllowed: staff may not manage partners there.
    """
    policy.require(staff, MANAGE_PARTNERS, partner.union)
    locked = _locked(partner)
    dead = Listing.every.filter(partner=locked, died_at__isnull=False)
    if listings is not None:
        dead = dead.filter(public_id__in=list(listings))
    count: int = dead.update(
        died_at=None, is_waiting=True, attempts=0, failing_since=None, last_answer="", changed_at=timezone.now()
    )
    if count:
        _forget_failures(locked)
        locked.save()
        record(staff, actions.DEAD_LETTERS_REPLAYED, union=locked.union, target=locked, details={"places": count})
    return count


def authenticate(key: str) -> Partner | None:
    """The partner whose present or still valid earlier key this is."""
    if not key.startswith(PREFIX) or len(key) > 100:
        return None
    known, now = digest(key), timezone.now()
    partner = (
        Partner.every.select_related("union")
        .filter(Q(key_digest=known) | Q(old_key_digest=known, old_key_ends_at__gt=now))
        .first()
    )
    if partner is not None and (partner.key_used_at is None or now - partner.key_used_at > _LAST_USE_COUNTS_AFTER):
        Partner.every.filter(pk=partner.pk).update(key_used_at=now)
    return partner


def _locked(partner: Partner) -> Partner:
    locked: Partner = Partner.every.select_for_update(of=("self",)).select_related("union").get(pk=partner.pk)
    return locked


def _forget_failures(partner: Partner) -> None:
    partner.failures, partner.failing_since, partner.told_failing_at = 0, None, None
    partner.due_at, partner.batch = None, MOST_IN_A_BATCH


def _everything_once_more(partner: Partner) -> int:
    count: int = Listing.every.filter(partner=partner, is_wanted=True).update(
        turn=F("turn") + 1,
        is_waiting=True,
        died_at=None,
        attempts=0,
        failing_since=None,
        state="pending",
        changed_at=timezone.now(),
    )
    return count


def _hint(key: str) -> str:
    return key[: len(PREFIX) + 4]


def _renew_secret(partner: Partner) -> str:
    """Make a new secret, and what is shown of it: of a key pair the public key."""
    partner.old_secret = partner.secret
    if partner.signing == Signing.ED25519:
        partner.secret, told = new_key_pair()
    else:
        partner.secret = told = new_secret()
    partner.secret_made_at = timezone.now()
    return told


def _apply(partner: Partner, columns: dict[str, Any]) -> str:
    """Put the columns in place, with the keys that they need; returns what is shown of a new signing secret."""
    was_signed_by = partner.signing
    for name, value in columns.items():
        setattr(partner, name, value)
    if partner.carrier == Carrier.SFTP and not partner.private_key:
        partner.private_key = new_ssh_key()
    if partner.carrier == Carrier.WEBHOOK and (not partner.secret or was_signed_by != partner.signing):
        return _renew_secret(partner)
    return ""
