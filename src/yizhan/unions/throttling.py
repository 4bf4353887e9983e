"""Counting what one client asks for; nothing by which a client could be known is kept."""

from __future__ import annotations

from typing import Final

from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

_HOUR_S: Final = 3600


def times_within_the_hour(purpose: str, who: str) -> int:
    """Count once more, and say how often that makes within this hour of the clock.

    Counts stand in the shared cache under a keyed hash.

    Args:
        purpose: What is counted: the same client counts anew for each.
        who: By what the client is told apart, such as its network address.
    """
    hour = timezone.now().strftime("%Y%m%d%H")
    hashed = salted_hmac(f"{purpose}.throttle", f"{who} {hour}", algorithm="sha256").hexdigest()[:32]
    key = f"{purpose}:{hashed}"
    if cache.add(key, 1, _HOUR_S):
        return 1
    try:
        count: int = cache.incr(key)
    except ValueError:  # it ran out in between
        cache.add(key, 1, _HOUR_S)
        return 1
    return count
