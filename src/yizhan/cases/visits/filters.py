"""How the list of visits is narrowed."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.models import Visit, VisitKind, VisitNeed
from yizhan.cases.queries.text import holding
from yizhan.unions.models import Union

from .figures import midnight

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class VisitFilter(django_filters.FilterSet):
    """Visits by place or words, kind, days, who and union."""

    q = django_filters.CharFilter(label=_("Where, company or words"), method="by_text", max_length=60)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=VisitKind.choices, empty_label=_("All"))
    since = django_filters.DateFilter(label=_("From"), method="by_since", widget=_DATE)
    until = django_filters.DateFilter(label=_("Until"), method="by_until", widget=_DATE)
    person = django_filters.CharFilter(
        label=pgettext_lazy("visitor", "Who"), field_name="post__user__name", lookup_expr="icontains", max_length=60
    )
    union = django_filters.CharFilter(
        label=_("Union"), field_name="union__name", lookup_expr="icontains", max_length=80
    )
    post = django_filters.CharFilter(method="by_post", widget=forms.HiddenInput)
    under = django_filters.UUIDFilter(method="by_level", widget=forms.HiddenInput)
    only = django_filters.CharFilter(method="by_level_alone", widget=forms.HiddenInput, max_length=1)
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("split", _("Two versions")), ("heard", _("With needs heard"))],
        empty_label=_("All"),
        method="by_state",
    )

    class Meta:
        model = Visit
        fields: list[str] = []

    def by_text(self, found: QuerySet[Visit], name: str, value: str) -> QuerySet[Visit]:
        """Part of where, company, or what was said."""
        return found.filter(holding("where", value) | holding("company", value) | holding("words", value))

    def by_since(self, found: QuerySet[Visit], name: str, value: date) -> QuerySet[Visit]:
        """From a day on, in Asia/Shanghai."""
        return found.filter(at__gte=midnight(value))

    def by_until(self, found: QuerySet[Visit], name: str, value: date) -> QuerySet[Visit]:
        """Up to a day and all of it."""
        return found.filter(at__lt=midnight(value + timedelta(days=1))) if value < date.max else found

    def by_post(self, found: QuerySet[Visit], name: str, value: str) -> QuerySet[Visit]:
        """Of one post."""
        try:
            return found.filter(post__public_id=UUID(value))
        except ValueError:
            return found.none()

    def by_state(self, found: QuerySet[Visit], name: str, value: str) -> QuerySet[Visit]:
        """Where two versions wait, or needs were heard."""
        needs = VisitNeed.objects.with_scopes_disabled().filter(visit=OuterRef("pk"))
        return found.filter(Q(("is_split", True)) if value == "split" else Exists(needs))

    def by_level(self, found: QuerySet[Visit], name: str, value: UUID) -> QuerySet[Visit]:
        """Of a union and all below it."""
        union = Union.objects.filter(public_id=value).first()
        return found.filter(union__path__startswith=union.path) if union else found.none()

    def by_level_alone(self, found: QuerySet[Visit], name: str, value: str) -> QuerySet[Visit]:
        """Of that union alone."""
        return found.filter(union__public_id=self.form.cleaned_data["under"])
