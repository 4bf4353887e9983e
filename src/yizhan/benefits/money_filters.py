"""How finance's lists are narrowed."""

from __future__ import annotations

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .models import (
    Difference,
    DifferenceKind,
    DifferenceState,
    Redemption,
    Signal,
    SignalKind,
    SignalState,
    Statement,
    StatementState,
)

_DATE = forms.DateInput(attrs={"type": "date"})


class StatementFilter(django_filters.FilterSet):
    """Statements by merchant, state and day."""

    q = django_filters.CharFilter(label=_("Merchant"), field_name="place__name", lookup_expr="icontains", max_length=80)
    state = django_filters.ChoiceFilter(label=_("State"), choices=StatementState.choices, empty_label=_("All"))
    since = django_filters.DateFilter(label=_("From this day on"), field_name="day", lookup_expr="gte", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until this day"), field_name="day", lookup_expr="lte", widget=_DATE)
    number = django_filters.CharFilter(label=_("Statement number"), lookup_expr="icontains", max_length=32)

    class Meta:
        model = Statement
        fields: list[str] = []


class DifferenceFilter(django_filters.FilterSet):
    """Differences by what does not agree and what became of it."""

    kind = django_filters.ChoiceFilter(
        label=pgettext_lazy("signal", "What"), choices=DifferenceKind.choices, empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=DifferenceState.choices, empty_label=_("All"))

    class Meta:
        model = Difference
        fields: list[str] = []


class SignalFilter(django_filters.FilterSet):
    """Signals by merchant, kind and outcome."""

    q = django_filters.CharFilter(label=_("Merchant"), field_name="place__name", lookup_expr="icontains", max_length=80)
    kind = django_filters.ChoiceFilter(
        label=pgettext_lazy("signal", "What"), choices=SignalKind.choices, empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=SignalState.choices, empty_label=_("All"))

    class Meta:
        model = Signal
        fields: list[str] = []


class RedemptionFilter(django_filters.FilterSet):
    """Redemptions to take home."""

    programme = django_filters.CharFilter(
        label=_("Programme"), field_name="programme__name", lookup_expr="icontains", max_length=80
    )
    q = django_filters.CharFilter(label=_("Merchant"), field_name="place__name", lookup_expr="icontains", max_length=80)
    since = django_filters.DateFilter(label=_("From this day on"), field_name="day", lookup_expr="gte", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until this day"), field_name="day", lookup_expr="lte", widget=_DATE)

    class Meta:
        model = Redemption
        fields: list[str] = []
