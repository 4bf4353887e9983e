"""The desk's forms of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import LIMITS, MOST_PINGS_PER_SECOND, PassageSettings

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as _StrOrPromise


def _whole(field: str, unit: int, *, label: _StrOrPromise, help_text: _StrOrPromise) -> forms.IntegerField:
    least, most = LIMITS[field]
    return forms.IntegerField(label=label, help_text=help_text, min_value=-(-least // unit), max_value=most // unit)


class RulesForm(forms.Form):
    """The rules of a union, in the units that people use."""

    UNITS = {"radius_m": 1, "cool_down_s": 60, "gap_s": 60, "max_segment_gap_s": 1, "max_speed_kmh": 1}

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

    @classmethod
    def showing(cls, rules: PassageSettings) -> Self:
        """The form as it shows rules."""
        shown = {field: getattr(rules, field) // unit for field, unit in cls.UNITS.items()}
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
        return {field: self.cleaned_data[field] * unit for field, unit in self.UNITS.items()}


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
