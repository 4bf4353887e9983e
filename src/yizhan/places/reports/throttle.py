"""How often one client, and everybody together, may report; nothing by which a client could be known is kept.

Counts stand in the shared cache under a keyed hash of the network address. The key changes daily and is forgotten.
Many phones share one address of their carrier, so the limits are for machines, not for people.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem, RuleBroken

_HOUR: Final = 3600
PER_CLIENT_AND_PLACE: Final = 10
PER_CLIENT: Final = 60
PER_PLACE: Final = 120


class TooMany(RuleBroken):
    """Too many reports within an hour; becomes HTTP 429."""

    def __init__(self) -> None:
        super().__init__(
            Problem("", "", _("Too many reports came in just now. Try again in an hour, or call 12351."), "too_many")
        )


@dataclass(frozen=True, slots=True)
class _Counter:
    key: str
    limit: int


def count_report(address: str | None, place: UUID) -> None:
    """Count one report from a network address about a place.

    Raises:
        TooMany: a limit is reached; then nothing is counted.
    """
    hour = timezone.now().strftime("%Y%m%d%H")
    counters = [_Counter(f"reports:place:{place}:{hour}", PER_PLACE)]
    if address:
        counters += [
            _Counter(f"reports:client:{_pseudonym(address)}:{hour}", PER_CLIENT),
            _Counter(f"reports:both:{_pseudonym(f'{address} {place}')}:{hour}", PER_CLIENT_AND_PLACE),
        ]
    seen = cache.get_many([counter.key for counter in counters])
    if any(seen.get(counter.key, 0) >= counter.limit for counter in counters):
        raise TooMany
    for counter in counters:
        if not cache.add(counter.key, 1, _HOUR):
            try:
                cache.incr(counter.key)
            except ValueError:  # it ran out in between
                cache.add(counter.key, 1, _HOUR)


def _pseudonym(text: str) -> str:
    day = timezone.localdate().isoformat()
    salt = str(cache.get_or_set(f"reports:salt:{day}", lambda: secrets.token_hex(32), 24 * _HOUR))
    return hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
