"""What the duty desk fills in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.places.models import Place, PlaceKind
from yizhan.rescue.models import MOST_AT_ONCE, Problem, Rescuer, Vehicle
from yizhan.rescue.services.rescuers import RescuerFacts
from yizhan.unions.models import Union
from yizhan.unions.personal_data import show_phone


class RescuerForm(forms.Form):
    """A rescuer: a repair point of the directory, or a person who comes."""

    union: Any = forms.ModelChoiceField(
        label=pgettext_lazy("rescue", "Union"), queryset=Union.objects.none(), to_field_name="public_id"
    )
    place: Any = forms.ModelChoiceField(
        label=_("Repair point"),
        queryset=Place.objects.none(),
        required=False,
        to_field_name="public_id",
        empty_label=_("None: someone who comes to the rider"),
        help_text=_("A fixed point of the directory; its position is taken from there."),
    )
    name = forms.CharField(label=_("Name riders see"), max_length=60)
    phone = forms.CharField(
        label=pgettext_lazy("rescue", "Telephone"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=_("Whoever signs in with this number answers the calls."),
    )
    skills = forms.MultipleChoiceField(
        label=_("Can mend"), choices=Problem.choices, widget=forms.CheckboxSelectMultiple
    )
    vehicle = forms.ChoiceField(label=_("Comes by"), choices=Vehicle.choices)
    spare_batteries = forms.IntegerField(label=_("Spare batteries"), min_value=0, max_value=200, initial=0)
    lon = forms.FloatField(label=_("Longitude of the area's middle (WGS-84)"), required=False)
    lat = forms.FloatField(label=_("Latitude of the area's middle (WGS-84)"), required=False)
    reach_m = forms.IntegerField(label=_("Goes as far as (metres)"), min_value=100, max_value=100_000, initial=5000)
    most_at_once = forms.IntegerField(label=_("Calls at the same time"), min_value=1, max_value=MOST_AT_ONCE, initial=1)

    paid_at: Any = forms.ModelChoiceField(
        label=_("Subsidies are paid to"),
        queryset=Place.objects.none(),
        required=False,
        to_field_name="public_id",
        empty_label=_("Nobody: no subsidy for what they mend"),
        help_text=_("The repair point that settles for someone who comes; a fixed point is paid itself."),
    )

    def __init__(self, *args: Any, unions: Any, rescuer: Rescuer | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        points = Place.objects.with_scopes_disabled().filter(kind=PlaceKind.REPAIR_POINT, status="published")
        points = points.select_related("union").order_by("name", "pk")
        if rescuer is not None:
            del self.fields["union"]
            del self.fields["place"]
            mine = points.filter(union__path__startswith=rescuer.union.path)
            self.fields["paid_at"].queryset = mine  # type: ignore[attr-defined]
            if rescuer.place_id is not None:
                del self.fields["paid_at"]
            return
        points = points.filter(union__in=unions.order_by())
        self.fields["union"].queryset = unions  # type: ignore[attr-defined]
        self.fields["place"].queryset = points  # type: ignore[attr-defined]
        self.fields["paid_at"].queryset = points  # type: ignore[attr-defined]

    def facts(self) -> RescuerFacts:
        """What was told."""
        told: dict[str, Any] = {"paid_at": None, **self.cleaned_data}
        return RescuerFacts(**{name: told[name] for name in RescuerFacts.__dataclass_fields__})

    @staticmethod
    def initial_of(rescuer: Rescuer) -> dict[str, Any]:
        """What is known of a rescuer."""
        known = {
            name: getattr(rescuer, name)
            for name in ("name", "skills", "vehicle", "spare_batteries", "reach_m", "most_at_once")
        }
        return {
            **known,
            "phone": show_phone(rescuer.phone),
            "lon": round(rescuer.base_lon, 6),
            "lat": round(rescuer.base_lat, 6),
            "paid_at": rescuer.paid_at.public_id if rescuer.paid_at else None,
        }
