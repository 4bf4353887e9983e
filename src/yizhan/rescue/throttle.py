"""How many calls one client may make within an hour; nothing by which a client could be known is kept.

Many phones share one address of their carrier, so the limits are for machines, not for people.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.throttling import times_within_the_hour

PER_ADDRESS: Final = 40
PER_PHONE: Final = 6


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
    if times_within_the_hour("rescue", who) > limit:
        raise TooMany
