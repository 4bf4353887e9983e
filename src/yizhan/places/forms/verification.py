"""The checklist that a verifier goes through on the spot."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from yizhan.places.models import OfferKind, Place
from yizhan.places.pictures import ACCEPT, MOST_BYTES
from yizhan.places.services.verification import NOT_SEEN, OK, WRONG, Look, items_of
from yizhan.unions.errors import RuleBroken

FINDINGS = ((OK, _("right")), (WRONG, _("wrong")), (NOT_SEEN, _("not seen")))
ITEM_LABELS: dict[str, Any] = {
    "name": _("The name over the door"),
    "address": _("The address"),
    "position": _("The position on the map"),
    "door": _("The door is open as the hours say"),
    "entry": _("One gets in as described"),
    "hours": _("The hours are posted at the door, and the same"),
}


class VerificationForm(forms.Form):
    """One choice for each thing to look at, and what is right instead."""

    right_name = forms.CharField(label=_("What the name really is"), max_length=120, required=False)
    right_address = forms.CharField(label=_("What the address really is"), max_length=300, required=False)
    move_here = forms.BooleanField(label=_("Move the place to where I stand now"), required=False)
    lon = forms.FloatField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, widget=forms.HiddenInput)
    accuracy_m = forms.FloatField(required=False, widget=forms.HiddenInput)
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPT, "capture": "environment"}),
        help_text=_("Only the desk sees it; position and time are removed from the file. Please no people."),
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def __init__(self, data: Any = None, files: Any = None, *, place: Place) -> None:
        super().__init__(data, files)
        kinds = {kind.code: kind.name for kind in OfferKind.objects.filter(offers__place=place)}
        self._items: dict[str, str] = {}
        for number, item in enumerate(items_of(place)):
            field = f"item{number}"
            self._items[field] = item
            self.fields[field] = forms.ChoiceField(
                label=_label(item, kinds),
                choices=FINDINGS,
                initial=NOT_SEEN,
                widget=forms.RadioSelect,
                help_text=_told(item, place),
            )

    def checks(self) -> list[tuple[forms.BoundField, list[forms.BoundField]]]:
        """Each thing to look at with the fields that say what is right instead."""
        more = {"name": ["right_name"], "address": ["right_address"], "position": ["move_here"]}
        return [(self[field], [self[name] for name in more.get(item, [])]) for field, item in self._items.items()]

    def look(self) -> Look:
        """What was entered."""
        values = self.cleaned_data
        photo, lon, lat = values.get("photo"), values.get("lon"), values.get("lat")
        return Look(
            findings={item: values[field] for field, item in self._items.items()},
            standing=None if lon is None or lat is None else (lon, lat),
            accuracy_m=values.get("accuracy_m"),
            name=values["right_name"],
            address=values["right_address"],
            move_here=values["move_here"],
            note=values["note"],
            photo=photo.read(MOST_BYTES + 1) if photo else None,
        )

    def show(self, broken: RuleBroken) -> None:
        """Put each problem at its field."""
        fields = {item: field for field, item in self._items.items()}
        for problem in broken.problems:
            name = fields.get(problem.field, problem.field)
            self.add_error(name if name in self.fields else None, str(problem.message))


def item_label(item: str, kinds: dict[str, str]) -> str:
    """What an item of a verification is called; `kinds` names offers by code."""
    return str(_label(item, kinds))


def _label(item: str, kinds: dict[str, str]) -> Any:
    kind, _colon, name = item.partition(":")
    if kind == "offer":
        return format_lazy(_("Offer: {name}"), name=kinds.get(name, name))
    return format_lazy(_("Equipment: {name}"), name=name) if kind == "equipment" else ITEM_LABELS.get(item, item)


def _told(item: str, place: Place) -> Any:
    """What the directory says, for comparison."""
    match item.partition(":")[0]:
        case "name":
            return place.name
        case "address":
            return place.address or _("None is given.")
        case "offer":
            return _("“Wrong” takes it off the list.")
        case "equipment":
            return _("“Wrong” marks it as broken, “right” as working.")
        case "entry":
            return " ".join(part for part in (str(place.get_access_display()), place.access_note) if part)
        case _:
            return ""
