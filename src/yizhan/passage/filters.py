"""How lists are narrowed."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from .models import Reminder

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReminderFilter(django_filters.FilterSet):
    """Reminders by place, day, union and whether the vehicle was simulated."""

    place = django_filters.CharFilter(label=_("Place"), field_name="place__name", lookup_expr="icontains")
    since = django_filters.DateFilter(label=_("From"), field_name="passed_at", lookup_expr="date__gte", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until"), field_name="passed_at", lookup_expr="date__lte", widget=_DATE)
    union = django_filters.CharFilter(label=_("Union"), field_name="union__name", lookup_expr="icontains")
    vehicles = django_filters.ChoiceFilter(
        label=_("Vehicles"),
        choices=[("real", _("Real")), ("simulated", _("Simulated"))],
        empty_label=_("All"),
        method="by_vehicles",
    )

    class Meta:
        model = Reminder
        fields: list[str] = []

    def by_vehicles(self, found: QuerySet[Reminder], name: str, value: str) -> QuerySet[Reminder]:
        """Simulated or real."""
        return found.filter(is_simulated=value == "simulated")
