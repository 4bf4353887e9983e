"""What goes to a partner at once, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any
from uuid import UUID

from yizhan.feeds.models import Partner
from yizhan.unions.webhooks import Answer


@dataclass(frozen=True, slots=True)
class Item:
    """One place on its way.

    Attributes:
        shown: What the partner is to know of it, under our names; for a place that is gone, its number and why.
        gone: Why it must be taken down; empty: it is to be shown.
        turn: Grows when the same state goes once more, so that the receiver does not take it for a repetition.
    """

    listing: int
    place: UUID
    sequence: int
    turn: int
    shown: Mapping[str, Any]
    at: datetime
    gone: str = ""
    their_id: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether the partner is to show it."""
        return not self.gone

    @property
    def event_id(self) -> str:
        """The same in every attempt."""
        return f"{self.place}-{self.sequence}" + (f"-{self.turn}" if self.turn else "")


@dataclass(frozen=True)
class Load:
    """What goes to one partner at once; for a file, `everything` is all that it is to show."""

    partner: Partner
    items: Sequence[Item]
    everything: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def message_id(self) -> str:
        """The same in every attempt with the same items."""
        said = "\n".join([str(self.partner.public_id), *(item.event_id for item in self.items)])
        return f"msg_{blake2b(said.encode(), digest_size=16).hexdigest()}"


@dataclass(frozen=True)
class Result:
    """What became of a load.

    Attributes:
        taken: What has arrived.
        refused: What the partner does not want as it is, by listing, with its reason.
        their_ids: What the partner calls the places, by listing.
        is_confirmed: The partner itself took it; otherwise it only lies where it looks for it.
    """

    answer: Answer
    taken: Sequence[Item] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    their_ids: Mapping[int, str] = field(default_factory=dict)
    is_confirmed: bool = True
