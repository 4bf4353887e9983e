"""The desk's forms of this room."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Self

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum
from yizhan.unions.models import Staff

from .models import LIMITS, MOST_PINGS_PER_SECOND, PassageSettings, PingSource
from .queries.sources import sources

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as _StrOrPromise


def _whole(field: str, unit: int, *, label: _StrOrPromise, help_text: _StrOrPromise) -> forms.IntegerField:
    least, most = LIMITS[field]
    return forms.IntegerField(label=label, help_text=help_text, min_value=-(-least // unit), max_value=most // unit)


class RulesForm(forms.Form):
    """The rules of a union, in the units that people use."""

    UNITS = {
        "radius_m": 1,
        "cool_down_s": 60,
        "gap_s": 60,
        "max_segment_gap_s": 1,
        "max_speed_kmh": 1,
        "still_open_s": 60,
        "silent_above_kmh": 1,
    }
    TIMES_OF_DAY = ("quiet_from_min", "quiet_until_min")

    reminders_on = forms.BooleanField(
        label=_("Places of this union and those below remind"),
        required=False,
        help_text=_("Off: nobody is reminded of these places, whoever passes."),
    )
    unknown_hours_remind = forms.BooleanField(
        label=_("Also remind where the hours are unknown"),
        required=False,
        help_text=_("Off: only places that are certainly open remind. On: a driver may find the door closed."),
    )
    radius_m = _whole(
        "radius_m",
        1,
        label=_("Radius (metres)"),
        help_text=_("A vehicle passes a place when its way comes this near. 300 m is about a minute by electric bike."),
    )
    cool_down_s = _whole(
        "cool_down_s",
        60,
        label=_("Pause of one place (minutes)"),
        help_text=_("After a reminder of a place, the same vehicle hears of this place again only after this time."),
    )
    gap_s = _whole(
        "gap_s",
        60,
        label=_("Pause of all places (minutes)"),
        help_text=_("After any reminder, the same vehicle hears of no place for this time."),
    )
    max_segment_gap_s = _whole(
        "max_segment_gap_s",
        1,
        label=_("Longest silence on a way (seconds)"),
        help_text=_(
            "Two positions that lie no further apart in time are joined by a straight way, so that a place between "
            "them counts as passed. 0: only the positions themselves count."
        ),
    )
    max_speed_kmh = _whole(
        "max_speed_kmh",
        1,
        label=_("Highest plausible speed (km/h)"),
        help_text=_("A way that would have been faster is an error of the receiver and does not count."),
    )

    still_open_s = _whole(
        "still_open_s",
        60,
        label=_("Still open for (minutes)"),
        help_text=_("A place that closes sooner than this does not remind: nobody likes to arrive at a closing door."),
    )
    silent_above_kmh = _whole(
        "silent_above_kmh",
        1,
        label=_("Silent while faster than (km/h)"),
        help_text=_(
            "A driver at more than this speed is not interrupted, but is reminded when slower. 0: at any speed."
        ),
    )
    quiet_from_min = forms.TimeField(
        label=_("Quiet hours from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Nobody is reminded in these hours, which may go past midnight. Both empty: no quiet hours."),
    )
    quiet_until_min = forms.TimeField(
        label=_("Quiet hours until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def clean(self) -> dict[str, object]:
        """Quiet hours have a beginning and an end, or neither."""
        cleaned = super().clean() or self.cleaned_data
        given = [cleaned.get(field) is not None for field in self.TIMES_OF_DAY]
        if any(given) and not all(given):
            missing = self.TIMES_OF_DAY[given.index(False)]
            self.add_error(missing, _("Quiet hours need a beginning and an end; leave both empty for none."))
        return cleaned

    @classmethod
    def showing(cls, rules: PassageSettings) -> Self:
        """The form as it shows rules."""
        shown: dict[str, object] = {field: getattr(rules, field) // unit for field, unit in cls.UNITS.items()}
        if rules.quiet_from_min != rules.quiet_until_min:
            shown |= {field: time(*divmod(getattr(rules, field), 60)) for field in cls.TIMES_OF_DAY}
        return cls(
            initial={
                "reminders_on": rules.reminders_on,
                "unknown_hours_remind": rules.unknown_hours_remind,
                **shown,
            }
        )

    @property
    def values(self) -> dict[str, int]:
        """What was entered, in the units of the rules."""
        values = {field: self.cleaned_data[field] * unit for field, unit in self.UNITS.items()}
        for field in self.TIMES_OF_DAY:
            moment = self.cleaned_data[field]
            values[field] = moment.hour * 60 + moment.minute if moment is not None else 0
        return values


class UnionForm(forms.Form):
    """Which union's rules to open."""

    union = forms.CharField(
        label=_("Union"), max_length=120, help_text=_("Whole name or division code; yours or one below it.")
    )


