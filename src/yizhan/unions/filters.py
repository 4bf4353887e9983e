"""How lists are narrowed."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from .audit import actions
from .models import AuditEntry, Membership, Occupation, Staff, Worker
from .queries.people import matching
from .rights import Role

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PostFilter(django_filters.FilterSet):
    """Posts by person, union, role and whether they are held."""

    q = django_filters.CharFilter(label=_("Name or user name"), method="by_person")
    union = django_filters.CharFilter(label=_("Union"), field_name="union__name", lookup_expr="icontains")
    role = django_filters.ChoiceFilter(label=_("Role"), choices=Role.choices, empty_label=_("All"))
    active = django_filters.ChoiceFilter(
        label=_("State"),
        field_name="is_active",
        choices=[("true", _("Active")), ("false", _("Taken away"))],
        empty_label=_("All"),
        method="by_state",
    )

    class Meta:
        model = Staff
        fields: list[str] = []

    def by_person(self, found: QuerySet[Staff], name: str, value: str) -> QuerySet[Staff]:
        """Part of the name or user name."""
        return found.filter(Q(user__name__icontains=value) | Q(user__username__icontains=value))

    def by_state(self, found: QuerySet[Staff], name: str, value: str) -> QuerySet[Staff]:
        """Held or taken away."""
        return found.filter(is_active=value == "true")


class WorkerFilter(django_filters.FilterSet):
    """Workers by person, union, occupation and membership."""

    q = django_filters.CharFilter(label=_("Name, or whole phone or identity number"), method="by_person", max_length=60)
    union = django_filters.CharFilter(label=_("Union"), field_name="union__name", lookup_expr="icontains")
    occupation = django_filters.ChoiceFilter(label=_("Occupation"), choices=Occupation.choices, empty_label=_("All"))
    membership = django_filters.ChoiceFilter(label=_("Membership"), choices=Membership.choices, empty_label=_("All"))

    class Meta:
        model = Worker
        fields: list[str] = []

    def by_person(self, found: QuerySet[Worker], name: str, value: str) -> QuerySet[Worker]:
        """By name or a whole number."""
        return matching(found, value)


class TrailFilter(django_filters.FilterSet):
    """Audit entries by who, what, when, where and to whom."""

    person = django_filters.CharFilter(label=_("Who"), method="by_person")
    action = django_filters.ChoiceFilter(
        label=_("What"),
        choices=lambda: [(name, action.label) for name, action in actions().items()],
        empty_label=_("All"),
    )
    since = django_filters.DateFilter(label=_("From"), field_name="at", lookup_expr="date__gte", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until"), field_name="at", lookup_expr="date__lte", widget=_DATE)
    union = django_filters.CharFilter(label=_("Union"), field_name="union__name", lookup_expr="icontains")
    target = django_filters.CharFilter(label=_("Target"), field_name="target_label", lookup_expr="icontains")

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def by_person(self, found: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        """Part of the name or user name."""
        return found.filter(Q(person__name__icontains=value) | Q(person__username__icontains=value))
