"""Wishes and things given out as lists: how they are narrowed and taken home."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.cases.models import StockIssue, Wish, WishState
from yizhan.cases.queries.text import holding
from yizhan.cases.queries.wishes import late, still_out
from yizhan.unions.exports import ListResource


class WishFilter(django_filters.FilterSet):
    """Wishes by words, state and union."""

    q = django_filters.CharFilter(label=_("Wish or words"), method="by_text", max_length=60)
    state = django_filters.ChoiceFilter(label=_("State"), choices=WishState.choices, empty_label=_("All"))
    union = django_filters.CharFilter(
        label=_("Union"), field_name="case__union__name", lookup_expr="icontains", max_length=80
    )

    class Meta:
        model = Wish
        fields: list[str] = []

    def by_text(self, found: QuerySet[Wish], name: str, value: str) -> QuerySet[Wish]:
        """Part of what everyone reads, or the case's number."""
        return found.filter(holding("title", value) | holding("words", value) | Q(case__number=value))


class WishResource(ListResource):
    """A wish as a row: what everyone may read of it, and its sponsor."""

    number = Field(attribute="case__number", column_name=pgettext_lazy("order", "Number"))
    title = Field(attribute="title", column_name=_("Wish"))
    words = Field(attribute="words", column_name=_("Words"))
    state = Field(column_name=_("State"))
    union = Field(attribute="case__union__name", column_name=_("Union"))
    sponsor = Field(column_name=_("Sponsor"))
    published_at = Field(attribute="published_at", column_name=_("On the wall since"))
    claim_until = Field(attribute="claim_until", column_name=_("To be handed over by"))
    delivered_at = Field(attribute="delivered_at", column_name=_("Handed over at"))
    confirmed = Field(column_name=_("Confirmed by the worker"))

    def dehydrate_state(self, wish: Wish) -> str:
        """In the reader's language."""
        return str(wish.get_state_display())

    def dehydrate_sponsor(self, wish: Wish) -> str:
        """Whose claim stands or was kept."""
        return "、".join(claim.sponsor.name for claim in getattr(wish, "standing", []))

    def dehydrate_confirmed(self, wish: Wish) -> str:
        """Yes or no."""
        return _now("yes") if wish.is_confirmed else _now("no")


class IssueFilter(django_filters.FilterSet):
    """Things given out by thing or worker, and by whether they are out. Without a choice: what should come back."""

    q = django_filters.CharFilter(label=_("Thing or worker"), method="by_text", max_length=60)
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("late", _("Late")), ("all", _("Everything given out"))],
        empty_label=_("Still out"),
        method="by_state",
    )

    class Meta:
        model = StockIssue
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[StockIssue]) -> QuerySet[StockIssue]:
        """What should come back, unless something else is asked for."""
        found: QuerySet[StockIssue] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else still_out(found)

    def by_text(self, found: QuerySet[StockIssue], name: str, value: str) -> QuerySet[StockIssue]:
        """Part of the name of either."""
        return found.filter(holding("item__name", value) | holding("worker__user__name", value))

    def by_state(self, found: QuerySet[StockIssue], name: str, value: str) -> QuerySet[StockIssue]:
        """Late, or all."""
        return late(found) if value == "late" else found


class IssueResource(ListResource):
    """Something given out as a row."""

    thing = Field(attribute="item__name", column_name=_("Thing"))
    union = Field(attribute="item__union__name", column_name=_("Union"))
    place = Field(attribute="item__place__name", column_name=_("Station"))
    worker = Field(attribute="worker__user__name", column_name=pgettext_lazy("link", "Worker"))
    quantity = Field(attribute="quantity", column_name=_("How many"))
    issued_at = Field(attribute="issued_at", column_name=_("Given out at"))
    due_on = Field(attribute="due_on", column_name=_("Due back"))
    returned = Field(attribute="returned", column_name=_("Came back"))
    lost = Field(attribute="lost", column_name=_("Lost"))
    outstanding = Field(attribute="outstanding", column_name=_("Still out"))
