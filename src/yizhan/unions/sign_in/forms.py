"""The sign-in forms."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm, RequestLoginCodeForm
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import User
from yizhan.unions.services import people


class StaffSignInForm(LoginForm):
    """User name and password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        login = self.fields["login"]
        login.label = _("User name")
        login.widget.attrs.update({"autocomplete": "username", "autofocus": True, "placeholder": ""})
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs["placeholder"] = ""

    def user_credentials(self) -> dict[str, Any]:
        """Only by user name: a phone number signs in by its code."""
        return {"username": self.cleaned_data["login"], "password": self.cleaned_data["password"]}


class PhoneSignInForm(RequestLoginCodeForm):
    """A phone number, to which a code goes. The first code makes the account."""

    _user: User | None

    def clean_phone(self) -> str:
        phone: str = super().clean_phone()  # counts the attempt
        if phone and self._user is None:
            self._user = people.person_with_phone(phone)
        return phone
