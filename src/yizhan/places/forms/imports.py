"""Bringing a file of places to the desk."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.importing.columns import FIELDS, OFFER, Mapping, guess_mapping
from yizhan.places.importing.table import MAXIMUM_BYTES
from yizhan.places.models import DatumChoice, PlaceKind

from .place import UnionChoice


class ImportForm(forms.Form):
    """The file, to whom its places belong, and in which datum its positions are."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("xlsx or CSV, with a header line. At most 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv,text/csv"}),
    )
    datum = forms.ChoiceField(
        label=_("In which datum are the positions?"),
        choices=[("", _("Please choose")), *DatumChoice.choices, ("column", _("a column of the file says it"))],
        help_text=_("Ask whoever made the file. A wrong datum puts every place hundreds of metres off."),
    )
    kind = forms.ChoiceField(label=_("Kind of places, where the file does not say"), choices=PlaceKind)
    publish = forms.BooleanField(
        label=_("Publish the new places at once"),
        help_text=_("Places whose position is in doubt stay drafts until someone has looked at them."),
        required=False,
    )

    def __init__(self, *args: Any, unions: Any, may_publish: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["union"] = UnionChoice(label=_("Union"), queryset=unions, empty_label=None)
        self.order_fields(["file", "union", "datum", "kind", "publish"])
        if not may_publish:
            del self.fields["publish"]

    def clean_file(self) -> Any:
        """Not larger than can be read."""
        file = self.cleaned_data["file"]
        if file.size > MAXIMUM_BYTES:
            raise forms.ValidationError(_("The file is larger than %(n)d MB.") % {"n": MAXIMUM_BYTES // 1024 // 1024})
        return file


class MappingForm(forms.Form):
    """Which column holds what; columns that are called like an offer are asked for, too.

    `words` are codes of offers by every name they go by.
    """

    def __init__(
        self, *args: Any, headers: Sequence[str], mapping: Mapping, words: Lookup[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"prefix": "column", **kwargs})
        choices = [
            ("", _("– not in the file –")),
            *((str(n), header or f"({n + 1})") for n, header in enumerate(headers)),
        ]
        labels = {field.name: str(field.label) for field in FIELDS}
        guessed = guess_mapping(headers, None, words)
        labels |= {name: f"{_('Offers')} · {headers[n]}" for name, n in guessed.items() if name.startswith(OFFER)}
        for name, label in labels.items():
            position = mapping.get(name)
            self.fields[name] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial="" if position is None else str(position)
            )

    def mapping(self) -> Mapping:
        """The columns chosen."""
        return {name: int(value) for name, value in self.cleaned_data.items() if value != ""}
