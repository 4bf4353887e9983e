"""The forms of finance's pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from yizhan.benefits.models import SIGNAL_LIMITS, SignalRules

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class WordsForm(forms.Form):
    """A sentence that is kept."""

    words = forms.CharField(label=_("Words"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *arguments: Any, label: Any = None, required: bool = True, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if label is not None:
            self.fields["words"].label = label
        self.fields["words"].required = required


class AnswerForm(WordsForm):
    """Finance's answer to a disputed line."""

    take_back = forms.BooleanField(
        label=_("Take this redemption back: it is refunded and corrected on the next statement"), required=False
    )


class PaidForm(forms.Form):
    """What proves that the bank has paid."""

    bank_reference = forms.CharField(label=_("Number of the bank's batch or receipt"), max_length=60)


class AccountForm(forms.Form):
    """Where a merchant receives money."""

    holder = forms.CharField(label=_("Account holder"), max_length=80)
    bank = forms.CharField(label=_("Bank and branch"), max_length=80)
    branch_code = forms.CharField(
        label=_("Branch code (12 digits)"), max_length=12, required=False, help_text=_("Many banks ask for it.")
    )
    number = forms.CharField(label=_("Account number"), max_length=40)
    wechat_account = forms.CharField(
        label=_("WeChat Pay sub-merchant number"),
        max_length=32,
        required=False,
        help_text=_("With it the worker's share paid by WeChat reaches the merchant itself, else the union."),
    )
    alipay_token = forms.CharField(
        label=_("Alipay authorisation token"),
        max_length=80,
        required=False,
        widget=forms.PasswordInput,
        help_text=_("Leave empty to keep what is stored."),
    )


class DecideForm(forms.Form):
    """Accept or refuse, with words."""

    accept = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[("yes", _("Accept: it counts and is settled")), ("no", _("Refuse: it is not settled"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    words = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class ReviewForm(forms.Form):
    """What the review of a signal found."""

    misuse = forms.TypedChoiceField(
        label=_("Outcome"),
        choices=[("no", _("Fine")), ("yes", _("Misuse"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    words = forms.CharField(label=_("What you found out"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class SpanForm(forms.Form):
    """From one day to another, both included."""

    since = forms.DateField(label=_("From this day on"), widget=_DATE)
    until = forms.DateField(label=_("Until this day"), widget=_DATE)

    def clean(self) -> dict[str, Any]:
        """The end is not before the beginning."""
        told = super().clean() or {}
        since, until = told.get("since"), told.get("until")
        if since and until and until < since:
            raise ValidationError({"until": _("The last day lies before the first.")})
        return told

    @classmethod
    def this_month(cls, today: date) -> dict[str, date]:
        """From the first of the month until today."""
        return {"since": today.replace(day=1), "until": today}

    @classmethod
    def last_days(cls, today: date, days: int) -> dict[str, date]:
        """The last `days` days, today included."""
        return {"since": today - timedelta(days=days - 1), "until": today}


class SignalRulesForm(forms.Form):
    """A union's own limits; what is left empty comes from above."""

    def __init__(self, *arguments: Any, inherited: dict[str, int], **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, (least, most, _default) in SIGNAL_LIMITS.items():
            self.fields[name] = forms.IntegerField(
                label=SignalRules._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
                min_value=least,
                max_value=most,
                required=False,
                help_text=_("Empty: %(value)s, from above.") % {"value": inherited[name]},
            )
