"""When an answer is due: by working days of China's calendar, in the clock of Asia/Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from yizhan.places.hours.calendar import DayClass, day_class

SHANGHAI = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)


def is_working_day(day: date) -> bool:
    """Whether people work on `day`: make-up workdays count, public holidays do not.

    Of a year whose holidays are not published yet, the plain week holds: a deadline must be some day.
    """
    kind = day_class(day)
    if kind is DayClass.MAKE_UP_WORKDAY:
        return True
    return kind is not DayClass.HOLIDAY and day.weekday() < 5


def due_after(at: datetime, working_days: int) -> datetime:
    """The end (midnight, UTC) of the `working_days`-th working day after the day of `at`, which is not counted.

    The answer is in time before that moment, and overdue from it on.
    """
    day = at.astimezone(SHANGHAI).date()
    left = working_days
    while left > 0:
        day += _DAY
        left -= is_working_day(day)
    return end_of(day)


def end_of(day: date) -> datetime:
    """The midnight at which `day` ends in Shanghai, in UTC."""
    return datetime.combine(day + _DAY, time.min, SHANGHAI).astimezone(UTC)


def last_day(due_at: datetime) -> date:
    """The last whole day before a deadline: what people call “until”."""
    return (due_at.astimezone(SHANGHAI) - timedelta(microseconds=1)).date()
