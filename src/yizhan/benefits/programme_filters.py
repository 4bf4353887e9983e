"""How lists of programmes and exclusions are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import AppealState, Exclusion, Programme, ProgrammeKind, ProgrammeState


class ProgrammeFilter(django_filters.FilterSet):
    """Programmes by name, state, kind and union."""

    q = django_filters.CharFilter(label=_("Name"), field_name="name", lookup_expr="icontains", max_length=80)
    state = django_filters.ChoiceFilter(label=_("State"), choices=ProgrammeState.choices, empty_label=_("All"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=ProgrammeKind.choices, empty_label=_("All"))
    union = django_filters.CharFilter(label=_("Union"), field_name="union__name", lookup_expr="icontains")

    class Meta:
        model = Programme
        fields: list[str] = []


class ExclusionFilter(django_filters.FilterSet):
    """Exclusions by what stands with them."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("appeal", _("Appeal waits for an answer")), ("holds", _("In force")), ("over", _("Lifted or over"))],
        empty_label=_("All"),
        method="by_state",
    )
    programme = django_filters.CharFilter(label=_("Programme"), field_name="programme__name", lookup_expr="icontains")

    class Meta:
        model = Exclusion
        fields: list[str] = []

    def by_state(self, found: QuerySet[Exclusion], name: str, value: str) -> QuerySet[Exclusion]:
        """Waiting, in force, or over."""
        holds = Q(lifted_at__isnull=True) & (Q(until__isnull=True) | Q(until__gt=timezone.now()))
        match value:
            case "appeal":
                return found.filter(appeal_state=AppealState.WAITING)
            case "holds":
                return found.filter(holds)
        return found.exclude(holds)
