"""Equipment, closures, photos, words and rules as staff enter them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.models import Equipment, EquipmentState
from yizhan.places.models.facts import MOST_INSIDE
from yizhan.places.pictures import ACCEPT, MOST_BYTES
from yizhan.places.services import EquipmentFacts, vocabulary
from yizhan.unions.models import Union


class EquipmentForm(forms.Form):
    """A piece of equipment."""

    name = forms.CharField(
        label=_("What it is"), max_length=60, help_text=_("Such as 微波炉, 急救药箱, AED 电极片 or 灭火器.")
    )
    offer = forms.ChoiceField(
        label=_("Needed for"),
        required=False,
        help_text=_("While it is broken, everyone reads that this offer is out of order."),
    )
    state = forms.ChoiceField(label=_("State"), choices=EquipmentState, widget=forms.RadioSelect)
    broken_since = forms.DateField(
        label=_("Broken since"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: since today."),
    )
    expires_on = forms.DateField(
        label=_("Not to be used from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("For medicine, AED pads and extinguishers: the first that runs out. You are reminded before."),
    )
    note = forms.CharField(label=_("Note"), max_length=120, required=False, help_text=_("Everyone reads this."))

    def __init__(self, data: Any = None, *, union: Union, thing: Equipment | None = None) -> None:
        initial: dict[str, Any] = {"state": EquipmentState.WORKS}
        if thing is not None:
            initial = {name: getattr(thing, name) for name in ("name", "state", "broken_since", "expires_on", "note")}
            initial["offer"] = thing.offer.code if thing.offer else ""
        super().__init__(data, initial=initial)
        self.fields["offer"].choices = [  # type: ignore[attr-defined]
            ("", _("Nothing that is offered")),
            *((kind.code, kind.name) for kind in vocabulary(union)),
        ]

    def facts(self) -> EquipmentFacts:
        """What was entered."""
        return EquipmentFacts(**self.cleaned_data)


class ClosureForm(forms.Form):
    """Shutting a place for a while."""

    starts_at = forms.DateTimeField(
        label=_("Shut from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    ends_at = forms.DateTimeField(
        label=_("Open again from"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("From then on its usual hours count again. You can end it earlier at any time."),
    )
    reason = forms.CharField(
        label=_("Reason, shown to everyone"), max_length=120, help_text=_("Such as 停电检修 or 社区活动占用.")
    )


class OccupancyForm(forms.Form):
    """How many people are inside now."""

    people = forms.IntegerField(label=_("People inside now"), min_value=0, max_value=MOST_INSIDE)


class PhotoForm(forms.Form):
    """A photo for everyone."""

    photo = forms.FileField(
        label=_("Photo"),
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPT}),
        help_text=_("Door, sign, way in, what is inside. Please no people: nobody asked them."),
    )
    alt = forms.CharField(
        label=_("What it shows"),
        max_length=120,
        help_text=_("Such as “the east door, green sign”: for those who cannot see the picture."),
    )

    def content(self) -> bytes:
        """The file's bytes; one more than is taken when it is too big, so that the rule can say so."""
        file = self.cleaned_data["photo"]
        content: bytes = file.read(MOST_BYTES + 1)
        return content


class WordForm(forms.Form):
    """A word that a union adds to what places may offer."""

    name_zh = forms.CharField(label=_("In Chinese"), max_length=40)
    name_en = forms.CharField(label=_("In English"), max_length=60)


class CareRulesForm(forms.Form):
    """How closely places are looked after."""

    verify_months = forms.IntegerField(
        label=_("Verify every so many months"), required=False, min_value=1, max_value=36
    )
    warn_days = forms.IntegerField(
        label=_("Warn so many days before a date passes"), required=False, min_value=1, max_value=180
    )
