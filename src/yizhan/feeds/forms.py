"""Forms of the public pages of this room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.models import PlaceKind


class EmbedForm(forms.Form):
    """What a map on another site shows."""

    union = forms.ChoiceField(label=_("Places of"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *PlaceKind.choices])
    lang = forms.ChoiceField(label=_("Language"), required=False, choices=[("", "中文"), ("en", "English")])
    height = forms.IntegerField(
        label=_("Height in pixels"), required=False, min_value=240, max_value=1_200, initial=480
    )

    def __init__(self, *args: Any, unions: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["union"].choices = [("", _("All unions")), *unions]  # type: ignore[attr-defined]
