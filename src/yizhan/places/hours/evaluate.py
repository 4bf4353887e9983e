"""Open, closed or unknown: hours evaluated against China's calendar.

How the calendar is fed in: the expression's weekday selectors are rewritten for the dates in question (`syntax.reread`)
and the result is evaluated by opening-hours-py. A date can have several readings: a make-up workday does not say which
working day it replaces, and in a year whose holidays are not published yet any day might be a holiday, any Saturday or
Sunday a workday. Where all readings agree, that is the answer; where they do not, the answer is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise, product

from opening_hours import OpeningHours, State

from .calendar import DayClass, day_class
from .syntax import AsHoliday, AsWeekday, Reading, depends_on_calendar, reread

OFFSET = timedelta(hours=8)  # Asia/Shanghai: no daylight saving since 1991
HORIZON = timedelta(days=15)  # longer than the longest holiday with its make-up days
_DAY = timedelta(days=1)
_WORKING_DAYS = tuple(AsWeekday(day) for day in range(5))


class Openness(StrEnum):
    """Whether a place is open."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


_OPENNESS = {State.OPEN: Openness.YES, State.CLOSED: Openness.NO, State.UNKNOWN: Openness.UNKNOWN}


@dataclass(frozen=True, slots=True)
class OpenState:
    """Open or not at an instant, and when that changes (UTC); None: not within the next two weeks."""

    state: Openness
    changes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time (UTC) with one state."""

    start: datetime
    end: datetime
    state: Openness


Stretch = tuple[datetime, datetime]


def state_at(hours: str, at: datetime, *, shut: Iterable[Stretch] = ()) -> OpenState:
    """Whether a place with these hours is open at `at` (aware).

    Args:
        hours: An opening_hours expression; empty: unknown.
        at: The instant, aware.
        shut: Half-open stretches (aware) in which it is closed whatever its hours say.
    """
    at = at.astimezone(UTC)
    shut = [(start.astimezone(UTC), end.astimezone(UTC)) for start, end in shut]
    begin = _shut_until(at, shut)
    stretch = without(spans(hours, begin, begin + HORIZON), shut)
    if begin > at:  # closed until then, and on until the hours say otherwise
        following = next((span.start for span in stretch if span.state is not Openness.NO), None)
        return OpenState(Openness.NO, following)
    first = stretch[0]
    return OpenState(first.state, first.end if len(stretch) > 1 else None)


def _shut_until(at: datetime, shut: Iterable[Stretch]) -> datetime:
    """When the stretches that hold `at`, and those that follow without a gap, have ended; `at` when none holds it."""
    until = at
    for start, end in sorted(shut):
        if start <= until < end:
            until = end
    return until


def without(stretch: list[Span], shut: Iterable[Stretch]) -> list[Span]:
    """The same time with the stretches of `shut` (UTC) closed; neighbours of one state are one."""
    cuts = sorted((start, end) for start, end in shut if start < end)
    pieces: list[_Local] = []
    for span in stretch:
        left = span.start
        for start, end in cuts:
            start, end = max(start, left), min(end, span.end)
            if start >= end:
                continue
            pieces += [(left, start, span.state)] if left < start else []
            pieces.append((start, end, Openness.NO))
            left = end
        pieces += [(left, span.end, span.state)] if left < span.end else []
    return [Span(*piece) for piece in _joined(pieces)]


def open_intervals(hours: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When a place with these hours is certainly open between two aware datetimes: half-open, in order, UTC."""
    return [(span.start, span.end) for span in spans(hours, start, end) if span.state is Openness.YES]


def spans(hours: str, start: datetime, end: datetime) -> list[Span]:
    """The whole time from `start` to `end` (aware), cut where the state changes; in UTC.

    Raises:
        ValueError: `end` is not after `start`.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        raise ValueError(f"end {end} is not after start {start}")
    if not hours:
        return [Span(start, end, Openness.UNKNOWN)]
    local_start, local_end = (start + OFFSET).replace(tzinfo=None), (end + OFFSET).replace(tzinfo=None)
    result: list[Span] = []
    for left, right, state in _local_spans(hours, local_start.date(), local_end.date()):
        clipped = max(left, local_start), min(right, local_end)
        if clipped[0] < clipped[1]:
            result.append(
                Span((clipped[0] - OFFSET).replace(tzinfo=UTC), (clipped[1] - OFFSET).replace(tzinfo=UTC), state)
            )
    return result


_Local = tuple[datetime, datetime, Openness]


@lru_cache(maxsize=4096)
def _local_spans(hours: str, first: date, last: date) -> tuple[_Local, ...]:
    """All of the dates from `first` to `last`, in naive Shanghai time."""
    pieces: list[_Local] = []
    day = first
    while day <= last:
        run = day
        if not depends_on_calendar(hours):
            run = last
        else:
            while run < last and _is_plain(run) and _is_plain(run + _DAY):
                run += _DAY
        if run > day or not depends_on_calendar(hours) or _is_plain(day):
            pieces.extend(_evaluate(hours, day, run + _DAY))
        else:
            pieces.extend(_agreed([_evaluate(text, day, day + _DAY) for text in _texts(hours, day)]))
        day = run + _DAY
    return tuple(_joined(pieces))


def _is_plain(day: date) -> bool:
    """Whether the day and the night before it are what their weekdays say."""
    return day_class(day) is DayClass.ORDINARY and day_class(day - _DAY) is DayClass.ORDINARY


def _texts(hours: str, day: date) -> set[str]:
    """Every way to read the expression for `day`, to which the night before belongs too."""
    eve = day - _DAY
    return {
        reread(
            hours,
            {date_.weekday(): reading for date_, reading in ((eve, before), (day, own)) if reading is not None},
        )
        for before, own in product(_readings(eve), _readings(day))
    }


def _readings(day: date) -> Iterable[Reading | None]:
    match day_class(day):
        case DayClass.ORDINARY:
            return (None,)
        case DayClass.HOLIDAY:
            return (AsHoliday(),)
        case DayClass.MAKE_UP_WORKDAY:
            return _WORKING_DAYS
        case DayClass.UNPUBLISHED:
            return (None, AsHoliday(), *(_WORKING_DAYS if day.weekday() >= 5 else ()))


@lru_cache(maxsize=8192)
def _parsed(text: str) -> OpeningHours:
    return OpeningHours(text)


def _evaluate(text: str, first: date, end: date) -> list[_Local]:
    """The library's answer from the start of `first` to the start of `end`."""
    start, stop = datetime.combine(first, time()), datetime.combine(end, time())
    return [
        (max(left, start), min(right, stop), _OPENNESS[state])
        for left, right, state, _comment in _parsed(text).intervals(start, stop)
        if left < stop and right > start
    ]


def _agreed(answers: list[list[_Local]]) -> list[_Local]:
    """Each stretch with the state that all answers give it, or unknown."""
    if len(answers) == 1:
        return answers[0]
    edges = sorted({edge for answer in answers for left, right, _state in answer for edge in (left, right)})
    result: list[_Local] = []
    for left, right in pairwise(edges):
        states = {state for answer in answers for a, b, state in answer if a <= left < b}
        result.append((left, right, states.pop() if len(states) == 1 else Openness.UNKNOWN))
    return result


def _joined(pieces: Iterable[_Local]) -> list[_Local]:
    """Neighbours of one state made one."""
    result: list[_Local] = []
    for left, right, state in pieces:
        if result and result[-1][2] is state and result[-1][1] == left:
            result[-1] = (result[-1][0], right, state)
        else:
            result.append((left, right, state))
    return result
