"""The sign-in forms."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    ConfirmLoginCodeForm,
    LoginForm,
    ReauthenticateForm,
    RequestLoginCodeForm,
    SetPasswordForm,
    VerifyPhoneForm,
)
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as SecondFactorAgainForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import User
from yizhan.unions.services import workers


def _say(form: forms.BaseForm, **words: Any) -> None:
    """Name fields in the words of this site, without the hints inside the controls that the library puts there."""
    for name, label in words.items():
        if name in form.fields:
            form.fields[name].label = label
            form.fields[name].widget.attrs.pop("placeholder", None)


def _ask_for_digits(form: forms.BaseForm) -> None:
    form.fields["code"].widget.attrs.update(
        {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}
    )


class StaffSignInForm(LoginForm):
    """User name and password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, login=_("User name"), password=_("Password"))
        self.fields["login"].widget.attrs.update({"autocomplete": "username", "autofocus": True})
        self.fields["password"].help_text = ""

    def user_credentials(self) -> dict[str, Any]:
        """Only by user name: a phone number signs in by its code."""
        return {"username": self.cleaned_data["login"], "password": self.cleaned_data["password"]}


class PhoneSignInForm(RequestLoginCodeForm):
    """A phone number, to which a code goes. The first code makes the account."""

    _user: User | None

    def clean_phone(self) -> str:
        phone: str = super().clean_phone()  # counts the attempt
        if phone and self._user is None:
            self._user = workers.person_with_phone(phone)
        return phone


class SentCodeForm(ConfirmLoginCodeForm):
    """The code that came by text message, to sign in."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, code=_("Code"))
        _ask_for_digits(self)


class PhoneProofForm(VerifyPhoneForm):
    """The code that came by text message, to prove a number."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, code=_("Code"))
        _ask_for_digits(self)


class NewPasswordForm(ChangePasswordForm):
    """Another password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, oldpassword=_("Present password"), password1=_("New password"), password2=_("New password again"))
        self.fields["password1"].help_text = ""


class FirstPasswordForm(SetPasswordForm):
    """A password for who had none."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, password1=_("New password"), password2=_("New password again"))
        self.fields["password1"].help_text = ""


class PasswordAgainForm(ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, password=_("Password"))


class SecondFactorForm(AuthenticateForm):
    """The second factor at sign-in."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, code=_("Code of the app, or a recovery code"))


class SecondFactorOnceMoreForm(SecondFactorAgainForm):
    """The second factor once more."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, code=_("Code of the app, or a recovery code"))


class NewAuthenticatorForm(ActivateTOTPForm):
    """The first code of an authenticator app."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, code=_("Code that the app shows"))
        _ask_for_digits(self)


class NewPasskeyForm(AddWebAuthnForm):
    """A passkey or security key."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, name=_("Name of the key"), passwordless=_("Sign in with it alone, without the password"))
        if "passwordless" in self.fields:
            self.fields["passwordless"].help_text = _("The device itself then asks for fingerprint, face or PIN.")


class PasskeyNameForm(EditWebAuthnForm):
    """Another name of a passkey."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, name=_("Name of the key"))
