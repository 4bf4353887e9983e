"""Entering and changing a place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum
from yizhan.places.facts import PlaceFacts
from yizhan.places.models import DatumChoice, Place, PlaceKind, PositionSource
from yizhan.places.services import facts_of, vocabulary
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union

from .hours import HoursForm

_ENTERED = [
    PositionSource.SURVEY,
    PositionSource.MAP,
    PositionSource.GEOCODE,
]


class UnionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Unions by their public identifiers, indented by their place in the tree."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(to_field_name="public_id", **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        """The name, indented."""
        return f"{'　' * (obj.depth - 1)}{obj.name}"


class PlaceForm(forms.Form):
    """The facts of a place. `hours` is a form of its own, shown in the middle."""

    kind = forms.ChoiceField(label=_("Kind"), choices=PlaceKind)
    name = forms.CharField(label=_("Name"), max_length=120)
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    district = forms.CharField(
        label=_("District"), max_length=60, required=False, help_text=_("As people call it, such as 中原区 or 高新区.")
    )
    datum = forms.ChoiceField(
        label=_("Where the position comes from"),
        choices=[("", _("Please choose")), *DatumChoice.choices],
        help_text=_("Positions copied from AMap or Tencent are GCJ-02, from Baidu BD-09; a GPS device gives WGS-84."),
    )
    lon = forms.FloatField(
        label=_("Longitude"), widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
    )
    lat = forms.FloatField(label=_("Latitude"), widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}))
    position_source = forms.ChoiceField(
        label=_("How the position was found"), choices=[(source.value, source.label) for source in _ENTERED]
    )
    offers = forms.MultipleChoiceField(
        label=_("Offers"), widget=forms.CheckboxSelectMultiple, required=False, choices=()
    )
    contact = forms.CharField(
        label=_("Contact"),
        max_length=100,
        required=False,
        help_text=_("Shown to everyone: give the telephone of the office, not a private one."),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, place: Place | None = None, union: Union, unions: Any = None) -> None:
        self.place = place
        hours = place.hours if place else ""
        self.hours = HoursForm(data, hours=hours)
        super().__init__(data, initial=_initial(place) if place else {"kind": PlaceKind.STATION})
        self.fields["offers"].choices = [(kind.code, kind.name) for kind in vocabulary(place.union if place else union)]  # type: ignore[attr-defined]
        if place is not None and place.position_source not in _ENTERED:
            kept = PositionSource(place.position_source)
            self.fields["position_source"].choices = [  # type: ignore[attr-defined]
                (kept.value, kept.label),
                *self.fields["position_source"].choices,  # type: ignore[attr-defined]
            ]
        if place is None and unions is not None:
            self.fields["union"] = UnionChoice(
                label=_("Union"), queryset=unions, initial=union.public_id, empty_label=None
            )
            self.order_fields(["union"])

    def is_valid(self) -> bool:
        """Both this form and its hours."""
        hours = self.hours.is_valid()
        return super().is_valid() and hours

    def facts(self) -> PlaceFacts:
        """What was entered."""
        values = self.cleaned_data
        return PlaceFacts(
            name=values["name"],
            lon=values["lon"],
            lat=values["lat"],
            datum=Datum(values["datum"]),
            kind=values["kind"],
            address=values["address"],
            district=values["district"],
            hours=self.hours.syntax,
            contact=values["contact"],
            position_source=values["position_source"],
            offers=tuple(values["offers"]),
        )

    def show(self, broken: RuleBroken) -> None:
        """Put each problem at its field."""
        for problem in broken.problems:
            name = {"position": "lon"}.get(problem.field, problem.field)
            if name == "hours":
                self.hours.add_error("raw", str(problem.message))
            else:
                self.add_error(name if name in self.fields and name != "revision" else None, str(problem.message))

    def first_fields(self) -> list[forms.BoundField]:
        """Those before the hours."""
        names = ["union", "kind", "name", "address", "district", "datum"]
        return [self[name] for name in names if name in self.fields]


class ReasonForm(forms.Form):
    """Why a place is withdrawn or closed; shown to everyone."""

    reason = forms.CharField(label=_("Reason, shown to everyone"), max_length=200, required=False)


def _initial(place: Place) -> dict[str, Any]:
    datum = Datum(place.datum_given)
    facts = facts_of(place, offers=[offer.kind.code for offer in place.offers.all()], datum=datum)
    return {
        "kind": facts.kind,
        "name": facts.name,
        "address": facts.address,
        "district": facts.district,
        "datum": datum.value,
        "lon": round(facts.lon, 6),
        "lat": round(facts.lat, 6),
        "position_source": facts.position_source,
        "offers": list(facts.offers),
        "contact": facts.contact,
        "revision": place.revision,
    }
