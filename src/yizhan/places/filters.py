"""How lists of places are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import Place, PlaceKind, PlaceStatus
from .queries.desk import matching
from .queries.public import hours_open_at


class PlaceFilter(django_filters.FilterSet):
    """Places by text, state, kind, union, and whether they are open."""

    q = django_filters.CharFilter(label=_("Name, address or district"), method="by_text", max_length=80)
    status = django_filters.ChoiceFilter(label=_("Status"), choices=PlaceStatus.choices, empty_label=_("All"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=PlaceKind.choices, empty_label=_("All"))
    union = django_filters.CharFilter(
        label=_("Union"), field_name="union__name", lookup_expr="icontains", max_length=80
    )
    open = django_filters.ChoiceFilter(
        label=_("Hours"),
        choices=[("now", _("Open now")), ("unknown", _("Hours unknown"))],
        empty_label=_("All"),
        method="by_hours",
    )

    class Meta:
        model = Place
        fields: list[str] = []

    def by_text(self, found: QuerySet[Place], name: str, value: str) -> QuerySet[Place]:
        """Every word occurs."""
        return matching(found, value)

    def by_hours(self, found: QuerySet[Place], name: str, value: str) -> QuerySet[Place]:
        """Certainly open at this moment, or nobody knows when."""
        if value == "unknown":
            return found.filter(hours="")
        return found.filter(hours__in=hours_open_at(found, timezone.now()))
