"""Live streams of rescue: who follows what, and what they are told. All of it in one event loop, without a database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, Final

from yizhan.passage.runtime.live import Event, event

from .live_tokens import Watch
from .queries.live import Asked, Followed

KEEP_S: Final = 15.0
LONGEST_STREAM_S: Final = 3600.0
MOST_STREAMS: Final = 10_000
# A desk hears at most this often that something changed: its page is drawn as a whole.
BOARD_PAUSE_S: Final = 1.0


class TooManyStreams(Exception):
    """No further stream can be opened now."""


class Stream:
    """One open page. Of each kind of event only the newest waits: it says all that the earlier ones said."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.waiting: dict[str, Event] = {}
        self.arrived = asyncio.Event()

    def give(self, name: str, data: dict[str, Any], *, event_id: str = "") -> None:
        """Queue an event."""
        self.waiting[name] = event(name, data, event_id=event_id)
        self.arrived.set()


class Streams:
    """All open streams of this process."""

    def __init__(self) -> None:
        self._open: dict[Watch, set[Stream]] = defaultdict(set)
        self._held: dict[int, Followed] = {}  # of calls that someone follows
        self._coming: dict[int, set[int]] = defaultdict(set)  # the followed calls in a rescuer's hands
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def calls(self) -> set[int]:
        """The row numbers of the calls that someone follows."""
        return {int(watch.what) for watch in list(self._open) if watch.kind == "call"}

    @property
    def rescuers(self) -> set[int]:
        """The row numbers of the rescuers whose page is open."""
        return {int(watch.what) for watch in list(self._open) if watch.kind == "rescuer"}

    @property
    def has_boards(self) -> bool:
        """Whether a desk's board is open."""
        return any(watch.kind == "board" for watch in list(self._open))

    def coming(self, rescuers: Iterable[int]) -> list[Followed]:
        """The followed calls to which one of these rescuers is on the way."""
        return [self._held[call] for who in rescuers for call in self._coming.get(who, ()) if call in self._held]

    def open(self, watch: Watch) -> Stream:
        """A new stream.

        Raises:
            TooManyStreams: this process serves enough of them.
        """
        if self._count >= MOST_STREAMS:
            raise TooManyStreams
        stream = Stream(watch)
        self._open[watch].add(stream)
        self._count += 1
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream, and what only it followed."""
        streams = self._open.get(stream.watch)
        if streams is None or stream not in streams:
            return
        streams.discard(stream)
        self._count -= 1
        if not streams:
            del self._open[stream.watch]
            if stream.watch.kind == "call":
                self._forget(int(stream.watch.what))

    def knows(self, call: Followed) -> None:
        """A call is as told: its followers hear its version, and the positions of whoever holds it from now on."""
        followers = self._open.get(Watch("call", str(call.pk)))
        if followers:
            self._forget(call.pk)
            self._held[call.pk] = call
            if call.rescuer is not None:
                self._coming[call.rescuer].add(call.pk)
            for stream in followers:
                stream.give("call", {"version": call.version, "state": call.state}, event_id=str(call.version))

    def lacks(self, call: int) -> None:
        """Nothing is known of a call any more."""
        self._forget(call)

    def tells(self, asked: Mapping[int, Asked | None]) -> None:
        """What waits for the answer of these rescuers, None for nothing; what else they see may have changed, too."""
        for who, offer in asked.items():
            for stream in self._open.get(Watch("rescuer", str(who)), ()):
                stream.give("changed", {"offer": _shown(offer) if offer else None})

    def moves(self, call: int, lon: float, lat: float, minutes: int | None) -> None:
        """Whoever holds a call has moved."""
        for stream in self._open.get(Watch("call", str(call)), ()):
            stream.give("position", {"lon": round(lon, 5), "lat": round(lat, 5), "minutes": minutes})

    def changes(self, union_paths: Iterable[str]) -> None:
        """Something changed in these unions: the desks of their cities look anew."""
        paths = set(union_paths)
        for watch, streams in self._open.items():
            if watch.kind == "board" and any(path.startswith(watch.what) for path in paths):
                for stream in streams:
                    stream.give("changed", {})

    async def frames(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        """What a page reads, until it leaves or the stream has lasted long enough."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + LONGEST_STREAM_S
        pause_s = BOARD_PAUSE_S if stream.watch.kind == "board" else 0.0
        try:
            yield b"retry: 3000\n\n" + event("hello", {"version": 1}).frame
            while loop.time() < ends:
                if not stream.waiting:
                    stream.arrived.clear()
                    try:
                        await asyncio.wait_for(stream.arrived.wait(), KEEP_S)
                    except TimeoutError:
                        yield event("keep", {}).frame  # an event, so that the page knows that it is not cut off
                        continue
                told = b"".join(each.frame for each in stream.waiting.values())
                stream.waiting.clear()
                yield told
                if pause_s:
                    await asyncio.sleep(pause_s)
        finally:
            self.close(stream)

    def _forget(self, call: int) -> None:
        known = self._held.pop(call, None)
        if known is not None and known.rescuer is not None:
            coming = self._coming[known.rescuer]
            coming.discard(call)
            if not coming:
                del self._coming[known.rescuer]


def _shown(offer: Asked) -> dict[str, Any]:
    return {
        "id": offer.id,
        "problem": offer.problem,
        "is_injured": offer.is_injured,
        "expires_at": offer.expires_at,
        "travel_s": offer.travel_s,
    }
