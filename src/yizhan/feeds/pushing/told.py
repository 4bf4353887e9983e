"""What stands under a number of the change sequence, remembered by the worker: every partner is told the same.

What was said under a number never changes, so a worker with six partners reads each change once instead of twelve
times.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from django.db.models import BigIntegerField, Func

from yizhan.feeds.models import PlaceChange

MOST_REMEMBERED = 4_000  # some ten megabytes
# A number of the sequence and the microsecond at which it was given: a restored backup may give the number anew.
Number = tuple[int, int]


class Microsecond(Func):
    """A moment as a whole number, which is read several times as fast as a moment."""

    template = "(extract(epoch FROM %(expressions)s) * 1000000)::bigint"
    output_field = BigIntegerField()


class Memory:
    """The changes that were read last. Belongs to whoever has the worker's connection, one at a time."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._changes: OrderedDict[Number, PlaceChange] = OrderedDict()

    def recall(self, numbers: Iterable[Number]) -> list[PlaceChange]:
        """The changes that stand under these numbers, in their order, without those that have moved on meanwhile."""
        asked = list(numbers)
        missing = [sequence for sequence, at in asked if (sequence, at) not in self._changes]
        fresh: dict[Number, PlaceChange] = {}
        if missing:
            changes = PlaceChange.objects.filter(sequence__in=missing).annotate(microsecond=Microsecond("at"))
            fresh = {(change.sequence, change.microsecond): change for change in changes}
        found = [change for number in asked if (change := fresh.get(number) or self._changes.get(number)) is not None]
        self._changes.update(fresh)
        while len(self._changes) > self._most:
            self._changes.popitem(last=False)
        return found
