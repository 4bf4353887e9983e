"""Numbers changes as they are announced, in a thread of its own."""

from __future__ import annotations

from yizhan.places.listening import Announcements, Listener

from .services.sequence import TOUCHED_CHANNEL, sequence_changes


def sequencer() -> Listener:
    """Listens for changes and gives them numbers at once."""
    return Listener("feeds-sequencer", (TOUCHED_CHANNEL,), begin=_number, hear=_hear)


def _hear(heard: Announcements) -> None:
    if heard:
        _number()


def _number() -> None:
    sequence_changes()
