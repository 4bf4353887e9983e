"""The design system, documented by showing it."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yizhan.web.icons import ICONS

COLOURS = (
    "ink",
    "ink-2",
    "ink-3",
    "paper",
    "surface",
    "surface-2",
    "line",
    "line-strong",
    "red",
    "red-deep",
    "red-tint",
    "green",
    "green-tint",
    "amber",
    "amber-tint",
    "blue",
    "blue-tint",
    "night",
)
TYPE_SIZES = ("s", "m", "l", "xl", "2xl", "3xl")


class ExampleForm(forms.Form):
    """One of each kind of field."""

    name = forms.CharField(label=_("Station name"), max_length=40, help_text=_("As on the sign at the door."))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("Please choose")), ("station", _("Station")), ("meal", _("Meal point"))]
    )
    phone = forms.CharField(label=_("Telephone"), required=False)
    services = forms.MultipleChoiceField(
        label=_("Services"),
        choices=[("water", _("Drinking water")), ("charge", _("Charging")), ("rest", _("Rest"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    published = forms.BooleanField(
        label=_("Show to everyone"), required=False, help_text=_("Otherwise only staff see it.")
    )


class ExampleFilter(forms.Form):
    """What narrows the example list."""

    q = forms.CharField(label=_("Name or address"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("All")), ("station", _("Station")), ("meal", _("Meal point"))], required=False
    )


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Every component, live."""
    rows = [
        {
            "name": _("Station at East Square"),
            "address": _("18 Fuhuo Road"),
            "tone": "good",
            "state": _("Open, until 21:00"),
            "visits": 1284,
        },
        {
            "name": _("Riders' canteen, Nongye Road"),
            "address": _("66 Nongye Road"),
            "tone": "warn",
            "state": _("Closes in 20 minutes"),
            "visits": 366,
        },
        {
            "name": _("Drivers' home, West Ring"),
            "address": _("3 West Third Ring"),
            "tone": "neutral",
            "state": _("Closed, opens at 08:00"),
            "visits": 42,
        },
    ]
    return render(
        request,
        "web/design.html",
        {
            "colours": COLOURS,
            "type_sizes": TYPE_SIZES,
            "icons": sorted(ICONS),
            "form": ExampleForm(initial={"kind": "station"}),
            "wrong_form": ExampleForm({"name": "", "kind": "harbour"}, prefix="wrong"),
            "filter": ExampleFilter(request.GET or None),
            "rows": rows,
            "page": Paginator(range(1483), 20).get_page(3),
        },
    )
