"""What the picture on a live ticket holds: which redemption, made when, under the house's own seal; digits alone.

    81, the redemption's public id (39 digits), the time in steps of 15 s (9 digits), a seal of 60 bits (19 digits)

A ticket is drawn anew every few seconds by the worker's page from what the server sends. A recording of one is too old
soon after, and a ticket that was served is not served again.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from .codes import plain_digits

STEP_S: Final = 15
STEPS_AFTER: Final = 4
PREFIX: Final = "81"
_DIGITS: Final = len(PREFIX) + 39 + 9 + 19


class TicketRejected(Exception):
    """`reason` is stable: not one of ours, or too old."""

    def __init__(self, reason: Literal["not_a_ticket", "too_old"]) -> None:
        super().__init__(reason)
        self.reason = reason


def ticket_text(redemption: UUID, at: float) -> str:
    """The digits for a redemption at a time (UTC epoch seconds)."""
    said = f"{redemption.int:039}{int(at // STEP_S):09}"
    return PREFIX + said + _seal(said)


def is_ticket(text: str) -> bool:
    """Whether a scanned text has the form of a ticket."""
    said = plain_digits(text)
    return len(said) == _DIGITS and said.startswith(PREFIX) and said.isdecimal()


def read_ticket(text: str, at: float) -> UUID:
    """Which redemption a scanned ticket shows.

    Raises:
        TicketRejected: not sealed by us, or recorded a while ago.
    """
    if not is_ticket(text):
        raise TicketRejected("not_a_ticket")
    said = plain_digits(text)[len(PREFIX) :]
    body, seal = said[:48], said[48:]
    number = int(body[:39])
    if not constant_time_compare(_seal(body), seal) or number >> 128:
        raise TicketRejected("not_a_ticket")
    if not -1 <= int(at // STEP_S) - int(body[39:]) <= STEPS_AFTER:
        raise TicketRejected("too_old")
    return UUID(int=number)


def _seal(said: str) -> str:
    digest = salted_hmac("yizhan.benefits.tickets", said, algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8]) >> 4:019}"
