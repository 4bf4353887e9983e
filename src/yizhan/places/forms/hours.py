"""Hours as a keeper enters them: working days, Saturday, Sunday, public holidays, two stretches each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.hours import HoursNotUnderstood, Weekly, hours_in_words, read_hours
from yizhan.places.hours.weekly import DAY_MINUTES, Times

ROWS = (
    ("workdays", _("Monday to Friday"), range(5)),
    ("saturday", _("Saturday"), range(5, 6)),
    ("sunday", _("Sunday"), range(6, 7)),
    ("holidays", _("Public holidays"), range(0)),
)
_PARTS = ("from1", "to1", "from2", "to2")
_PART_LABELS = {
    "from1": _("opens"),
    "to1": _("closes"),
    "from2": _("opens again"),
    "to2": _("closes again"),
}


class HoursForm(forms.Form):
    """Gives an opening_hours expression (`syntax`) from one of four ways to say hours."""

    mode = forms.ChoiceField(
        label=_("Hours"),
        choices=[
            ("unknown", _("Not known yet")),
            ("always", _("Around the clock, every day")),
            ("weekly", _("The same every week: fill in the times")),
            ("raw", _("Other: write them yourself")),
        ],
        widget=forms.RadioSelect,
        initial="unknown",
    )
    holidays_are = forms.ChoiceField(
        label=_("On public holidays"),
        choices=[
            ("closed", _("closed")),
            ("sunday", _("as on Sundays")),
            ("times", _("open at the times given there")),
        ],
        initial="closed",
        required=False,
    )
    raw = forms.CharField(
        label=_("Hours in your own words or in OSM syntax"),
        help_text=_("Such as “周一至周五 8:30-18:00” or “Apr-Oct 06:00-22:00; Nov-Mar 07:00-20:00; PH off”."),
        required=False,
        max_length=500,
    )

    def __init__(self, *args: Any, hours: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "hours")
        kwargs.setdefault("initial", initial_of(hours))
        super().__init__(*args, **kwargs)
        self.syntax = ""
        for row, label, _days in ROWS:
            for part in _PARTS:
                self.fields[f"{row}_{part}"] = forms.TimeField(
                    label=f"{label} {_PART_LABELS[part]}",
                    required=False,
                    widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                )

    def rows(self) -> list[tuple[Any, list[tuple[Any, forms.BoundField]]]]:
        """For the template: each row's label, and its four fields with what each is called."""
        return [(label, [(_PART_LABELS[part], self[f"{row}_{part}"]) for part in _PARTS]) for row, label, _days in ROWS]

    def in_words(self) -> str:
        """The hours entered so far."""
        return hours_in_words(self.syntax)

    def clean(self) -> dict[str, Any]:
        """Work out `syntax`."""
        values: dict[str, Any] = super().clean() or {}
        match values.get("mode"):
            case "always":
                self.syntax = "24/7"
            case "weekly":
                self.syntax = self._weekly(values)
            case "raw":
                self._read_raw(values.get("raw", ""))
        return values

    def _read_raw(self, text: str) -> None:
        if not text.strip():
            self.add_error("raw", _("Write the hours, or choose “not known yet”."))
            return
        try:
            self.syntax = read_hours(text).syntax
        except HoursNotUnderstood as error:
            self.add_error("raw", error.reason)

    def _weekly(self, values: dict[str, Any]) -> str:
        days: dict[int, Times] = {}
        for row, _label, which in ROWS[:3]:
            days.update(dict.fromkeys(which, self._times(row, values)))
        holidays: Times | None = ()
        if values.get("holidays_are") == "sunday":
            holidays = None
        elif values.get("holidays_are") == "times":
            holidays = self._times("holidays", values)
        week = Weekly.of(days, holidays)
        if not any(week.days) and not self.errors:
            self.add_error("mode", _("Fill in when it opens and closes, or choose “not known yet”."))
        return week.syntax() if not self.errors else ""

    def _times(self, row: str, values: dict[str, Any]) -> Times:
        spans: list[tuple[int, int]] = []
        for n in ("1", "2"):
            start, end = values.get(f"{row}_from{n}"), values.get(f"{row}_to{n}")
            if start is None and end is None:
                continue
            if start is None or end is None:
                missing = f"{row}_{'from' if start is None else 'to'}{n}"
                if missing not in self.errors:
                    self.add_error(missing, _("Give both when it opens and when it closes."))
                continue
            begin, finish = _minutes(start), _minutes(end)
            if finish <= begin:
                finish += DAY_MINUTES  # over midnight
            if spans and begin < spans[-1][1]:
                self.add_error(f"{row}_from{n}", _("The second stretch begins before the first ends."))
            spans.append((begin, finish))
        return tuple(spans)


def initial_of(hours: str) -> dict[str, Any]:
    """How the form starts for an expression."""
    if not hours:
        return {"mode": "unknown"}
    if hours == "24/7":
        return {"mode": "always"}
    week = Weekly.parse(hours)
    if (
        week is None
        or len(set(week.days[:5])) > 1
        or any(len(times) > 2 for times in (*week.days, week.holidays or ()))
    ):
        return {"mode": "raw", "raw": hours}
    holidays_are = "sunday" if week.holidays is None else "times" if week.holidays else "closed"
    initial: dict[str, Any] = {"mode": "weekly", "raw": hours, "holidays_are": holidays_are}
    for row, times in zip(
        (row for row, _label, _days in ROWS),
        (week.days[0], week.days[5], week.days[6], week.holidays or ()),
        strict=True,
    ):
        initial.update(_parts(row, times))
    return initial


def _parts(row: str, times: Sequence[tuple[int, int]]) -> dict[str, time]:
    return {
        f"{row}_{side}{number}": time(minutes // 60 % 24, minutes % 60)
        for number, span in enumerate(times, start=1)
        for side, minutes in zip(("from", "to"), span, strict=True)
    }


def _minutes(value: time) -> int:
    return value.hour * 60 + value.minute
