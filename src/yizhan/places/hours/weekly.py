"""Hours as a keeper says them: the same every week, with a word on public holidays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .syntax import DAYS, validate

DAY_MINUTES = 24 * 60
Times = tuple[tuple[int, int], ...]  # minutes after midnight, from and to; `to` may pass midnight

_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_TIME = r"\d\d:\d\d-\d\d:\d\d"
DAY_LIST = rf"(?:PH|{_DAY}(?:-{_DAY})?)(?:,(?:PH|{_DAY}(?:-{_DAY})?))*"
TIME_LIST = rf"{_TIME}(?:,{_TIME})*"
_RULE = re.compile(rf"(?:(?P<days>{DAY_LIST})\s+)?(?P<times>24/7|{TIME_LIST}|closed|off)$")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Opening times for each day of the week (0 is Monday), empty when closed.

    `holidays`: None when nothing is said of public holidays, an empty tuple when closed then, else the times.
    """

    days: tuple[Times, Times, Times, Times, Times, Times, Times]
    holidays: Times | None = field(default=None)

    @classmethod
    def of(cls, days: Mapping[int, Sequence[tuple[int, int]]], holidays: Times | None = None) -> Weekly:
        """From the days that are open."""
        monday, tuesday, wednesday, thursday, friday, saturday, sunday = (tuple(days.get(day, ())) for day in range(7))
        return cls((monday, tuesday, wednesday, thursday, friday, saturday, sunday), holidays)

    @classmethod
    def parse(cls, expression: str) -> Weekly | None:
        """The week that a simple expression tells; None for one that tells more than a week."""
        days: dict[int, Times] = {}
        holidays: Times | None = None
        for rule in expression.split("; "):
            match = _RULE.match(rule.strip())
            if match is None:
                return None
            times = times_of(match["times"])
            if times is None or (match["times"] == "24/7" and match["days"]):
                return None
            members, on_holidays = days_of(match["days"] or "Mo-Su")
            days.update(dict.fromkeys(members, times))
            if on_holidays:
                holidays = times
        return cls.of(days, holidays)

    def syntax(self) -> str:
        """The expression, canonical; empty when it is never open."""
        if not any(self.days) and not self.holidays:
            return ""
        if all(times == ((0, DAY_MINUTES),) for times in self.days):
            rules = ["24/7"]
        else:
            rules = [f"{_day_ranges(group)} {_written(times)}" for group, times in self.groups() if times]
            if len(rules) == 1 and self.groups()[0][0] == list(range(7)):
                rules = [_written(self.days[0])]
        if self.holidays is not None:
            rules.append(f"PH {_written(self.holidays)}" if self.holidays else "PH closed")
        return validate("; ".join(rules))

    def groups(self) -> list[tuple[list[int], Times]]:
        """Days with the same times together, in the order of the week."""
        groups: list[tuple[list[int], Times]] = []
        for day, times in enumerate(self.days):
            for members, shared in groups:
                if shared == times:
                    members.append(day)
                    break
            else:
                groups.append(([day], times))
        return groups


def clock(minutes: int) -> str:
    """Minutes after midnight as people write them; past midnight counts from the next day."""
    if minutes == DAY_MINUTES:
        return "24:00"
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def day_runs(days: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted days as first and last of each unbroken run."""
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _day_ranges(days: Sequence[int]) -> str:
    return ",".join(DAYS[a] if a == b else f"{DAYS[a]}-{DAYS[b]}" for a, b in day_runs(days))


def _written(times: Times) -> str:
    return ",".join(f"{clock(a)}-{clock(b)}" for a, b in times)


def days_of(selector: str) -> tuple[list[int], bool]:
    """The weekdays of a plain selector such as `Mo-Fr,PH`, sorted, and whether it names public holidays."""
    days: set[int] = set()
    for item in selector.split(","):
        if item != "PH":
            first, _dash, last = item.partition("-")
            start = DAYS.index(first)
            stop = DAYS.index(last) if last else start
            days.update((start + step) % 7 for step in range((stop - start) % 7 + 1))
    return sorted(days), "PH" in selector.split(",")


def times_of(text: str) -> Times | None:
    """The times of a rule; empty when closed, None when they pass midnight by more than a day can tell."""
    if text in {"closed", "off"}:
        return ()
    if text == "24/7":
        return ((0, DAY_MINUTES),)
    result = []
    for span in text.split(","):
        start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
        if end > DAY_MINUTES:
            return None
        result.append((start, end if end > start else end + DAY_MINUTES))
    return tuple(result)
