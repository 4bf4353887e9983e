"""Which days China rests and works: public holidays and the make-up workdays (调休) that the State Council publishes.

The list is kept by the package chinese-calendar. The arrangement for a year is published in the November before; until
the package carries it, the days of that year are `UNPUBLISHED`, and nobody here guesses.
"""

from datetime import date
from enum import Enum, auto
from functools import cache

from chinese_calendar import holidays, workdays


class DayClass(Enum):
    """What the calendar says of a date."""

    ORDINARY = auto()
    HOLIDAY = auto()
    MAKE_UP_WORKDAY = auto()
    UNPUBLISHED = auto()


def day_class(day: date) -> DayClass:
    """What China's calendar says of `day` (a date in Asia/Shanghai)."""
    if day.year not in published_years():
        return DayClass.UNPUBLISHED
    if day in holidays:
        return DayClass.HOLIDAY
    if day in workdays:
        return DayClass.MAKE_UP_WORKDAY
    return DayClass.ORDINARY


@cache
def published_years() -> frozenset[int]:
    """The years whose holidays are known: those that have their National Day on the list."""
    return frozenset(day.year for day in holidays if (day.month, day.day) == (10, 1))
