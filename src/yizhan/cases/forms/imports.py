"""Bringing a list of cases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.cases.kinds import house_kinds


class ImportForm(forms.Form):
    """A file, and the kind of rows that do not say."""

    file = forms.FileField(label=_("File (xlsx or CSV)"), widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}))
    kind = forms.ChoiceField(label=_("Kind of rows that do not say"), initial="need")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [(kind.code, kind.title) for kind in house_kinds().values()]  # type: ignore[attr-defined]
