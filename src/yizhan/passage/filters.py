"""How lists are narrowed."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from .models import HourCount, Reminder

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


class HourCountFilter(django_filters.FilterSet):
    """Counts by day, hour of the day, least number and source."""

    since = django_filters.DateFilter(label=_("From"), field_name="hour", lookup_expr="date__gte", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until"), field_name="hour", lookup_expr="date__lte", widget=_DATE)
    hour = django_filters.ChoiceFilter(
        label=_("Hour of the day"),
        field_name="hour__hour",
        choices=[(str(hour), f"{hour:02d}:00") for hour in range(24)],
        empty_label=_("All"),
    )
    least = django_filters.NumberFilter(label=_("At least (vehicles)"), field_name="vehicles", lookup_expr="gte")
    source = django_filters.CharFilter(label=_("Source"), field_name="source__name", lookup_expr="icontains")

    class Meta:
        model = HourCount
        fields: list[str] = []
