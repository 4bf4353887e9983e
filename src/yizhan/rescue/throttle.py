"""How many calls one client may make within an hour; nothing by which a client could be known is kept.

Many phones share one address of their carrier, so the limits are for machines, not for people.
"""

from __future__ import annotations

from typing import Final

from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem, RuleBroken

PER_ADDRESS: Final = 40
PER_PHONE: Final = 6
_HOUR: Final = 3600


class TooMany(RuleBroken):
    """Too many calls within an hour; becomes HTTP 429."""

    def __init__(self) -> None:
        super().__init__(
            Problem("", "", _("Too many calls came from here within the hour. Please telephone 12351."), "too_many")
        )


def count_call(address: str | None, phone: str | None) -> None:
    """Count one call from a network address and a telephone number.

    Raises:
        TooMany: a limit is reached.
    """
    if address:
        _count(f"address {address}", PER_ADDRESS)
    if phone:
        _count(f"phone {phone}", PER_PHONE)


def _count(who: str, limit: int) -> None:
    hour = timezone.now().strftime("%Y%m%d%H")
    key = f"rescue:{salted_hmac('rescue.throttle', f'{who} {hour}', algorithm='sha256').hexdigest()[:32]}"
    if cache.add(key, 1, _HOUR):
        return
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out in between
        cache.add(key, 1, _HOUR)
        return
    if count > limit:
        raise TooMany
