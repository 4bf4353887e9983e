"""What is given to the stream and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from yizhan.geo.passage import PassageKernel
from yizhan.passage.models import Reminder
from yizhan.passage.pseudonyms import vehicle_number
from yizhan.passage.services.log import Passed

from .decoding import Batch, BatchRefused, Rejected
from .showing import Reminded
from .world import PlaceSeen, World


class NotNow(Exception):
    """The stream cannot take the batch at this moment; the sender should repeat it soon."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch."""

    accepted: int
    rejected: list[Rejected]
    rejected_count: int
    reminded: list[Reminded]


class Reader(Protocol):
    """Reads a body."""

    def __call__(self, body: bytes, *, now_ms: int) -> Batch:
        """The batch; raises BatchRefused."""
        ...


class Numbers(dict[str, int]):
    """The vehicle numbers of one source, by the names that it uses."""

    def __init__(self, key: bytes, source: int) -> None:
        super().__init__()
        self._key, self._source = key, source

    def __missing__(self, name: str) -> int:
        found = self[name] = vehicle_number(self._key, self._source, name)
        return found


def of_the_log(row: Reminder) -> tuple[Passed, PlaceSeen]:
    """A row of the log as the stream knows what it has judged itself."""
    passed = Passed(
        public_id=row.public_id,
        vehicle=row.vehicle,
        place=row.place_id,
        union=row.union_id,
        source=row.source_id,
        passed_at=row.passed_at,
        distance_m=row.distance_m,
        is_simulated=row.is_simulated,
        batch=row.batch,
    )
    place, union = row.place, row.union
    seen = PlaceSeen(place.pk, place.public_id, place.name, union.pk, union.path, place.lon, place.lat)
    return passed, seen


def key_reused() -> BatchRefused:
    """The refusal of another body under a key that was used."""
    return BatchRefused("key_reused", "this Idempotency-Key came with another body before", status=422)


def milliseconds(moment: datetime) -> int:
    """UTC epoch milliseconds of an aware moment."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def warm_up(world: World) -> None:
    """Compile the kernels: the first batch must not wait for that."""
    kernel = PassageKernel(world.stations)
    one = np.ones(1, np.int64)
    kernel.feed(one, one, one * 113.0, one * 34.0, one * 5.0)
