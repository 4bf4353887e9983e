"""Forms by which cases come in: their fields follow from the kind as it holds at the union."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.cases.facts import CaseFacts, GivenFile
from yizhan.cases.kinds import FieldSpec, KindSpec
from yizhan.cases.services.files import ACCEPT
from yizhan.cases.services.intake import LONGEST_TEXT, LONGEST_TITLE
from yizhan.places.models import Place
from yizhan.places.pictures import ACCEPT as PICTURES
from yizhan.unions.errors import RuleBroken

STARS = {
    5: _("5: very satisfied"),
    4: _("4: satisfied"),
    3: _("3: so-so"),
    2: _("2: not satisfied"),
    1: _("1: not at all satisfied"),
}
_BEFORE = "f_"  # before the names of a kind's own fields, so that none hides one of ours


def photo_field(*, documents: bool = False) -> forms.FileField:
    """A picture from the phone, or a document."""
    return forms.FileField(
        label=_("Photo or document") if documents else _("Photo"),
        required=False,
        help_text=_("Of a photo only the picture is kept: position, time and device are removed."),
        widget=forms.FileInput(attrs={"accept": ACCEPT if documents else PICTURES}),
    )


def control_for(field: FieldSpec, *, lenient: bool) -> forms.Field:
    """The form field of a kind's own field; the service looks at what is typed."""
    required = field.required and not lenient
    match field.type:
        case "choice":
            return forms.ChoiceField(
                label=field.title, required=required, choices=[("", _("Choose")), *field.choice_titles]
            )
        case "date":
            return forms.CharField(
                label=field.title, required=required, max_length=10, widget=forms.DateInput(attrs={"type": "date"})
            )
        case "yes_no":
            return forms.ChoiceField(
                label=field.title, required=required, choices=[("", _("Unknown")), ("yes", _("Yes")), ("no", _("No"))]
            )
        case "number" | "money":
            mode = "numeric" if field.type == "number" else "decimal"
            return forms.CharField(
                label=field.title, required=required, max_length=20, widget=forms.TextInput(attrs={"inputmode": mode})
            )
    return forms.CharField(label=field.title, required=required, max_length=field.longest)


class KindForm(forms.Form):
    """What is the matter, with the fields of a kind."""

    request_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(
        label=_("In one line"),
        required=False,
        max_length=LONGEST_TITLE,
        help_text=_("Left empty, it is taken from the text."),
    )
    text = forms.CharField(
        label=_("What is the matter?"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )
    address = forms.CharField(label=_("Where?"), required=False, max_length=160)
    contact_name = forms.CharField(label=_("How may we call you?"), required=False, max_length=60)
    contact_phone = forms.CharField(
        label=_("Telephone"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    photo = photo_field()

    def __init__(
        self,
        *args: Any,
        kind: KindSpec,
        contact: bool = False,
        lenient: bool = False,
        documents: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        if not contact:
            del self.fields["contact_name"], self.fields["contact_phone"]
        if documents or kind.is_confidential:
            self.fields["photo"] = photo_field(documents=True)
        own = {f"{_BEFORE}{field.name}": control_for(field, lenient=lenient) for field in kind.fields}
        self.fields |= own
        order = [name for name in self.fields if name not in {"address", "photo", "contact_name", "contact_phone"}]
        self.order_fields([*own, *[name for name in order if name not in own]])

    def facts(self, *, place: Place | None = None) -> CaseFacts:
        """What was told, for the service."""
        told = self.cleaned_data
        return CaseFacts(
            kind=self.kind.code,
            title=told["title"],
            text=told["text"],
            fields={field.name: told[f"{_BEFORE}{field.name}"] for field in self.kind.fields},
            place=place,
            address=told["address"],
            contact_name=told.get("contact_name", ""),
            contact_phone=told.get("contact_phone", ""),
        )

    def given(self) -> list[GivenFile]:
        """The files as they came."""
        photo = self.cleaned_data.get("photo")
        return [GivenFile(photo.name, photo.read())] if photo else []

    def show(self, broken: RuleBroken) -> None:
        """Put what a service refused to its fields."""
        for problem in broken.problems:
            name = next(
                (name for name in (problem.field, f"{_BEFORE}{problem.field}") if name in self.fields),
                "photo" if problem.field == "files" else None,
            )
            self.add_error(name, str(problem.message))


class HotlineForm(KindForm):
    """What stands on an order of 12351: its number, when the call came, and the case itself."""

    hotline_number = forms.CharField(
        label=_("Number of the hotline's order"),
        max_length=40,
        help_text=_("As it stands on the order; the same one is taken down once."),
    )
    called_at = forms.DateTimeField(
        label=_("When the call came"),
        help_text=_("Deadlines run from then."),
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["called_at"].initial = timezone.localtime
        self.order_fields(["hotline_number", "called_at"])

    def clean_called_at(self) -> datetime:
        """Not in the future."""
        told: datetime = self.cleaned_data["called_at"]
        if told > timezone.now():
            raise forms.ValidationError(_("The call lies in the future."))
        return told

    def facts(self, *, place: Place | None = None) -> CaseFacts:
        """What was told, with the order's number."""
        return replace(super().facts(place=place), hotline_number=self.cleaned_data["hotline_number"])


class VerdictForm(forms.Form):
    """The worker's verdict."""

    stars = forms.TypedChoiceField(
        label=_("How satisfied are you?"),
        coerce=int,
        choices=list(STARS.items()),
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("In your words"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReopenForm(forms.Form):
    """Why it is not solved."""

    words = forms.CharField(label=_("What is not solved?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class MoreForm(forms.Form):
    """What the worker adds."""

    words = forms.CharField(
        label=_("In your words"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    photo = photo_field(documents=True)

    def given(self) -> list[GivenFile]:
        """The file as it came."""
        photo = self.cleaned_data.get("photo")
        return [GivenFile(photo.name, photo.read())] if photo else []
