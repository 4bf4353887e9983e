"""Narrowing the figures: from which union down, which days, which kinds, and part by part of what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.cases.kinds import house_kinds
from yizhan.cases.models import VisitKind
from yizhan.cases.outcome.figures import Narrowing
from yizhan.unions.models import Staff, Union

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
WAYS = [("union", _("Level")), ("month", _("Month")), ("staff", _("Staff")), ("kind", _("Kind"))]


class FiguresForm(forms.Form):
    """What is counted; what is wrong or empty narrows nothing."""

    by = forms.ChoiceField(label=_("Part by part of"), choices=WAYS, required=False)
    since = forms.DateField(label=_("First day"), required=False, widget=_DATE)
    until = forms.DateField(label=_("Last day"), required=False, widget=_DATE)
    kind = forms.ChoiceField(label=_("Kind of case"), required=False)
    visit_kind = forms.ChoiceField(
        label=_("Kind of visit"), choices=[("", _("All")), *VisitKind.choices], required=False
    )
    under = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, staff: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        self.staff = staff
        self.fields["kind"].choices = [("", _("All")), *((k.code, k.title) for k in house_kinds().values())]  # type: ignore[attr-defined]

    def narrowing(self) -> Narrowing:
        """What the reader asked for, within what they may see."""
        told: dict[str, Any] = {}
        if self.is_bound:
            self.is_valid()
            told = self.cleaned_data
        under = self.staff.union
        if told.get("under"):
            below = Union.objects.filter(public_id=told["under"], path__startswith=under.path)
            under = below.first() or under
        return Narrowing(
            under=under,
            since=told.get("since"),
            until=told.get("until"),
            kind=told.get("kind") or "",
            visit_kind=told.get("visit_kind") or "",
        )

    @property
    def way(self) -> Any:
        """Part by part of what."""
        return (self.is_bound and self.cleaned_data.get("by")) or "union"
