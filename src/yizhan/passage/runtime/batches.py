"""Which batches have been judged already: who repeats one gets the same answer, and nobody is judged twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from yizhan.passage.services.log import Passed

from .decoding import Rejected
from .world import PlaceSeen

REPEATED_WITHIN_S = 3600  # for how long a restarted stream still knows the batches before it
MOST_REMINDERS = 200_000  # in the answers that are kept in memory
MOST_WITHOUT = 2_000  # answers that are kept of batches that reminded nobody


@dataclass(frozen=True, slots=True)
class Reminding:
    """A reminder of a batch: what the log holds of it, its place, and what the sender calls the vehicle."""

    passed: Passed
    place: PlaceSeen
    name: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch that has been judged. Its reminders go out when `written` says that they are in the log.

    Attributes:
        content: digest of the body, to tell a repeated batch from another one under the same key.
        written: the ids of those reminders that the log holds.
    """

    content: bytes
    accepted: int
    rejected: list[Rejected]
    rejected_count: int
    reminding: list[Reminding]
    written: Future[set[UUID]]


class Digests:
    """Keyed digests of batches: without the key nobody can tell by trying what a batch held."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, source: int, text: bytes | memoryview) -> bytes:
        """16 bytes that stand for a body, or for a key that the sender gave."""
        salt = source.to_bytes(8, "big", signed=True)
        return blake2b(text, digest_size=16, key=self._key, salt=salt, person=b"passage batch").digest()


class Answers:
    """The last batches with what came of them, by their keys. Used by one thread.

    Those that reminded nobody are many and can be judged again without harm: they do not push out the others.
    """

    def __init__(self, *, most_reminders: int = MOST_REMINDERS, most_without: int = MOST_WITHOUT) -> None:
        self._most_reminders, self._most_without = most_reminders, most_without
        self._reminding: OrderedDict[UUID, Judged] = OrderedDict()
        self._without: OrderedDict[UUID, Judged] = OrderedDict()
        self._reminders = 0

    def get(self, key: UUID) -> Judged | None:
        """What came of the batch, if it was among the last ones and did not fail."""
        judged = self._reminding.get(key) or self._without.get(key)
        if judged is not None and judged.written.done() and judged.written.exception() is not None:
            self._drop(key)
            return None
        return judged

    def keep(self, key: UUID, judged: Judged) -> None:
        """Keep what came of a batch; the oldest gives way, but none that still waits to be written."""
        if not judged.reminding:
            self._without[key] = judged
            if len(self._without) > self._most_without:
                self._without.popitem(last=False)
            return
        self._reminding[key] = judged
        self._reminders += len(judged.reminding)
        while self._reminders > self._most_reminders:
            oldest = next(iter(self._reminding))
            if not self._reminding[oldest].written.done():
                return
            self._drop(oldest)

    def _drop(self, key: UUID) -> None:
        self._reminders -= len(self._reminding.pop(key).reminding)


def by_batch(reminders: Iterable[tuple[Passed, PlaceSeen]]) -> dict[UUID, list[tuple[Passed, PlaceSeen]]]:
    """Reminders of the log by the batch that caused them."""
    found: dict[UUID, list[tuple[Passed, PlaceSeen]]] = {}
    for passed, place in reminders:
        if passed.batch is not None:
            found.setdefault(passed.batch, []).append((passed, place))
    return found
