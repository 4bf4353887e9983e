"""What django-allauth asks of us."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.fields import PhoneField
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.unions import encryption, sms
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import User
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.queries.people import posts_held_by
from yizhan.unions.services import workers

logger = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Phones in E.164 and encrypted; no sign-up page, since a worker's first code makes the account."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait a few minutes, then try again."),
        "rate_limited": gettext_lazy("Too many attempts. Wait a few minutes, then try again."),
        "username_password_mismatch": gettext_lazy("User name and password do not match."),
        "phone_password_mismatch": gettext_lazy("User name and password do not match."),
        "incorrect_code": gettext_lazy("This is not the code that was sent."),
        "phone_taken": gettext_lazy("This number belongs to another account."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the front door saw. Without a front door (development) that of the connection.

        Raises:
            PermissionDenied: neither is known.
        """
        address = request.headers.get(settings.CLIENT_ADDRESS_HEADER) or request.META.get("REMOTE_ADDR") or ""
        try:
            return str(ip_address(address.strip()))
        except ValueError:
            raise PermissionDenied("the client has no network address") from None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Workers need no sign-up, and staff are appointed."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff go to the desk, workers to the map."""
        user = request.user
        return reverse("web:desk" if isinstance(user, User) and user.username and posts_held_by(user) else "web:home")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where one goes after a sign-in: the form once more would look as if nothing had been kept."""
        return self.get_login_redirect_url(request)

    def phone_form_field(self, **options: Any) -> PhoneField:
        """A phone field that takes numbers as people write them."""
        options.setdefault("label", gettext_lazy("Phone number"))
        field = PhoneField(validators=[], **options)
        field.widget.attrs.update({"inputmode": "tel", "placeholder": "138 1234 5678", "autofocus": True})
        return field

    def clean_phone(self, phone: str) -> str:
        """The number in E.164."""
        try:
            return normal_phone(phone)
        except RuleBroken as broken:
            raise ValidationError([str(problem.message) for problem in broken.problems]) from None

    def get_user_by_phone(self, phone: str) -> User | None:
        return User.objects.with_phone(phone)

    def get_phone(self, user: AbstractBaseUser) -> tuple[str, bool] | None:
        # A number is the person's only once proved.
        return (user.phone, True) if isinstance(user, User) and user.phone and user.phone_verified else None

    def set_phone(self, user: AbstractBaseUser, phone: str, verified: bool) -> None:
        if verified:
            self.set_phone_verified(user, phone)

    def set_phone_verified(self, user: AbstractBaseUser, phone: str) -> None:
        """Keep a number that the person has proved to hold."""
        assert isinstance(user, User)  # noqa: S101
        try:
            workers.phone_was_proved(user=user, phone=phone)
        except RuleBroken as broken:
            messages.error(context.request, str(broken.problems[0].message))
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login"))) from None

    def send_verification_code_sms(self, user: AbstractBaseUser, phone: str, code: str, **_options: Any) -> None:
        """Send the code; when the provider fails, say so and go back to the sign-in page."""
        sender = sms.sender()
        try:
            sender.send_code(phone=phone, code=code)
        except sms.SmsFailed as failed:
            logger.error("one-time code was not sent", provider=sender.name, reason=failed.reason)  # noqa: TRY400
            messages.error(
                context.request,
                _("The code could not be sent just now. Try again in a few minutes.")
                if failed.try_again_later
                else _("The code could not be sent: the text message service refuses. We have been told."),
            )
            back = "account_change_phone" if context.request.user.is_authenticated else "account_request_login_code"
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse(back))) from None


class MfaAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are personal data, too."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def _get_site_name(self) -> str:
        return str(_("Yizhan"))


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on: for those who have an account here and connected it."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False
