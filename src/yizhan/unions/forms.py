"""The desk's forms of this room."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .models import Level, Occupation
from .rights import UNION_ROLES, Role

# Merchants and cashiers get their posts on the page of their counter.
_ROLES = [(role.value, role.label) for role in UNION_ROLES]


class NewUnionForm(forms.Form):
    """A union below another."""

    name = forms.CharField(label=_("Name"), max_length=120)
    level = forms.ChoiceField(label=_("Level"), choices=Level.choices, initial=Level.ENTERPRISE)
    division_code = forms.CharField(
        label=_("Division code"),
        max_length=12,
        required=False,
        help_text=_("Only for unions of an administrative division."),
    )


class RenameUnionForm(forms.Form):
    """Another name."""

    name = forms.CharField(label=_("Name"), max_length=120)


class MoveUnionForm(forms.Form):
    """Where a union shall hang."""

    to = forms.CharField(
        label=_("Move below"), help_text=_("Whole name or division code of the union above."), max_length=120
    )


class NewPostForm(forms.Form):
    """A post for a person."""

    name = forms.CharField(
        label=pgettext_lazy("person", "Name"), max_length=60, required=False, help_text=_("Needed for a new person.")
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        help_text=_("To sign in with: letters, digits, dots, dashes. One who has a post here gets a further post."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=_ROLES, initial=Role.CADRE, widget=forms.RadioSelect)
    union = forms.CharField(
        label=_("Union"), max_length=120, help_text=_("Whole name or division code; yours or one below it.")
    )


class RoleForm(forms.Form):
    """Another role."""

    role = forms.ChoiceField(label=_("Role"), choices=_ROLES, widget=forms.RadioSelect)


class UnmaskForm(forms.Form):
    """Why a value must be seen."""

    field = forms.ChoiceField(choices=[("phone", ""), ("identity_number", "")], widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Kept in the audit trail together with your name.")
    )


class AccountForm(forms.Form):
    """What people say of themselves."""

    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=60, required=False)
    language = forms.ChoiceField(label=_("Language of messages"), choices=settings.LANGUAGES)


class WorkerForm(AccountForm):
    """What workers say of themselves."""

    occupation = forms.ChoiceField(
        label=_("Occupation"), choices=[("", _("Not said")), *Occupation.choices], required=False
    )
    platform_company = forms.CharField(
        label=_("Platform or company"), max_length=60, required=False, help_text=_("Whom you ride or drive for.")
    )
    union = forms.CharField(
        label=_("Union"),
        max_length=120,
        required=False,
        help_text=_(
            "Whole name or division code of the union where you live or work. Its staff then see your name "
            "and occupation; your numbers stay masked."
        ),
    )
    identity_number = forms.CharField(
        label=_("Identity number"),
        max_length=18,
        required=False,
        help_text=_("Stored encrypted. Leave empty to keep what is stored."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "occupation", "platform_company", "union", "identity_number", "language")