class SourceForm(forms.Form):
    """A new source of pings."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("The company or fleet, such as “Food delivery, Zhengzhou”.")
    )
    union = forms.CharField(
        label=_("Union"), max_length=120, help_text=_("Whole name or division code; yours or one below it.")
    )
    is_simulated = forms.BooleanField(
        label=_("Its vehicles are simulated"),
        required=False,
        help_text=_(
            "For trying things out. Simulated vehicles appear on the live map and are marked as such everywhere; "
            "positions of real vehicles are never shown or kept."
        ),
    )


class RateForm(forms.Form):
    """How many pings a source may send."""

    pings_per_second = forms.IntegerField(
        label=_("Most pings a second"),
        min_value=1,
        max_value=MOST_PINGS_PER_SECOND,
        help_text=_("On average; what was not sent in the last ten seconds may be sent at once. Beyond it: 429."),
    )


class WebhookForm(forms.Form):
    """Where reminders of a source are delivered to."""

    webhook_url = forms.CharField(
        label=_("Address for reminders"),
        required=False,
        max_length=500,
        help_text=_(
            "A page of the company's server that takes reminders by POST, such as https://fleet.example.cn/yizhan. "
            "Empty: reminders are told in the answers only."
        ),
    )


class TrackForm(forms.Form):
    """A file of positions to be played back."""

    file = forms.FileField(
        label=_("File of positions"),
        widget=forms.FileInput(attrs={"accept": ".csv,.arrow,.arrows,text/csv"}),
        help_text=_(
            "CSV with the columns vehicle, time, lon, lat and, if known, accuracy_m; or an Arrow stream with the same. "
            "It is judged in memory and kept nowhere."
        ),
    )
    datum = forms.ChoiceField(
        label=_("Datum of the positions"),
        choices=[(each.value, each.value) for each in Datum],
        help_text=_("Phones and AMap say GCJ-02, Baidu BD-09, bare receivers WGS-84."),
    )
    day = forms.DateField(
        label=_("Day to play back"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: the day of which the file has most."),
    )
    source: forms.ModelChoiceField[PingSource] = forms.ModelChoiceField(
        label=_("Whose vehicles these are"),
        queryset=PingSource.objects.none(),
        required=False,
        empty_label=_("Unknown"),
        help_text=_("With the source, its earlier reminders and its drivers' wishes count, and the log is compared."),
    )

    def __init__(self, *args: object, for_staff: Staff, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["source"].queryset = sources(for_staff=for_staff)  # type: ignore[attr-defined]

    @property
    def chosen_datum(self) -> Datum:
        """The datum that was chosen."""
        return Datum(self.cleaned_data["datum"])

    def content(self) -> bytes:
        """The file's bytes."""
        content: bytes = self.cleaned_data["file"].read()
        return content


class RidersForm(forms.Form):
    """Simulated riders to be played back."""

    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The hours of that day count; rules are those of today."),
    )
    from_hour = forms.IntegerField(label=_("From (hour of the day)"), min_value=0, max_value=23)
    hours = forms.IntegerField(label=_("How many hours"), min_value=1, max_value=4)
    riders = forms.IntegerField(label=_("Riders"), min_value=1, max_value=30)
    seed = forms.IntegerField(
        label=_("Number of the simulation"),
        min_value=1,
        max_value=10**6,
        help_text=_("The same number gives the same riders on the same streets."),
    )

    @classmethod
    def suggested(cls) -> Self:
        """Yesterday at noon."""
        yesterday = timezone.localdate() - timedelta(days=1)
        return cls(initial={"day": yesterday, "from_hour": 11, "hours": 1, "riders": 8, "seed": 1})

    def clean_day(self) -> date:
        """A day whose hours can be known."""
        day: date = self.cleaned_data["day"]
        if not date(2020, 1, 1) <= day <= timezone.localdate() + timedelta(days=7):
            raise forms.ValidationError(_("Must lie between 2020 and a week from now."))
        return day
