"""Entering and changing a place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.geo import Datum
from yizhan.places.facts import PlaceFacts
from yizhan.places.models import Access, DatumChoice, Place, PlaceKind, PositionSource, Users
from yizhan.places.services import facts_of, vocabulary
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Occupation, Union
from yizhan.unions.queries.tree import union_called

from .hours import HoursForm

_ENTERED = [
    PositionSource.SURVEY,
    PositionSource.MAP,
    PositionSource.GEOCODE,
]
_DEGREES = {"step": "any", "inputmode": "decimal"}


class UnionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Unions by their public identifiers, indented by their place in the tree."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(to_field_name="public_id", **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        """The name, indented."""
        return f"{'　' * (obj.depth - 1)}{obj.name}"


_FIELDS = {"position": "lon", "entrance": "entrance_lon", "parking": "parking_lon", "host_name": "host"}
_EMPTY: tuple[Any, ...] = (None, "", [], ())


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
        help_text=_(
            "Shown to everyone: give the telephone of the office, not a private one. Mobile numbers are shown "
            "with stars, 138****5678."
        ),
    )
    contact_is_service = forms.BooleanField(
        label=_("This mobile number belongs to the service, not to a person: show it whole"), required=False
    )
    access = forms.ChoiceField(label=_("How to enter"), choices=Access, required=False)
    access_note = forms.CharField(
        label=_("Note on entering"),
        max_length=200,
        required=False,
        help_text=_("Such as “second door to the left of the bank”. No door codes: everyone reads this."),
    )
    users = forms.ChoiceField(label=_("Who may use it"), choices=Users, initial=Users.EVERYONE, required=False)
    occupations = forms.MultipleChoiceField(
        label=_("Which occupations"),
        choices=Occupation,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("These count when you chose “certain occupations”."),
    )
    capacity = forms.IntegerField(label=_("Seats"), min_value=1, max_value=2000, required=False)
    entrance_lon = forms.FloatField(
        label=_("Longitude of the door"), required=False, widget=forms.NumberInput(attrs=_DEGREES)
    )
    entrance_lat = forms.FloatField(
        label=_("Latitude of the door"), required=False, widget=forms.NumberInput(attrs=_DEGREES)
    )
    parking_lon = forms.FloatField(
        label=_("Longitude of e-bike parking"), required=False, widget=forms.NumberInput(attrs=_DEGREES)
    )
    parking_lat = forms.FloatField(
        label=_("Latitude of e-bike parking"), required=False, widget=forms.NumberInput(attrs=_DEGREES)
    )
    host = forms.CharField(
        label=_("Who lends the premises"),
        max_length=120,
        required=False,
        help_text=_("A union by its whole name, or a bank, a shop, a park: whoever it is."),
    )
    operator = forms.CharField(
        label=_("Which union runs it"), max_length=120, required=False, help_text=_("Empty: the union it belongs to.")
    )
    funder = forms.CharField(label=_("Which union pays for it"), max_length=120, required=False)
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
            contact_is_service=values["contact_is_service"],
            entrance=_point(values, "entrance"),
            parking=_point(values, "parking"),
            host=values["host"] if isinstance(values["host"], Union) else None,
            host_name=values["host"] if isinstance(values["host"], str) else "",
            operator=values["operator"] or None,
            funder=values["funder"] or None,
            access=values["access"],
            access_note=values["access_note"],
            users=values["users"] or Users.EVERYONE,
            occupations=tuple(values["occupations"]),
            capacity=values["capacity"],
        )

    def clean_host(self) -> Union | str:
        """A union of this name, or the name of whoever else it is."""
        name: str = self.cleaned_data["host"]
        try:
            return self._union("host", name) or ""
        except RuleBroken as broken:
            if broken.problems[0].code == "ambiguous":
                raise forms.ValidationError(str(broken.problems[0].message)) from broken
            return name

    def clean_operator(self) -> Union | None:
        """A union."""
        return self._known_union("operator")

    def clean_funder(self) -> Union | None:
        """A union."""
        return self._known_union("funder")

    def clean(self) -> dict[str, Any]:
        """A point has both numbers or none."""
        values: dict[str, Any] = super().clean() or {}
        for name in ("entrance", "parking"):
            lon, lat = values.get(f"{name}_lon"), values.get(f"{name}_lat")
            if (lon is None) != (lat is None) and not {f"{name}_lon", f"{name}_lat"} & set(self.errors):
                self.add_error(f"{name}_{'lat' if lat is None else 'lon'}", _("Give both numbers, or none."))
        return values

    def _known_union(self, field: str) -> Union | None:
        try:
            return self._union(field, self.cleaned_data[field])
        except RuleBroken as broken:
            raise forms.ValidationError(str(broken.problems[0].message)) from broken

    def _union(self, field: str, name: str) -> Union | None:
        if not name:
            return None
        before: Union | None = getattr(self.place, field, None)
        if before is not None and before.name == name:  # many unions are called alike; this one was chosen before
            return before
        return union_called(name, field=field)

    def show(self, broken: RuleBroken) -> None:
        """Put each problem at its field."""
        for problem in broken.problems:
            name = _FIELDS.get(problem.field, problem.field)
            if name == "hours":
                self.hours.add_error("raw", str(problem.message))
            else:
                self.add_error(name if name in self.fields and name != "revision" else None, str(problem.message))

    def section_is_open(self, names: tuple[str, ...]) -> bool:
        """Whether a folded part of the form has something to show: a value or an error."""
        return any(self[name].errors or self[name].value() not in _EMPTY for name in names)

    def door_is_open(self) -> bool:
        """Whether the part on getting in has something to show."""
        return self.section_is_open(("access", "access_note", "occupations", "capacity"))

    def points_are_open(self) -> bool:
        """Whether the part on door and parking has something to show."""
        return self.section_is_open(("entrance_lon", "entrance_lat", "parking_lon", "parking_lat"))

    def parties_are_open(self) -> bool:
        """Whether the part on host, operator and funder has something to show."""
        return self.section_is_open(("host", "operator", "funder"))

    def first_fields(self) -> list[forms.BoundField]:
        """Those before the hours."""
        names = ["union", "kind", "name", "address", "district", "datum"]
        return [self[name] for name in names if name in self.fields]


class ReasonForm(forms.Form):
    """Why a place is suspended, resumed or closed."""

    reason = forms.CharField(label=_("Reason, shown to everyone"), max_length=200)


class WithdrawForm(ReasonForm):
    """Why a place is suspended, and until when that is expected."""

    until = forms.DateField(
        label=_("Expected to open again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Shown to everyone. The place does not open by itself: you open it again."),
    )


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
        "contact_is_service": facts.contact_is_service,
        "access": facts.access,
        "access_note": facts.access_note,
        "users": facts.users,
        "occupations": list(facts.occupations),
        "capacity": facts.capacity,
        **_degrees("entrance", facts.entrance),
        **_degrees("parking", facts.parking),
        "host": facts.host.name if facts.host else facts.host_name,
        "operator": facts.operator.name if facts.operator else "",
        "funder": facts.funder.name if facts.funder else "",
        "revision": place.revision,
    }


def _degrees(name: str, point: tuple[float, float] | None) -> dict[str, float]:
    return {f"{name}_lon": round(point[0], 6), f"{name}_lat": round(point[1], 6)} if point else {}


def _point(values: dict[str, Any], name: str) -> tuple[float, float] | None:
    lon, lat = values[f"{name}_lon"], values[f"{name}_lat"]
    return None if lon is None or lat is None else (lon, lat)
