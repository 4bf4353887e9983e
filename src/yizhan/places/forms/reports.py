"""Reporting, answering, and the rules of both."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.places.models import ReportKind, ReportRules
from yizhan.places.models.reports import RULE_LIMITS, EventKind
from yizhan.places.pictures import ACCEPT
from yizhan.unions.errors import RuleBroken

_WORDS = forms.Textarea(attrs={"rows": 3})


def photo_field() -> forms.FileField:
    """A picture from the phone's camera or its album."""
    return forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Only the picture is kept: position, time and device are removed."),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
    )


class _Shown(forms.Form):
    def show(self, broken: RuleBroken) -> None:
        """Put what a service refused to its fields."""
        broken.show_on(self)

    def photo_bytes(self) -> bytes | None:
        """What was uploaded; the service looks at it."""
        photo = self.cleaned_data.get("photo")
        return photo.read() if photo else None


class ReportForm(_Shown):
    """What is wrong, and as many words and pictures as the reporter likes."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("What is wrong?"), choices=ReportKind, widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=500,
        widget=_WORDS,
        help_text=_("No names or telephone numbers, please."),
    )
    photo = photo_field()


class OfflineReportForm(forms.Form):
    """The same without a network: the page's script knows the places and keeps what is told on the phone."""

    place = forms.ChoiceField(label=_("Which place"), choices=())
    kind = forms.ChoiceField(label=_("What is wrong?"), choices=ReportKind, widget=forms.RadioSelect)
    words = forms.CharField(label=_("In your words"), required=False, max_length=500, widget=_WORDS)
    photo = photo_field()


class MoreForm(_Shown):
    """What a reporter adds."""

    words = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=500,
        widget=_WORDS,
        help_text=_("No names or telephone numbers, please."),
    )
    photo = photo_field()


class AnswerForm(_Shown):
    """The keeper's answer."""

    answer = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (EventKind.FIXED.value, _("Fixed")),
            (EventKind.PROMISED.value, _("Needs time")),
            (EventKind.NOT_A_FAULT.value, _("Not a fault")),
        ],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("What was done, or why"),
        max_length=500,
        widget=_WORDS,
        help_text=_("Everyone who reported it reads this."),
    )
    until = forms.DateField(
        label=_("Needs time: until which day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    photo = photo_field()
    seen = forms.IntegerField(widget=forms.HiddenInput)


class VerifyForm(_Shown):
    """What the union saw."""

    words = forms.CharField(label=_("What you saw"), required=False, max_length=500)


class RulesForm(_Shown):
    """The rules of a union; empty fields inherit."""

    def __init__(self, *args: Any, inherited: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (least, most) in RULE_LIMITS.items():
            label = ReportRules._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            self.fields[name] = forms.IntegerField(
                label=label,
                required=False,
                min_value=least,
                max_value=most,
                help_text=_("Empty: as above (%(n)d).") % {"n": inherited[name]},
            )
        self.fields["star_after"].help_text = _("Empty: as above (%(n)d). 0: no stars are taken.") % {
            "n": inherited["star_after"]
        }
