"""When something about a case is due: each deadline has its own clock, computed from what happened and the calendar.

A clock is started by one event and stopped by another; it stands while the case is paused. Spans are half-open: a pause
covers its first moment and not its last. Nothing here is stored: the columns of a case repeat it for lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from yizhan.places.hours.calendar import DayClass, day_class
from yizhan.places.reports.deadlines import SHANGHAI, due_after, end_of, is_working_day, last_day

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, `begin` in it and `end` not; `end` is None while it lasts."""

    begin: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether `at` lies in it."""
        return self.begin <= at and (self.end is None or at < self.end)


def due_with_pauses(start: datetime, working_days: int, pauses: Sequence[Span] = ()) -> datetime | None:
    """The end (midnight in Shanghai, as UTC) of the `working_days`-th working day after the day of `start`.

    A day does not count when the clock stands at its end; so a pause over lunch costs nothing, one over a night one
    day. Further pauses only ever move the moment later.

    Returns:
        The moment from which on it is overdue; None while the clock stands.
    """
    if any(pause.end is None for pause in pauses):
        return None
    if not pauses:
        return due_after(start, working_days)
    day = start.astimezone(SHANGHAI).date()
    left = working_days
    while left > 0:
        day += _DAY
        if is_working_day(day) and not any(pause.holds(end_of(day)) for pause in pauses):
            left -= 1
    return end_of(day)


def is_provisional(due_at: datetime) -> bool:
    """Whether the holidays of the deadline's year are not published yet, so that it may still move."""
    return day_class(last_day(due_at)) is DayClass.UNPUBLISHED


def working_days_between(begin: date, end: date) -> int:
    """Working days after `begin`, up to and with `end`."""
    return sum(is_working_day(begin + _DAY * count) for count in range(1, (end - begin).days + 1))


__all__ = [
    "Span",
    "due_after",
    "due_with_pauses",
    "end_of",
    "is_provisional",
    "is_working_day",
    "last_day",
    "working_days_between",
]
