"""How the inbox of reports and the list of plates are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.places.models import Place, PlaceKind, PlaceStatus, Report, ReportKind, ReportState
from yizhan.places.models.reports import UNANSWERED
from yizhan.places.queries.desk import matching

from .queries import ANSWERED, overdue


class ReportFilter(django_filters.FilterSet):
    """Reports by place, what they wait for, kind and union."""

    q = django_filters.CharFilter(label=_("Name of the place"), field_name="place__name", lookup_expr="icontains")
    waiting = django_filters.ChoiceFilter(
        label=_("Waits for"),
        choices=[
            ("overdue", _("Overdue")),
            ("answer", _("An answer")),
            ("verification", _("Verification")),
            ("nothing", _("Nothing: closed")),
        ],
        empty_label=_("All"),
        method="by_waiting",
    )
    kind = django_filters.ChoiceFilter(label=_("What is wrong"), choices=ReportKind.choices, empty_label=_("All"))
    union = django_filters.CharFilter(
        label=_("Union"), field_name="place__union__name", lookup_expr="icontains", max_length=80
    )

    class Meta:
        model = Report
        fields: list[str] = []

    def by_waiting(self, found: QuerySet[Report], name: str, value: str) -> QuerySet[Report]:
        """By what they wait for."""
        if value == "overdue":
            return overdue(found, timezone.now())
        states = {
            "answer": UNANSWERED,
            "verification": ANSWERED,
            "nothing": (ReportState.SETTLED, ReportState.WITHDRAWN),
        }
        return found.filter(state__in=states[value])


class PlateFilter(django_filters.FilterSet):
    """Places for whose doors plates are made."""

    q = django_filters.CharFilter(label=_("Name, address or district"), method="by_text", max_length=80)
    union = django_filters.CharFilter(
        label=_("Union"), field_name="union__name", lookup_expr="icontains", max_length=80
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=PlaceKind.choices, empty_label=_("All"))
    status = django_filters.ChoiceFilter(label=_("Status"), choices=PlaceStatus.choices, empty_label=_("All"))

    class Meta:
        model = Place
        fields: list[str] = []

    def by_text(self, found: QuerySet[Place], name: str, value: str) -> QuerySet[Place]:
        """Every word occurs."""
        return matching(found, value)
