"""Hours in words, in the reader's language: “每天 08:00–22:00，现在开放，22:00 关门”."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .evaluate import OFFSET, Openness, OpenState, state_at
from .weekly import DAY_MINUTES, Times, Weekly, clock, day_runs


def in_words(hours: str, at: datetime) -> str:
    """The hours and whether they are open at `at`, in one line."""
    if not hours:
        return _("Hours unknown")
    return _("%(hours)s, %(state)s") % {
        "hours": hours_in_words(hours),
        "state": state_in_words(state_at(hours, at), at),
    }


def hours_in_words(hours: str) -> str:
    """The hours alone. What is more than a week with holidays is given as it was written."""
    if not hours:
        return _("Hours unknown")
    week = Weekly.parse(hours)
    if week is None:
        return hours
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
    return pgettext("between rules of hours", "; ").join(parts)


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
    return _(", ").join(
        day_name(a) if a == b else _("%(first)s to %(last)s") % {"first": day_name(a), "last": day_name(b)}
        for a, b in day_runs(days)
    )


def _times_in_words(times: Times) -> str:
    if times == ((0, DAY_MINUTES),):
        return _("around the clock")
    return _(", ").join(f"{clock(start)}–{clock(end)}" for start, end in times)
