"""Reads a file of pings as a fleet or a driver exports it: CSV or an Arrow IPC stream or file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from yizhan.geo import Datum
from yizhan.passage.pings import Pings
from yizhan.passage.runtime.arrow import read_columns
from yizhan.passage.runtime.decoding import BatchRefused, Columns, Rejected, Rows, judged_columns, read_rows
from yizhan.passage.runtime.names import Names
from yizhan.unions.errors import Problem, RuleBroken

MOST_PINGS = 50_000
MOST_VEHICLES = 200
NEEDED = ("vehicle", "time", "lon", "lat")
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000


@dataclass(frozen=True, slots=True, repr=False)
class Track:
    """One day's pings, in memory.

    Attributes:
        names: what the file calls each vehicle; `pings.vehicle` is the place in it.
        day: the day in Shanghai.
        days: how many rows the file has of each day, the shown one included.
        rejected: the first rows that were left out; `rejected_count`: how many were.
    """

    names: list[str]
    pings: Pings
    day: date
    days: dict[date, int]
    rejected: list[Rejected]
    rejected_count: int


def read_track(content: bytes, *, datum: Datum, day: date | None = None) -> Track:
    """Read the pings of one day: of `day`, else of the day of which the file has most.

    Raises:
        RuleBroken: it is neither CSV nor Arrow, lacks a column, has no row of that day, or holds too many.
    """
    names, columns, wrong, numbers, rejected = _columns_of(content)
    days = _days(columns.time_ms, wrong)
    if not days:
        raise _broken("file", "", _("holds no row with a vehicle and a time that can be read"), "empty")
    shown = day or days.most_common(1)[0][0]
    begin = midnight_ms(shown)
    of_the_day = np.flatnonzero((columns.time_ms >= begin) & (columns.time_ms < begin + DAY_MS))
    if not len(of_the_day):
        listed = "、".join(each.isoformat() for each in sorted(days)[:10])
        raise _broken("day", shown, _("the file has no position of this day; it has: %(days)s") % {"days": listed})
    if len(of_the_day) > MOST_PINGS:
        rule = _("has %(count)s positions of this day: at most %(most)s at a time; cut it by vehicles")
        raise _broken("file", "", rule % {"count": len(of_the_day), "most": MOST_PINGS}, "too_many")
    batch = judged_columns(
        names.of(of_the_day),
        Columns(*(getattr(columns, name)[of_the_day] for name in Columns.__dataclass_fields__)),
        {code: rows[of_the_day] for code, rows in wrong.items()},
        datum=datum,
        now_ms=begin + DAY_MS - 1,  # the end of that day is the present of a file that is as old as that
        numbers=[numbers[row] if numbers else int(row) for row in of_the_day.tolist()],
        rejected=rejected,
    )
    called = sorted({batch.names[row] for row in range(len(batch.names))})
    if len(called) > MOST_VEHICLES:
        rule = _("has %(count)s vehicles: at most %(most)s at a time")
        raise _broken("file", "", rule % {"count": len(called), "most": MOST_VEHICLES}, "too_many")
    number = {name: i for i, name in enumerate(called)}
    vehicles = np.array([number[batch.names[row]] for row in range(len(batch.names))], np.int64)
    pings = Pings(
        vehicles, *(getattr(batch.pings, name) for name in ("time_ms", "longitude", "latitude", "accuracy_m"))
    )
    # A file may be sorted by vehicle or by nothing; buffered pings come late in life, but a file is read afterwards.
    return Track(called, pings.by_time(), shown, dict(days), batch.rejected, batch.rejected_count)


def midnight_ms(day: date) -> int:
    """When a day begins in Shanghai, milliseconds since 1970 (UTC)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) - SHANGHAI_MS


def _columns_of(
    content: bytes,
) -> tuple[Names, Columns, dict[str, NDArray[np.bool_]], list[int] | None, list[Rejected]]:
    if content.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        try:
            found = read_columns(_as_stream(content))
        except BatchRefused as refused:
            rule = _("cannot be read as an Arrow file: %(why)s") % {"why": refused.detail}
            raise _broken("file", "", rule, refused.code) from None
        return found.names, found.columns, found.wrong, None, []
    read = _read_csv(content)
    return read.names, read.columns, {}, read.numbers, read.rejected


def _as_stream(content: bytes) -> bytes:
    """An Arrow file holds the same messages as a stream, behind eight bytes and before an index."""
    return content[8:] if content.startswith(b"ARROW1") else content


def _read_csv(content: bytes) -> Rows:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    try:
        there = [name.strip().casefold() for name in reader.fieldnames or []]
    except csv.Error as broken:
        raise _broken("file", "", _("is neither CSV nor an Arrow file: %(why)s") % {"why": broken}, "form") from None
    missing = [name for name in NEEDED if name not in there]
    if missing:
        rule = _(
            "is CSV without the columns %(missing)s; its first line must name: vehicle, time, lon, lat, accuracy_m"
        )
        raise _broken("file", "", rule % {"missing": ", ".join(missing)}, "column")
    reader.fieldnames = there
    try:
        return read_rows(_rows_of(reader))
    except csv.Error as broken:
        raise _broken("file", "", _("is neither CSV nor an Arrow file: %(why)s") % {"why": broken}, "form") from None


def _rows_of(reader: csv.DictReader[str]) -> Iterator[object]:
    for number, row in enumerate(reader):
        if number >= MOST_PINGS * 10:
            rule = _("has more than %(most)s rows")
            raise _broken("file", "", rule % {"most": MOST_PINGS * 10}, "too_many")
        accuracy = (row.get("accuracy_m") or "").strip()
        yield [
            (row["vehicle"] or "").strip(),
            _moment((row["time"] or "").strip()),
            _real(row["lon"]),
            _real(row["lat"]),
            _real(accuracy) if accuracy else None,
        ]


def _moment(text: str) -> object:
    """A whole number of milliseconds, or ISO 8601; without a time zone it is Shanghai's."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return text
    if moment.tzinfo is None:
        return round((moment - datetime(1970, 1, 1)) / timedelta(milliseconds=1)) - SHANGHAI_MS  # noqa: DTZ001
    return moment.isoformat()


def _real(text: str | None) -> object:
    try:
        return float(text or "")
    except ValueError:
        return text


def _days(time_ms: NDArray[np.int64], wrong: dict[str, NDArray[np.bool_]]) -> Counter[date]:
    kept = np.ones(len(time_ms), np.bool_)
    for rows in wrong.values():
        kept &= ~rows
    sane = time_ms[kept & (time_ms >= 0) & (time_ms < 2**45)]
    number, count = np.unique((sane + SHANGHAI_MS) // DAY_MS, return_counts=True)
    first = date(1970, 1, 1)
    return Counter(
        {first + timedelta(days=day): rows for day, rows in zip(number.tolist(), count.tolist(), strict=True)}
    )


def _broken(field: str, value: object, rule: str, code: str = "day") -> RuleBroken:
    return RuleBroken([Problem(field, value, rule, code)])


def utc_of(time_ms: int) -> datetime:
    """A moment of the kernel's clock."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)
