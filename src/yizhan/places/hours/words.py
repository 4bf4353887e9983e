"""Hours in words, in the reader's language: “每天 08:00–22:00，现在开放，22:00 关门”."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .evaluate import OFFSET, Openness, OpenState, state_at
from .syntax import rules
from .weekly import DAY_LIST, DAY_MINUTES, TIME_LIST, Times, Weekly, clock, day_runs, days_of, times_of

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?:{'|'.join(_MONTHS)})"
_RULE_WITH_MORE = re.compile(
    rf"(?:(?P<month>{_MONTH})(?:-(?P<last_month>{_MONTH}))?\s+)?(?:(?P<days>{DAY_LIST})\s+)?"
    rf'(?P<what>24/7|{TIME_LIST}|closed|off|unknown)(?:\s+"(?P<comment>[^"]*)")?'
)


def in_words(hours: str, at: datetime) -> str:
    """The hours and whether they are open at `at`, in one line."""
    if not hours:
        return _("Hours unknown")
    return _("%(hours)s, %(state)s") % {
        "hours": hours_in_words(hours),
        "state": state_in_words(state_at(hours, at), at),
    }


def hours_in_words(hours: str) -> str:
    """The hours alone: the days of the week together, or rule by rule when they tell more than a week.

    A rule that is none of the usual ones is given as it was written.
    """
    if not hours:
        return _("Hours unknown")
    week = Weekly.parse(hours)
    parts = [_rule_in_words(rule) for rule in rules(hours)] if week is None else _week_in_words(week)
    return pgettext("between rules of hours", "; ").join(parts)


def _week_in_words(week: Weekly) -> list[str]:
    parts = []
    for days, times in week.groups():
        if times:
            parts.append(_("%(days)s %(times)s") % {"days": _days(days), "times": _times_in_words(times)})
    if not parts:
        parts.append(_("closed every day"))
    if week.holidays is not None:
        parts.append(
            _("public holidays %(times)s") % {"times": _times_in_words(week.holidays)}
            if week.holidays
            else _("closed on public holidays")
        )
    return parts


def _rule_in_words(rule: str) -> str:
    match = _RULE_WITH_MORE.fullmatch(rule)
    if match is None:
        return rule
    days, on_holidays = days_of(match["days"]) if match["days"] else (list(range(7)), False)
    words = []
    if match["month"]:
        first, last = (_MONTHS.index(name) + 1 for name in (match["month"], match["last_month"] or match["month"]))
        words.append(_span(str(MONTHS[first]), str(MONTHS[last])))
    if days and (match["days"] or not match["month"]):
        words.append(_days(days))
    if on_holidays:
        words.append(_("public holidays"))
    what = match["what"]
    if what.startswith("unknown"):
        words.append(_("times unknown"))
    elif (times := times_of(what)) is None:
        return rule
    else:
        words.append(_times_in_words(times) if times else _("closed"))
    if match["comment"]:
        words.append(_("(%(comment)s)") % {"comment": match["comment"]})
    return " ".join(words)


def state_in_words(state: OpenState, at: datetime) -> str:
    """“open now, closes at 22:00”."""
    when = _when(state.changes_at, at) if state.changes_at else ""
    match state.state, bool(when):
        case Openness.YES, True:
            return _("open now, closes %(when)s") % {"when": when}
        case Openness.YES, False:
            return _("open now")
        case Openness.NO, True:
            return _("closed now, opens %(when)s") % {"when": when}
        case Openness.NO, False:
            return _("closed now")
        case _:
            return _("open or not is unknown")


def _when(changes_at: datetime, at: datetime) -> str:
    """A clock time today, with the day when it is another."""
    there, here = changes_at.astimezone(at.tzinfo), at
    local_there, local_here = (moment.utctimetuple() for moment in (there + OFFSET, here + OFFSET))
    days = datetime(*local_there[:3]) - datetime(*local_here[:3])  # noqa: DTZ001 - dates only
    time = f"{local_there.tm_hour:02}:{local_there.tm_min:02}"
    if days == timedelta(0):
        return _("at %(time)s") % {"time": time}
    if days == timedelta(days=1):
        return _("tomorrow at %(time)s") % {"time": time}
    return _("on %(month)d/%(day)d at %(time)s") % {
        "month": local_there.tm_mon,
        "day": local_there.tm_mday,
        "time": time,
    }


def day_name(day: int) -> str:
    """The name of a weekday (0 is Monday)."""
    return [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")][day]


def _days(days: list[int]) -> str:
    if len(days) == 7:
        return _("every day")
    return _(", ").join(_span(day_name(a), day_name(b)) for a, b in day_runs(days))


def _span(first: str, last: str) -> str:
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}


def _times_in_words(times: Times) -> str:
    if times == ((0, DAY_MINUTES),):
        return _("around the clock")
    return _(", ").join(f"{clock(start)}–{clock(end)}" for start, end in times)
