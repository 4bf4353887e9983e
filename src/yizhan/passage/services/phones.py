"""Phones that a fleet's reminders are pushed to, without anybody saying whose they are.

A phone gives the address at which its browser's maker takes notices (Web Push), and gets a code of eight digits. Its
owner enters the code in the company's app; the company's server tells us with its key to which vehicle it belongs. We
know a pseudonym and an address, and keep the address encrypted.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yizhan.passage.models import Phone, PingSource
from yizhan.passage.pseudonyms import pseudonym_key
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.webhooks import problem_of

from .announcements import WISHES, announce
from .sources import digest
from .wishes import number_of

CODE_HOLDS = timedelta(minutes=10)
UNPAIRED_KEPT = timedelta(hours=1)
LONGEST_ENDPOINT = 1_000
MOST_PHONES_OF_A_VEHICLE = 5
_KEY_BYTES = {"p256dh": 65, "auth": 16}


class NoSuchPhone(Exception):
    """No phone has this token."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A phone that waits to be paired. `token` is its own key, `code` what its owner enters; both are shown once."""

    phone: Phone
    token: str
    code: str


@transaction.atomic
def register(subscription: Mapping[str, Any]) -> Registered:
    """Note a phone's address for notices, which will speak the language that is spoken now.

    Args:
        subscription: as the browser gives it (`PushSubscription.toJSON()`): `endpoint` and `keys` (`p256dh`, `auth`).

    Raises:
        RuleBroken: it is no such thing.
    """
    endpoint, keys = _checked(subscription)
    now = timezone.now()
    Phone.every.filter(source=None, created_at__lt=now - UNPAIRED_KEPT).delete()
    token = secrets.token_urlsafe(24)
    while True:
        code = f"{secrets.randbelow(10**8):08d}"
        if not Phone.every.filter(code_digest=_kept(code)).exists():
            break
    phone = Phone.every.create(
        subscription=json.dumps({"endpoint": endpoint, "keys": keys, "language": get_language()}),
        token_digest=digest(token),
        code_digest=_kept(code),
        code_until=now + CODE_HOLDS,
    )
    return Registered(phone, token, code)


@transaction.atomic
def pair(source: PingSource, vehicle: str, *, code: str) -> Phone:
    """Let the vehicle's reminders go to the phone that shows the code. Idempotent while the code holds.

    Raises:
        RuleBroken: nobody shows this code now, or the vehicle has phones enough.
    """
    number = number_of(source, vehicle)
    found: Phone | None = (
        Phone.every.select_for_update().filter(code_digest=_kept(code), code_until__gte=timezone.now()).first()
    )
    if found is None or (found.source_id is not None and (found.source_id, found.vehicle) != (source.pk, number)):
        raise RuleBroken([Problem("code", code, _("no phone shows this code now; it holds for 10 minutes"), "code")])
    others = Phone.every.filter(source=source, vehicle=number).exclude(pk=found.pk)
    if others.count() >= MOST_PHONES_OF_A_VEHICLE:
        rule = _("has %(most)s phones already") % {"most": MOST_PHONES_OF_A_VEHICLE}
        raise RuleBroken([Problem("vehicle", vehicle, rule, "too_many")])
    if found.source_id is None:
        found.source, found.vehicle, found.paired_at = source, number, timezone.now()
        found.save(update_fields=["source", "vehicle", "paired_at"])
        announce(WISHES)
    return found


def phone_of(token: str) -> Phone:
    """The phone whose token it is.

    Raises:
        NoSuchPhone: nobody's, or forgotten.
    """
    found: Phone | None = Phone.every.filter(token_digest=digest(token)).first()
    if found is None:
        raise NoSuchPhone
    return found


@transaction.atomic
def forget(token: str) -> None:
    """Forget a phone with all that waits for it. Harmless where it is forgotten already."""
    Phone.every.filter(token_digest=digest(token)).delete()
    announce(WISHES)


def _kept(code: str) -> str:
    """What is kept of a code; keyed, for whoever read the database could try all eight digits."""
    return blake2b(code.encode(), digest_size=32, key=pseudonym_key(), person=b"passage code").hexdigest()


def _checked(subscription: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    endpoint = subscription.get("endpoint")
    keys = subscription.get("keys")
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST_ENDPOINT:
        raise RuleBroken([Problem("endpoint", endpoint, _("must be an https address of a push service"), "endpoint")])
    if problem := problem_of(endpoint):
        raise RuleBroken([Problem("endpoint", endpoint, problem, "endpoint")])
    found = {}
    for name, size in _KEY_BYTES.items():
        value = keys.get(name) if isinstance(keys, Mapping) else None
        if not isinstance(value, str) or len(_decoded(value)) != size:
            rule = _("must be %(size)s bytes in base64url") % {"size": size}
            raise RuleBroken([Problem(f"keys.{name}", value, rule, "key")])
        found[name] = value
    return endpoint, found


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
