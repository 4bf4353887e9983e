"""Narrowing figures by when cases were brought."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _

from yizhan.cases.kinds import house_kinds

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """From a day until a day, both in it, and a kind."""

    since = forms.DateField(label=_("Brought from"), required=False, widget=_DATE)
    until = forms.DateField(label=_("Brought until"), required=False, widget=_DATE)
    kind = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [("", _("All")), *((k.code, k.title) for k in house_kinds().values())]  # type: ignore[attr-defined]

    def span(self) -> tuple[datetime | None, datetime | None, str]:
        """The half-open span and the kind; what is wrong or empty narrows nothing."""
        if not self.is_bound:
            return None, None, ""
        self.is_valid()
        zone = get_default_timezone()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        return (
            datetime.combine(since, time.min, zone) if since else None,
            datetime.combine(until + timedelta(days=1), time.min, zone) if until else None,
            self.cleaned_data.get("kind", ""),
        )
