"""The `opening_hours` syntax: checked by opening-hours-py, and its weekday selectors read per date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _
from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]

MAXIMUM_LENGTH = 500
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
SUNDAY = 6

_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_ITEM = rf"(?:{_DAY}(?:\s*-\s*{_DAY})?(?:\[[^\]]*\](?:\s[+-]\d+ days?)?)?|PH|SH)"
_SELECTOR = re.compile(rf"\b{_ITEM}(?:\s*,\s*{_ITEM})*(?!\w)")
_COMMENT = re.compile(r'("[^"]*")')
_SHIFTED_HOLIDAY = re.compile(r"\b(?:PH|SH)\s*[+-]\s*\d")
_NEVER = "SH"  # school holidays: no calendar is fed in for them, so the selector matches no day


class HoursNotUnderstood(ValueError):
    """The text is no opening hours; `reason` is a sentence for the person who wrote it."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(reason)
        self.text = text
        self.reason = reason


def validate(hours: str) -> str:
    """The expression in its canonical spelling; empty stays empty.

    Raises:
        HoursNotUnderstood: it is no `opening_hours` expression, too long, or uses what we cannot evaluate.
    """
    text = hours.strip()
    if not text:
        return ""
    if len(text) > MAXIMUM_LENGTH:
        raise HoursNotUnderstood(text[:40], _("Hours are longer than %(n)d characters.") % {"n": MAXIMUM_LENGTH})
    try:
        canonical = str(OpeningHours(text))
    except ParserError as error:
        raise HoursNotUnderstood(
            text, _("“%(text)s” is not in the opening_hours syntax, such as “Mo-Fr 08:30-18:00”.") % {"text": text}
        ) from error
    if _SHIFTED_HOLIDAY.search(canonical):
        raise HoursNotUnderstood(text, _("Days before or after a holiday cannot be evaluated."))
    if len(canonical) > MAXIMUM_LENGTH:
        raise HoursNotUnderstood(text[:40], _("Hours are longer than %(n)d characters.") % {"n": MAXIMUM_LENGTH})
    return canonical


def rules(expression: str) -> list[str]:
    """The rules of a canonical expression, which semicolons part; those within comments do not."""
    pieces = _COMMENT.split(expression)
    return "".join(piece if number % 2 else piece.replace("; ", "\n") for number, piece in enumerate(pieces)).split(
        "\n"
    )


@dataclass(frozen=True, slots=True)
class AsWeekday:
    """A date that is worked as if it were another day of the week (0 is Monday)."""

    weekday: int


@dataclass(frozen=True, slots=True)
class AsHoliday:
    """A date that is a public holiday."""


Reading = AsWeekday | AsHoliday


@lru_cache(maxsize=8192)
def depends_on_calendar(expression: str) -> bool:
    """Whether the expression tells days of the week or holidays apart."""
    return any(_SELECTOR.search(part) for part in _COMMENT.split(expression)[::2])


def reread(expression: str, readings: Mapping[int, Reading]) -> str:
    """The expression as it must be evaluated around dates that are not what their weekday says.

    `readings` says for some weekdays (0 is Monday) how *the* date on that weekday counts; the result is therefore only
    valid for a stretch of at most seven days. A holiday follows the expression's `PH` rules; an expression without any
    treats it as a Sunday, just as a make-up workday counts as a working day.
    """
    pieces = _COMMENT.split(expression)
    knows_holidays = any(re.search(r"\bPH\b", piece) for piece in pieces[::2])

    def selector(match: re.Match[str]) -> str:
        days, holiday, kept = _members(match.group())
        result = set(days)
        for weekday, reading in readings.items():
            if isinstance(reading, AsWeekday):
                belongs = reading.weekday in days
            elif knows_holidays:
                belongs = holiday or weekday in days
            else:
                belongs = SUNDAY in days
            (result.add if belongs else result.discard)(weekday)
        return ",".join([*(DAYS[day] for day in sorted(result)), *kept]) or _NEVER

    return "".join(piece if index % 2 else _SELECTOR.sub(selector, piece) for index, piece in enumerate(pieces))


def _members(selector: str) -> tuple[set[int], bool, list[str]]:
    """Its plain weekdays, whether it holds PH, and the items (such as `Mo[1]`) that are kept as they are."""
    days: set[int] = set()
    holiday = False
    kept: list[str] = []
    for raw in re.split(r",(?![^\[]*\])", selector):
        item = raw.strip()
        if item == "PH":
            holiday = True
        elif item == "SH" or "[" in item:
            kept.append(item)
        else:
            first, _dash, last = (part.strip() for part in item.partition("-"))
            start = DAYS.index(first)
            stop = DAYS.index(last) if last else start
            days.update((start + step) % 7 for step in range((stop - start) % 7 + 1))
    return days, holiday, kept
