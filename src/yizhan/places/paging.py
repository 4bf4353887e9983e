"""Long lists in pages: the next page begins after the last place of this one, whatever was changed in between."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from .index import Line, PlaceIndex

_FORM = struct.Struct(">dd16s")


class BadCursor(ValueError):
    """A cursor that no answer of ours has given."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last place of a page: what ordered it, and its public identifier."""

    first: float
    second: float
    public_id: UUID

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises BadCursor."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            first, second, identifier = _FORM.unpack(raw)
        except (ValueError, binascii.Error, struct.error):
            raise BadCursor(text) from None
        if not (math.isfinite(first) and math.isfinite(second)):
            raise BadCursor(text)
        return cls(first, second, UUID(bytes=identifier))

    def __str__(self) -> str:
        raw = _FORM.pack(self.first, self.second, self.public_id.bytes)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a line: places in order with what ordered them, how many the line has, and where the next begins."""

    places: list[int]
    first: list[float]
    second: list[float]
    total: int
    next: Cursor | None


def part_of(index: PlaceIndex, line: Line, *, limit: int, after: Cursor | None = None) -> Part:
    """The places of a line in order: at most `limit` after a cursor."""
    order = index.identifier_order[line.places]
    keys: tuple[NDArray[np.float64] | NDArray[np.int64], ...] = (line.first, line.second, order)
    rows = np.arange(len(line.places))
    if after is not None:
        rows = rows[_comes_after(keys, after, bisect_right(index.by_identifier, str(after.public_id)))]
    left = len(rows)
    rows = _smallest(rows, keys, limit)
    rows = rows[np.lexsort(tuple(key[rows] for key in reversed(keys)))]
    places = line.places[rows].tolist()
    first, second = line.first[rows].tolist(), line.second[rows].tolist()
    more = left > len(rows) and bool(places)
    last = Cursor(first[-1], second[-1], index.snapshot.public_ids[places[-1]]) if more else None
    return Part(places, first, second, len(line.places), last)


def _comes_after(
    keys: tuple[NDArray[np.float64] | NDArray[np.int64], ...], cursor: Cursor, identifiers: int
) -> NDArray[np.bool_]:
    first, second, order = keys
    level = first == cursor.first
    beyond: NDArray[np.bool_] = first > cursor.first
    beyond |= level & (second > cursor.second)
    beyond |= level & (second == cursor.second) & (order >= identifiers)
    return beyond


def _smallest(
    rows: NDArray[np.int64], keys: tuple[NDArray[np.float64] | NDArray[np.int64], ...], count: int
) -> NDArray[np.int64]:
    """The `count` rows with the smallest keys, unordered, without sorting all of them."""
    chosen: list[NDArray[np.int64]] = []
    for key in keys:
        if len(rows) <= count:
            break
        values = key[rows]
        edge = np.partition(values, count - 1)[count - 1]
        before = rows[values < edge]
        chosen.append(before)
        rows, count = rows[values == edge], count - len(before)
    return np.concatenate([*chosen, rows[:count]])
