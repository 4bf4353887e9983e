"""Live events: each subscriber gets those of their union and below, and a slow one holds up nobody.

The form of the events is told in docs/developers/live-events.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from . import metrics

HEARTBEAT_S = 15.0
LONGEST_STREAM_S = 3600.0
MOST_WAITING = 256
MOST_REPLAYED = 500
MOST_SUBSCRIBERS = 500


class TooManySubscribers(Exception):
    """No further stream can be opened now."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to be sent. Those that the next one of their kind makes up for may be left out."""

    frame: bytes
    may_be_left_out: bool = True


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    union_path: str
    event: Event


@dataclass(slots=True, eq=False)
class Subscriber:
    """One open stream, of a union's watcher."""

    union_path: str
    waiting: deque[Event] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    missed: int = 0
    ended: bool = False

    def sees(self, union_path: str) -> bool:
        """Whether what belongs to a union is for them."""
        return not self.ended and union_path.startswith(self.union_path)

    def sees_simulation(self, union_path: str) -> bool:
        """Whether a simulation run by a union is shown to them: above and below it, for it is nobody's data."""
        return self.sees(union_path) or (not self.ended and self.union_path.startswith(union_path))

    def give(self, event: Event) -> None:
        """Queue an event. When they read too slowly, the oldest that can be left out goes first; each is counted."""
        if len(self.waiting) >= MOST_WAITING:
            self.missed += 1
            metrics.EVENTS_DROPPED.inc()
            least = next((i for i, waiting in enumerate(self.waiting) if waiting.may_be_left_out), None)
            if least is None and event.may_be_left_out:
                return
            del self.waiting[least or 0]
        self.waiting.append(event)
        self.arrived.set()


def event(name: str, data: dict[str, Any], *, event_id: str = "") -> Event:
    """One event in the form of `text/event-stream`; one with an id is not left out."""
    head = f"id: {event_id}\n" if event_id else ""
    return Event(f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n", not event_id)


def reminder_event(event_id: str, data: dict[str, Any]) -> Event:
    """One reminder."""
    return event("reminder", data, event_id=event_id)


class Hub:
    """All open streams of this process, and the latest reminders for those that come back."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._latest: deque[_Kept] = deque(maxlen=MOST_REPLAYED)

    def __len__(self) -> int:
        return len(self._subscribers)

    def publish_reminder(self, event_id: str, union_path: str, data: dict[str, Any]) -> None:
        """Show a reminder to those who may see the union of its place."""
        made = reminder_event(event_id, data)
        self._latest.append(_Kept(event_id, union_path, made))
        for subscriber in self._subscribers:
            if subscriber.sees(union_path):
                subscriber.give(made)

    def publish_simulation(self, union_path: str, events: list[Event]) -> None:
        """Show what a union simulates."""
        for subscriber in self._subscribers:
            if subscriber.sees_simulation(union_path):
                for each in events:
                    subscriber.give(each)

    def open(self, union_path: str, *, last_event_id: str = "") -> Subscriber:
        """A new stream, which begins with the reminders that came after `last_event_id`.

        Raises:
            TooManySubscribers: this process serves enough of them.
        """
        if len(self._subscribers) >= MOST_SUBSCRIBERS:
            raise TooManySubscribers
        subscriber = Subscriber(union_path)
        for kept in self._after(last_event_id):
            if subscriber.sees(kept.union_path):
                subscriber.give(kept.event)
        self._subscribers.add(subscriber)
        metrics.SUBSCRIBERS.set(len(self._subscribers))
        return subscriber

    def close(self, subscriber: Subscriber) -> None:
        """Forget a stream."""
        self._subscribers.discard(subscriber)
        metrics.SUBSCRIBERS.set(len(self._subscribers))

    def end_all(self) -> None:
        """End all streams and forget what was kept: unions have moved in the tree. May be called from any thread."""
        self._latest.clear()
        for subscriber in list(self._subscribers):
            subscriber.ended = True

    async def frames(self, subscriber: Subscriber) -> AsyncIterator[bytes]:
        """What the subscriber reads, until they leave or the stream has lasted long enough."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + LONGEST_STREAM_S
        try:
            yield b"retry: 3000\n\n"
            while loop.time() < ends and not subscriber.ended:
                if not subscriber.waiting:
                    subscriber.arrived.clear()
                    try:
                        await asyncio.wait_for(subscriber.arrived.wait(), HEARTBEAT_S)
                    except TimeoutError:
                        yield b": keep\n\n"
                        continue
                yield b"".join(each.frame for each in subscriber.waiting)
                subscriber.waiting.clear()
        finally:
            self.close(subscriber)

    def holds(self, event_id: str) -> bool:
        """Whether a reminder was shown lately."""
        return any(kept.id == event_id for kept in self._latest)

    def remembers(self, event_id: str) -> bool:
        """Whether nothing that came after an event has been forgotten here."""
        return bool(self._latest) and self._latest[0].id <= event_id

    def _after(self, last_event_id: str) -> list[_Kept]:
        # Identifiers are UUIDv7: made later, sorted later.
        return [kept for kept in self._latest if kept.id > last_event_id] if last_event_id else []
