"""How the list of links is narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.cases.models import Link, LinkKind
from yizhan.cases.queries.text import holding
from yizhan.unions.models import Union, Worker


class LinkFilter(django_filters.FilterSet):
    """Links by whom they are with, by the contact, kind and state."""

    q = django_filters.CharFilter(label=_("Name of worker, union or group"), method="by_name", max_length=60)
    post = django_filters.CharFilter(
        label=pgettext_lazy("person", "Contact"), field_name="post__user__name", lookup_expr="icontains", max_length=60
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=LinkKind.choices, empty_label=_("All"))
    union = django_filters.CharFilter(
        label=_("Union"), field_name="post__union__name", lookup_expr="icontains", max_length=80
    )
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[
            ("standing", _("Standing")),
            ("offered", _("Offered to a colleague")),
            ("ended", pgettext_lazy("day", "Ended")),
        ],
        empty_label=_("All"),
        method="by_state",
    )

    class Meta:
        model = Link
        fields: list[str] = []

    def by_name(self, found: QuerySet[Link], name: str, value: str) -> QuerySet[Link]:
        """Part of the name of either end's other side."""
        # Whose name fits is asked beside the links, not by joins to each of them.
        workers = Worker.objects.with_scopes_disabled().filter(holding("user__name", value)).order_by()
        unions = Union.objects.filter(holding("name", value)).order_by()
        return found.filter(
            Q(worker__in=workers.values("pk")) | Q(linked_union__in=unions.values("pk")) | holding("group_name", value)
        )

    def by_state(self, found: QuerySet[Link], name: str, value: str) -> QuerySet[Link]:
        """Standing, on the way, or ended."""
        if value == "ended":
            return found.filter(ended_at__isnull=False)
        standing = found.filter(ended_at=None)
        return standing.filter(hand_overs__is_open=True) if value == "offered" else standing
