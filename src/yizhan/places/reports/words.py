"""Reports in plain words, for everyone: no names, and no numbers of fewer than five people."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from yizhan.places.models import Report, ReportKind, ReportState, StarChange

from .deadlines import last_day

FEWEST_SHOWN = 5


def problem_in_words(report: Report, at: datetime) -> str:
    """“今天有人反馈门锁着，站点正在处理。” `report` comes from `queries.known_problems`."""
    return _("%(when)s %(who)s: %(what)s; %(state)s.") % {
        "when": day_in_words(report.last_told, at),  # type: ignore[attr-defined]
        "who": _people(report.told),  # type: ignore[attr-defined]
        "what": what_is_wrong(report.kind),
        "state": _state(report, at),
    }


def what_is_wrong(kind: str) -> str:
    """The fault as a half sentence."""
    return {
        ReportKind.DOOR_LOCKED: _("the door is locked"),
        ReportKind.NO_WATER: _("there is no water"),
        ReportKind.MEDICINE_EXPIRED: _("medicine is out of date"),
        ReportKind.EQUIPMENT_BROKEN: _("equipment is broken"),
        ReportKind.WRONG_PLACE: _("the place is not where it should be"),
        ReportKind.OTHER: _("something is wrong"),
    }[ReportKind(kind)]


def stars_in_words(change: StarChange | None) -> str:
    """“因两次反馈未按时处理，本站减一星。” Empty when no star is off."""
    if change is None or not change.off:
        return ""
    reports = ngettext(
        "one report was not dealt with in time", "%(n)s reports were not dealt with in time", change.strikes
    ) % {"n": numeral(change.strikes)}
    stars = ngettext("this place has one star less", "this place has %(n)s stars less", change.off) % {
        "n": numeral(change.off)
    }
    return _("Because %(reports)s, %(stars)s.") % {"reports": reports, "stars": stars}


def visits_in_words(visits: int) -> str:
    """How many came by the plate within a month; empty for fewer than five."""
    if visits < FEWEST_SHOWN:
        return ""
    return ngettext(
        "%(n)s visit by the plate at the door in 30 days", "%(n)s visits by the plate at the door in 30 days", visits
    ) % {"n": visits}


def day_in_words(moment: datetime, at: datetime) -> str:
    """Today, yesterday, or the date."""
    day, today = timezone.localdate(moment), timezone.localdate(at)
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return _("On %(date)s") % {"date": short_date(day)}


def short_date(day: date) -> str:
    """A date without its year."""
    return date_format(day, "MONTH_DAY_FORMAT")


def numeral(number: int) -> str:
    """A small number as one writes it in a sentence."""
    if (get_language() or "").startswith("zh") and number <= 10:
        return "零一两三四五六七八九十"[number]
    return str(number)


def _people(number: int) -> str:
    if number < 2:
        return _("someone reported")
    if number < FEWEST_SHOWN:
        return _("a few people reported")
    return _("%(n)d people reported") % {"n": number}


def _state(report: Report, at: datetime) -> str:
    if report.state == ReportState.FIXED:
        return _("the keeper says that it is fixed")
    due: datetime | None = report.due  # type: ignore[attr-defined]
    if due is not None and due <= at:
        return _("it should have been dealt with by now")
    if report.state == ReportState.PROMISED and due is not None:
        return _("the keeper needs until %(date)s") % {"date": short_date(last_day(due))}
    return _("the keeper is dealing with it")
