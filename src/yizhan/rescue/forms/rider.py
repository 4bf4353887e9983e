"""What a rider fills in, on the road and with gloves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.pictures import ACCEPT
from yizhan.rescue.facts import CallFacts
from yizhan.rescue.models import Problem
from yizhan.rescue.services.log import LONGEST_WORDS
from yizhan.unions.errors import RuleBroken


def photo_field(*, required: bool = False) -> forms.FileField:
    """A picture from the phone's camera."""
    return forms.FileField(
        label=_("Photo"),
        required=required,
        help_text=_("Of a photo only the picture is kept: position, time and device are removed."),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )


class CallForm(forms.Form):
    """A call for help. Without script the position is typed; with it, it comes from the phone and the map."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    called_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    accuracy_m = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=1_000_000)
    problem = forms.ChoiceField(label=_("What is broken?"), choices=Problem.choices, widget=forms.RadioSelect)
    is_injured = forms.TypedChoiceField(
        label=_("Is anyone hurt?"),
        choices=[("yes", _("Yes, someone is hurt")), ("no", _("No, nobody is hurt"))],
        widget=forms.RadioSelect,
        required=False,
        empty_value=None,
        coerce=lambda said: said == "yes",
    )
    lon = forms.FloatField(label=_("Longitude"), widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    lat = forms.FloatField(label=_("Latitude"), widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    contact_phone = forms.CharField(
        label=_("Your telephone number"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    words = forms.CharField(
        label=_("How to find you"),
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.TextInput(attrs={"placeholder": _("Under the bridge, red e-bike")}),
    )
    photo = photo_field()

    def __init__(self, *args: Any, has_phone: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if has_phone:
            del self.fields["contact_phone"]

    def facts(self) -> CallFacts:
        """What was told."""
        told = self.cleaned_data
        return CallFacts(
            problem=told["problem"],
            lon=told["lon"],
            lat=told["lat"],
            accuracy_m=told["accuracy_m"],
            is_injured=told["is_injured"],
            words=told["words"],
            contact_phone=told.get("contact_phone", ""),
            called_at=told["called_at"],
        )

    def photo_bytes(self) -> bytes | None:
        """The picture as it came."""
        given = self.cleaned_data.get("photo")
        return given.read() if given else None

    def show(self, broken: RuleBroken) -> None:
        """Put each broken rule at its field."""
        broken.show_on(self)


class VerdictForm(forms.Form):
    """Mended, with stars."""

    stars = forms.TypedChoiceField(
        label=_("How was it?"),
        coerce=int,
        choices=[
            (5, _("★★★★★ very good")),
            (4, _("★★★★ good")),
            (3, _("★★★ fair")),
            (2, _("★★ poor")),
            (1, _("★ bad")),
        ],
    )
    words = forms.CharField(label=_("A word about it"), required=False, max_length=LONGEST_WORDS)


class FinishForm(forms.Form):
    """Mended, says the rescuer, and proves it."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    photo = photo_field()
    parts = forms.CharField(label=_("Parts used"), required=False, max_length=200)
    batteries = forms.IntegerField(label=_("Batteries swapped"), required=False, min_value=0, max_value=20)
    lon = forms.FloatField(widget=forms.HiddenInput, required=False)
    lat = forms.FloatField(widget=forms.HiddenInput, required=False)
