"""How lists of places are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .care import CareTree
from .models import Equipment, EquipmentState, Place, PlaceKind, PlaceStatus
from .openness import shut_at
from .queries.desk import matching
from .queries.public import hours_open_at


class EquipmentFilter(django_filters.FilterSet):
    """Equipment by what is wrong with it; at first all that needs care."""

    q = django_filters.CharFilter(label=_("Equipment or place"), method="by_text", max_length=80)
    care = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("broken", _("Broken")), ("expired", _("Expired")), ("soon", _("Expires soon")), ("all", _("All"))],
        empty_label=_("Needs care"),
        method="by_care",
    )

    class Meta:
        model = Equipment
        fields: list[str] = []

    @property
    def qs(self) -> QuerySet[Equipment]:
        """As narrowed; that which needs care when nothing else was chosen."""
        found: QuerySet[Equipment] = super().qs
        if self.data.get("care"):
            return found
        return found.filter(CareTree.load().expiring("") | Q(state=EquipmentState.BROKEN))

    def by_text(self, found: QuerySet[Equipment], name: str, value: str) -> QuerySet[Equipment]:
        """Every word occurs in the name of the thing or of its place."""
        for word in value.split()[:8]:
            found = found.filter(Q(name__icontains=word) | Q(place__name__icontains=word))
        return found

    def by_care(self, found: QuerySet[Equipment], name: str, value: str) -> QuerySet[Equipment]:
        """By what is wrong."""
        today = timezone.localdate()
        match value:
            case "broken":
                return found.filter(state=EquipmentState.BROKEN)
            case "expired":
                return found.filter(expires_on__lte=today)
            case "soon":
                return found.filter(CareTree.load().expiring(""), expires_on__gt=today)
        return found


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
        choices=[("now", _("Open now")), ("shut", _("Shut for a while")), ("unknown", _("Hours unknown"))],
        empty_label=_("All"),
        method="by_hours",
    )
    care = django_filters.ChoiceFilter(
        label=_("Needs care"),
        choices=[("verify", _("To be verified")), ("equipment", _("Broken or expiring equipment"))],
        empty_label=_("All"),
        method="by_care",
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
        now = timezone.now()
        if value == "shut":
            return found.filter(pk__in=shut_at(now).values("place"))
        return found.filter(hours__in=hours_open_at(found, now)).exclude(pk__in=shut_at(now).values("place"))

    def by_care(self, found: QuerySet[Place], name: str, value: str) -> QuerySet[Place]:
        """What nobody looked after."""
        if value == "verify":
            return found.filter(status=PlaceStatus.PUBLISHED).filter(CareTree.load().verification_due(""))
        # The rows are filtered through the places, which are those of the acting union.
        things = Equipment.objects.filter(CareTree.load().expiring("") | Q(state=EquipmentState.BROKEN))
        return found.exclude(status=PlaceStatus.CLOSED).filter(pk__in=things.values("place"))
