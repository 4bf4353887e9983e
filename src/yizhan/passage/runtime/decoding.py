"""Reads a batch of pings from JSON: what is right becomes columns, what is wrong is named row by row.

The usual batch is decoded by types in one go. Only a batch with a row that has not the right form is read again row by
row, so that one bad row costs its sender time, and nobody a ping.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite, nan
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from yizhan.geo import Datum, UnknownDatum, convert
from yizhan.passage.pings import Pings

from .names import Names

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_ROWS = 20_000
MAX_NAME = 64
MOST_LISTED = 100  # rejected rows that an answer names
AHEAD_MS = 5 * 60 * 1000  # a clock may run ahead by this much
LATE_MS = 24 * 3600 * 1000  # a vehicle may hand in what it buffered for a day
WEST, EAST, SOUTH, NORTH = 73.0, 136.0, 3.0, 54.0  # degrees, China with the South China Sea
NULL_ISLAND = 0.01  # degrees around 0, 0: what a receiver says before it knows

REASONS = {
    "row_form": "must be a list: vehicle, time, lon, lat, and accuracy_m if known; or an object of those names",
    "vehicle": f"vehicle must be a text of 1 to {MAX_NAME} characters or a whole number",
    "time": "time must be milliseconds since 1970 (UTC) as a whole number, or ISO 8601 with a time zone",
    "time_ahead": "time lies more than 5 minutes in the future",
    "time_late": "time lies more than 24 hours in the past (is it in seconds instead of milliseconds?)",
    "position": "lon must be -180 to 180 degrees and lat -90 to 90 degrees",
    "null_island": "position is 0, 0: the receiver did not know yet",
    "outside": "position lies outside of China (73 to 136 east, 3 to 54 north): are lon and lat swapped?",
    "accuracy": "accuracy_m must be metres from 0 up, or null",
}


class BatchRefused(Exception):
    """The whole batch cannot be read; nothing of it was taken."""

    def __init__(self, code: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.code, self.detail, self.status = code, detail, status


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was left out: its place in the batch, a stable code, and the rule in words."""

    index: int
    code: str

    @property
    def reason(self) -> str:
        """The rule that the row breaks."""
        return REASONS[self.code]


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """What a batch holds. `pings.vehicle` is not set yet (all 0): who knows the source gives the pseudonyms.

    Attributes:
        names: what the sender calls the vehicle of each ping.
        pings: those rows that are right, in WGS-84.
        rejected: the first of the other rows, in order, at most `MOST_LISTED`.
        rejected_count: how many other rows there are.
    """

    names: Names
    pings: Pings
    rejected: list[Rejected]
    rejected_count: int


