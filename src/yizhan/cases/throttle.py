"""How often one client may bring cases; nothing by which a client could be known is kept.

Many phones share one address of their carrier, so the limits are for machines, not for people.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Worker
from yizhan.unions.throttling import times_within_the_hour

PER_ADDRESS: Final = 60  # an hour
PER_WORKER: Final = 20  # an hour


class TooMany(RuleBroken):
    """Too many cases within an hour; becomes HTTP 429."""

    def __init__(self) -> None:
        super().__init__(
            Problem("", "", _("Too much came in just now. Try again in an hour, or call 12351."), "too_many")
        )


def count_case(address: str | None, worker: Worker | None) -> None:
    """Count one case from a network address and a worker.

    Raises:
        TooMany: a limit is reached.
    """
    if worker is not None:
        _count(f"worker {worker.public_id}", PER_WORKER)
    elif address:
        _count(f"address {address}", PER_ADDRESS)


def count_key(client: str, limit: int) -> None:
    """Count one case from another system. Raises TooMany."""
    _count(f"client {client}", limit)


def _count(who: str, limit: int) -> None:
    if times_within_the_hour("cases", who) > limit:
        raise TooMany
