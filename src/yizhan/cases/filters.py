"""How the list of cases is narrowed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.encryption import blind_index
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, User, Worker
from yizhan.unions.personal_data import normal_phone

from .kinds import house_kinds
from .models import Case, CaseSource, CaseState
from .models.case import OPEN_STATES, WORKED_ON
from .queries.desk import overdue
from .queries.figures import REOPENED, SOLVED, late_at
from .queries.text import holding
from .search import matching
from .visits.figures import midnight

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_MOST_HANDLERS = 1_000  # of one name; who is meant by more of them types more of it
WAITING = [
    ("open", _("Open")),
    ("overdue", _("Overdue")),
    ("answer", _("First answer")),
    ("work", _("In work")),
    ("verdict", _("The worker's verdict")),
    ("mine", _("Mine")),
    ("offered", _("Offered to us")),
    ("closed", _("Closed")),
    ("solved", _("Solved")),
    ("reopened", _("Reopened")),
    ("refused", _("Refused or taken back")),
    ("heard", _("All but duplicates")),
    ("on_time", _("Never late")),
    ("late", _("Late at least once")),
    ("rated", _("With a verdict")),
    ("all", _("All")),
]


class CaseFilter(django_filters.FilterSet):
    """Cases by text, what they wait for, kind, union, handler, source and day. Without a choice: the open ones."""

    q = django_filters.CharFilter(label=_("Words, number or telephone"), method="by_text", max_length=100)
    waiting = django_filters.ChoiceFilter(
        label=pgettext_lazy("case", "Waits for"), choices=WAITING[1:], empty_label=_("Open"), method="by_waiting"
    )
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=lambda: [(k.code, k.title) for k in house_kinds().values()], empty_label=_("All")
    )
    union = django_filters.CharFilter(label=_("Union"), method="by_union", max_length=80)
    handler = django_filters.CharFilter(label=_("Handler"), method="by_handler", max_length=60)
    source = django_filters.ChoiceFilter(label=_("How it came in"), choices=CaseSource.choices, empty_label=_("All"))
    since = django_filters.DateFilter(label=_("Brought from"), method="by_since", widget=_DATE)
    until = django_filters.DateFilter(label=_("Brought until"), method="by_until", widget=_DATE)

    # What figures narrow by to show the rows behind them: a union and all below it, or it alone, and a post.
    under = django_filters.UUIDFilter(method="by_level", widget=forms.HiddenInput)
    only = django_filters.CharFilter(method="by_level_alone", widget=forms.HiddenInput, max_length=1)
    post = django_filters.CharFilter(method="by_post", widget=forms.HiddenInput, max_length=40)

    class Meta:
        model = Case
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """Open cases unless something else is asked for."""
        found: QuerySet[Case] = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("waiting") and not self.form.cleaned_data.get("q"):
            found = found.filter(state__in=OPEN_STATES)
        return found

    def by_text(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """By words, or by the whole telephone number of whoever brought it."""
        try:
            index = blind_index("phone", normal_phone(value))
        except RuleBroken:
            return matching(found, value)
        contact = blind_index("contact_phone", normal_phone(value))
        # Whose number it is comes first: then both sides of the question are columns of the case with an index.
        owner = Worker.objects.with_scopes_disabled().filter(user__phone_index=index)
        return found.filter(Q(worker__in=list(owner.values_list("pk", flat=True))) | Q(contact_phone_index=contact))

    # Days as moments: a range of the index, not a sum for each case.
    def by_since(self, found: QuerySet[Case], name: str, value: date) -> QuerySet[Case]:
        """From a day on, in Asia/Shanghai."""
        return found.filter(submitted_at__gte=midnight(value))

    def by_until(self, found: QuerySet[Case], name: str, value: date) -> QuerySet[Case]:
        """Up to a day and all of it."""
        return found.filter(submitted_at__lt=midnight(value + timedelta(days=1))) if value < date.max else found

    # Whose names fit is asked beside the cases, not by a join to each of them: their index alone answers the rest.
    def by_union(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """By part of the name of the union that owns them."""
        return found.filter(union__in=Union.objects.filter(holding("name", value)).order_by().values("pk"))

    def by_handler(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """By part of the name of whoever handles them."""
        posts = Staff.objects.with_scopes_disabled().order_by()
        # Of all accounts few are staff's: names of those alone are looked through.
        names = User.objects.filter(pk__in=list(posts.values_list("user", flat=True).distinct()))
        named = posts.filter(user__in=names.filter(holding("name", value)))
        return found.filter(handler__in=list(named.values_list("pk", flat=True)[:_MOST_HANDLERS]))

    def by_waiting(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """By what they wait for."""
        staff = getattr(self.request, "staff", None)
        now, counted = timezone.now(), ~Q(state=CaseState.MERGED)
        narrow: dict[str, Any] = {
            "answer": Q(state=CaseState.SUBMITTED),
            "work": Q(state__in=WORKED_ON),
            "verdict": Q(state=CaseState.PROPOSED),
            "mine": Q(handler=staff, state__in=OPEN_STATES),
            "offered": Q(offered_to=staff.union_id if staff else None, offered_to__isnull=False),
            "closed": Q(state=CaseState.CLOSED),
            "solved": SOLVED,
            "reopened": REOPENED & counted,
            "heard": counted,
            "on_time": counted & ~late_at(now),
            "late": counted & late_at(now),
            "rated": counted & Q(stars__isnull=False),
            "refused": Q(state__in=[CaseState.REFUSED, CaseState.WITHDRAWN]),
            "all": Q(),
        }
        return overdue(found) if value == "overdue" else found.filter(narrow[value])

    def by_level(self, found: QuerySet[Case], name: str, value: UUID) -> QuerySet[Case]:
        """Of a union and all below it."""
        union = Union.objects.filter(public_id=value).first()
        return found.filter(union__path__startswith=union.path) if union else found.none()

    def by_level_alone(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """Of that union alone."""
        return found.filter(union__public_id=self.form.cleaned_data["under"])

    def by_post(self, found: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """Of one handler, or of none."""
        if value == "none":
            return found.filter(handler=None)
        try:
            return found.filter(handler__public_id=UUID(value))
        except ValueError:
            return found.none()