class _Row(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    vehicle: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | int
    time: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    lon: float
    lat: float
    accuracy_m: float | None = None


class _Rows(msgspec.Struct):
    datum: str
    pings: list[_Row]


class _Anything(msgspec.Struct):
    datum: Any = None
    pings: Any = None


_usual = msgspec.json.Decoder(_Rows)
_anything = msgspec.json.Decoder(_Anything)


def read_batch(body: bytes, *, now_ms: int) -> Batch:
    """Read `{"datum": …, "pings": [[vehicle, time, lon, lat, accuracy_m], …]}`.

    Args:
        now_ms: the present, milliseconds since 1970: rows far from it are rejected.

    Raises:
        BatchRefused: too big, no JSON, no datum, or no list of pings.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BatchRefused("too_big", f"the body has {len(body)} bytes: at most {MAX_BODY_BYTES}", status=413)
    try:
        usual = _usual.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        datum, rows, numbers, rejected = _read_row_by_row(body)
    else:
        _check_count(usual.pings)
        return _judged(parse_datum(usual.datum), usual.pings, None, [], now_ms)
    return _judged(datum, rows, numbers, rejected, now_ms)


def _judged(datum: Datum, rows: list[_Row], numbers: list[int] | None, rejected: list[Rejected], now_ms: int) -> Batch:
    names, columns = _as_columns(rows)
    return judged_columns(names, columns, {}, datum=datum, now_ms=now_ms, numbers=numbers, rejected=rejected)


def _as_columns(rows: list[_Row]) -> tuple[Names, Columns]:
    columns = Columns(
        np.array([row.time for row in rows], np.int64),
        np.array([row.lon for row in rows], np.float64),
        np.array([row.lat for row in rows], np.float64),
        np.array([nan if row.accuracy_m is None else row.accuracy_m for row in rows], np.float64),
        np.array([row.accuracy_m is not None for row in rows], np.bool_),
    )
    return Names([str(row.vehicle) for row in rows]), columns


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that have the right form, as columns, and the others; nobody has judged times and places yet.

    Attributes:
        numbers: the place of each row among those that were read; None where it is its place in the columns.
    """

    names: Names
    columns: Columns
    numbers: list[int] | None
    rejected: list[Rejected]


def read_rows(rows: Iterable[object]) -> Rows:
    """Read rows one by one, each a list or an object as in a batch."""
    right, numbers, rejected = _each_row(rows)
    names, columns = _as_columns(right)
    return Rows(names, columns, numbers, rejected)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a batch says of its rows, as columns, before anybody judged them; `given`: whether accuracy was stated."""

    time_ms: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    accuracy_m: NDArray[np.float64]
    given: NDArray[np.bool_]


def judged_columns(
    names: Names,
    columns: Columns,
    wrong: dict[str, NDArray[np.bool_]],
    *,
    datum: Datum,
    now_ms: int,
    numbers: list[int] | None = None,
    rejected: list[Rejected] | None = None,
) -> Batch:
    """The rows that are right, in WGS-84, and the others with the first rule that each of them breaks.

    Args:
        wrong: rows that break a rule already, by its code.
        numbers: the place of each row in the batch, where it is not its place in the columns.
        rejected: rows that were left out before.
    """
    time_ms, lon, lat = columns.time_ms, columns.longitude, columns.latitude
    wrong = wrong | {
        "time_ahead": time_ms > now_ms + AHEAD_MS,
        "time_late": time_ms < now_ms - LATE_MS,
        "position": ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)),  # NaN is wrong, too
        "null_island": (np.abs(lon) < NULL_ISLAND) & (np.abs(lat) < NULL_ISLAND),
        "outside": ~((lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)),
        "accuracy": columns.given & ~((columns.accuracy_m >= 0) & np.isfinite(columns.accuracy_m)),
    }
    bad = np.logical_or.reduce(list(wrong.values()))
    left_out = np.flatnonzero(bad)
    listed = list(rejected or [])
    accuracy = columns.accuracy_m
    if len(left_out):
        kept = np.flatnonzero(~bad)
        codes = list(wrong)
        where = numbers if numbers is not None else range(len(bad))
        listed += [
            Rejected(where[i], next(code for code in codes if wrong[code][i])) for i in left_out[:MOST_LISTED].tolist()
        ]
        listed.sort(key=lambda one: one.index)
        names, time_ms, lon, lat, accuracy = names.of(kept), time_ms[kept], lon[kept], lat[kept], accuracy[kept]
    longitude, latitude = convert(lon, lat, source=datum, target=Datum.WGS84)
    pings = Pings(np.zeros(len(time_ms), np.int64), time_ms, longitude, latitude, accuracy)
    return Batch(names, pings, listed[:MOST_LISTED], len(rejected or []) + len(left_out))


def parse_datum(value: object) -> Datum:
    """The datum that a batch names; raises `BatchRefused` when it names none, or one that nobody knows."""
    if value is None or value == "":
        raise BatchRefused("datum_missing", f'"datum" is missing: say one of {", ".join(Datum)}')
    try:
        return Datum.parse(value)
    except UnknownDatum as unknown:
        raise BatchRefused("datum_unknown", str(unknown)[:200]) from unknown


def _check_count(rows: object) -> list[Any]:
    if not isinstance(rows, list):
        raise BatchRefused("pings_missing", '"pings" must be a list of rows')
    if len(rows) > MAX_ROWS:
        raise BatchRefused("too_many", f'"pings" has {len(rows)} rows: at most {MAX_ROWS} in one batch', status=413)
    return rows


def _read_row_by_row(body: bytes) -> tuple[Datum, list[_Row], list[int], list[Rejected]]:
    document = _parsed(body)
    datum, rows = parse_datum(document.datum), _check_count(document.pings)
    return datum, *_each_row(rows)


def _each_row(rows: Iterable[object]) -> tuple[list[_Row], list[int], list[Rejected]]:
    right: list[_Row] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for index, row in enumerate(rows):
        read = _read_row(row)
        if isinstance(read, str):
            rejected.append(Rejected(index, read))
        else:
            right.append(read)
            numbers.append(index)
    return right, numbers, rejected


def _parsed(body: bytes) -> _Anything:
    try:
        return _anything.decode(body)
    except msgspec.ValidationError as broken:
        raise BatchRefused("not_an_object", 'the body must be an object with "datum" and "pings"') from broken
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        # NaN and Infinity are no JSON, but senders write them: only their own rows shall suffer.
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise BatchRefused("not_json", f"the body is not JSON: {str(broken)[:120]}") from broken
        if not isinstance(document, dict):
            raise BatchRefused("not_an_object", 'the body must be an object with "datum" and "pings"') from broken
        return _Anything(document.get("datum"), document.get("pings"))


def _read_row(row: object) -> _Row | str:
    """The row, or the code of the rule that it breaks."""
    if isinstance(row, dict):
        row = [row.get(name) for name in ("vehicle", "time", "lon", "lat", "accuracy_m")]
    if not isinstance(row, list) or len(row) not in (4, 5):
        return "row_form"
    vehicle, time, lon, lat, accuracy = row if len(row) == 5 else [*row, None]
    if not _is_name(vehicle):
        return "vehicle"
    time_ms = _milliseconds(time)
    if time_ms is None:
        return "time"
    if not (_is_number(lon) and _is_number(lat)):
        return "position"
    if accuracy is not None and not _is_number(accuracy):
        return "accuracy"
    return _Row(vehicle, time_ms, float(lon), float(lat), None if accuracy is None else float(accuracy))


def _is_name(value: object) -> bool:
    if isinstance(value, str):
        # A lone half of a surrogate pair is no text: it could not be sent back.
        return 1 <= len(value) <= MAX_NAME and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_NAME


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**53


def _milliseconds(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= 2**53 else None
    if isinstance(value, float):
        return int(value) if isfinite(value) and value.is_integer() and 0 <= value <= 2**53 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
