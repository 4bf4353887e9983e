"""Why no reminder, in the words of the desk."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from yizhan.geo.passage import Reason

from .judging import SILENT, Encounter

SHANGHAI = ZoneInfo("Asia/Shanghai")

OUTCOMES: dict[str, Promise] = {
    Reason.REMINDED.name: pgettext_lazy("outcome of a passage", "Reminded"),
    Reason.NEARER.name: pgettext_lazy("outcome of a passage", "Another place was nearer"),
    Reason.OUTSIDE.name: pgettext_lazy("outcome of a passage", "Passed outside the radius"),
    Reason.INACCURATE.name: pgettext_lazy("outcome of a passage", "Position not accurate enough"),
    Reason.CLOSED.name: pgettext_lazy("outcome of a passage", "Closed"),
    Reason.CLOSING_SOON.name: pgettext_lazy("outcome of a passage", "Closing soon"),
    Reason.TOO_FAST.name: pgettext_lazy("outcome of a passage", "Too fast"),
    Reason.NOT_OFFERED.name: pgettext_lazy("outcome of a passage", "Lacks what the driver asked for"),
    Reason.QUIET.name: pgettext_lazy("outcome of a passage", "Quiet hours"),
    Reason.COOL_DOWN.name: pgettext_lazy("outcome of a passage", "Pause of this place"),
    Reason.GAP.name: pgettext_lazy("outcome of a passage", "Pause of all places"),
    Reason.REPEATED.name: pgettext_lazy("outcome of a passage", "Repeated position"),
    Reason.LATE.name: pgettext_lazy("outcome of a passage", "Came too late"),
    SILENT: pgettext_lazy("outcome of a passage", "Driver wants no reminders"),
}

ROW_RULES: dict[str, Promise] = {
    "row_form": gettext_lazy("the row has too few or too many columns"),
    "vehicle": gettext_lazy("vehicle must be a text of 1 to 64 characters"),
    "time": gettext_lazy("time must be milliseconds since 1970 or a date with a time of day"),
    "time_ahead": gettext_lazy("time lies on another day"),
    "time_late": gettext_lazy("time lies on another day"),
    "position": gettext_lazy("lon must be -180 to 180 degrees and lat -90 to 90 degrees"),
    "null_island": gettext_lazy("the position is 0, 0: the receiver did not know yet"),
    "outside": gettext_lazy("the position lies outside of China: are lon and lat swapped?"),
    "accuracy": gettext_lazy("accuracy_m must be metres from 0 up, or empty"),
}


def why(encounter: Encounter) -> str:
    """One sentence: what decided, with the figures that it went by."""
    limit = "" if encounter.limit is None else f"{encounter.limit:.0f}"
    earlier = encounter.held_back_by
    gaps = {
        "metres": f"{encounter.distance_m:.0f}",
        "limit": limit,
        "place": earlier.place if earlier and earlier.place else _("a place"),
        "at": clock(earlier.at_ms) if earlier else "",
        "closes": clock(encounter.closes_at_ms)[:5] if encounter.closes_at_ms else "",
    }
    sentences = {
        Reason.REMINDED.name: _("The driver was told."),
        Reason.NEARER.name: _("At the same moment a nearer place reminded: one position makes one reminder."),
        Reason.OUTSIDE.name: _("The way came no nearer than %(metres)s m; the radius is %(limit)s m."),
        Reason.INACCURATE.name: _("The position was less accurate than the radius of %(limit)s m: no evidence."),
        Reason.CLOSED.name: _("The place was closed at that moment, or nobody has told us its hours."),
        Reason.CLOSING_SOON.name: _("It closed at %(closes)s; the union wants it to stay open for %(limit)s minutes."),
        Reason.TOO_FAST.name: _("The vehicle was faster than %(limit)s km/h, above which the union wants silence."),
        Reason.NOT_OFFERED.name: _("The place does not offer all the services that the driver asked for."),
        Reason.QUIET.name: _("The union has set quiet hours for that time of day."),
        Reason.COOL_DOWN.name: _("Reminded of this place at %(at)s already; again only after %(limit)s minutes."),
        Reason.GAP.name: _("Reminded of “%(place)s” at %(at)s; of any place again only after %(limit)s minutes."),
        Reason.REPEATED.name: _("The position has the time of the one before, and counts as sent twice."),
        Reason.LATE.name: _("The position is older than the newest reminder by the longest pause."),
        SILENT: _("The fleet told us that this driver wants no reminders."),
    }
    return sentences[encounter.outcome] % gaps


def clock(time_ms: int) -> str:
    """The time of day in Shanghai."""
    return datetime.fromtimestamp(time_ms / 1000, SHANGHAI).strftime("%H:%M:%S")
