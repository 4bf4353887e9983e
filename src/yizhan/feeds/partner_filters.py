"""How lists of listings and deliveries are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.places.queries.desk import matching

from .models import FindingKind, Listing, ListingState, Push, PushOutcome


class ListingFilter(django_filters.FilterSet):
    """Listings by place, partner, state, finding and union."""

    q = django_filters.CharFilter(label=_("Name, address or district"), method="by_text", max_length=80)
    state = django_filters.ChoiceFilter(label=_("State"), choices=ListingState.choices, empty_label=_("All"))
    partner = django_filters.CharFilter(
        label=_("Partner"), field_name="partner__name", lookup_expr="icontains", max_length=80
    )
    finding = django_filters.ChoiceFilter(
        label=_("Found in an export"),
        choices=[choice for choice in FindingKind.choices if choice[0] not in {"", FindingKind.UNKNOWN}],
        empty_label=_("All"),
    )
    union = django_filters.CharFilter(
        label=_("Union"), field_name="place__union__name", lookup_expr="icontains", max_length=80
    )

    class Meta:
        model = Listing
        fields: list[str] = []

    def by_text(self, found: QuerySet[Listing], name: str, value: str) -> QuerySet[Listing]:
        """Every word occurs."""
        from yizhan.places.models import Place

        return found.filter(place__in=matching(Place.objects.all(), value).values("pk"))


class PushFilter(django_filters.FilterSet):
    """Deliveries by partner and outcome."""

    partner = django_filters.CharFilter(
        label=_("Partner"), field_name="partner__name", lookup_expr="icontains", max_length=80
    )
    outcome = django_filters.ChoiceFilter(label=_("Outcome"), choices=PushOutcome.choices, empty_label=_("All"))
    message = django_filters.CharFilter(label=_("Message"), field_name="message_id", max_length=80)

    class Meta:
        model = Push
        fields: list[str] = []
