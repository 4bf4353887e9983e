"""Forms of counters, vouchers and workers' pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.rights import Role

from .models import Programme


class AppealForm(forms.Form):
    """What a worker says against being kept from a programme."""

    words = forms.CharField(
        label=_("Why this is wrong"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}), strip=True
    )


class JoinForm(forms.Form):
    """A person at a counter."""

    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=60, required=False)
    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        help_text=_("To sign in with: letters, digits, dots, dashes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(Role.CASHIER.value, Role.CASHIER.label), (Role.MERCHANT.value, Role.MERCHANT.label)],
        initial=Role.CASHIER,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, may_make_merchants: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_merchants:
            self.fields["role"].choices = [(Role.CASHIER.value, Role.CASHIER.label)]  # type: ignore[attr-defined]
            self.fields["role"].widget = forms.HiddenInput()


class NewVouchersForm(forms.Form):
    """Vouchers to print."""

    programme: forms.ModelChoiceField[Programme] = forms.ModelChoiceField(
        label=_("Programme"), queryset=Programme.objects.with_scopes_disabled().none(), to_field_name="public_id"
    )
    count = forms.IntegerField(label=pgettext_lazy("vouchers", "How many"), min_value=1, max_value=1000, initial=50)
    purpose = forms.CharField(
        label=_("For whom"), max_length=120, help_text=_("Such as: sanitation workers of Shifo street, handed out by …")
    )
    valid_until = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}), initial=timezone.localdate
    )

    def __init__(self, *args: Any, programmes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].queryset = programmes  # type: ignore[attr-defined]


class BlockVouchersForm(forms.Form):
    """A lost sheet, or all of a batch."""

    sheet = forms.IntegerField(
        label=_("Sheet"), min_value=1, required=False, help_text=_("Leave empty to block the whole batch.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)


class FindWorkerForm(forms.Form):
    """Whose phones."""

    worker = forms.CharField(
        label=pgettext_lazy("programme", "Worker"),
        max_length=40,
        help_text=_("Whole phone number, whole identity number, or the worker's identifier."),
    )
