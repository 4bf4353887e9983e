"""Who acts in this request, and what they can therefore see."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_scopes import scope

from .audit import client_address
from .models import Staff, User
from .queries.people import posts_held_by
from .sign_in.gate import Condition, signed_in_by_code_alone, unmet_condition


class ActingStaffMiddleware:
    """Puts the acting post at `request.staff` and scopes every query to its union and below.

    Without a post no scope is set, so that scoped models raise instead of answering. A post that has a condition
    to meet (own password, second factor) does not act: its desk leads to where the condition is met.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = client_address.set(self._address(request))
        try:
            staff = self.acting_staff(request)
            if staff is not None and (condition := unmet_condition(staff)):
                staff = None
                if request.path.startswith("/desk/"):
                    return self._lead_to(request, condition)
            request.staff = staff  # type: ignore[attr-defined]
            if staff is None:
                return self.get_response(request)
            with scope(union=staff.union.path):
                return self.get_response(request)
        finally:
            client_address.reset(token)

    @staticmethod
    def acting_staff(request: HttpRequest) -> Staff | None:
        """The post in which the signed-in person acts: the one chosen in the session, else the first."""
        if not isinstance(request.user, User) or signed_in_by_code_alone(request, request.user):
            return None
        posts = posts_held_by(request.user)
        chosen = request.session.get("acting_post")
        post: Staff | None = (posts.filter(public_id=chosen).first() if chosen else None) or posts.first()
        return post

    @staticmethod
    def _lead_to(request: HttpRequest, condition: Condition) -> HttpResponseBase:
        if condition == "own_password":
            messages.warning(request, _("Choose a password of your own before you go on."))
            return HttpResponseRedirect(reverse("account_change_password"))
        messages.warning(
            request, _("Your role needs a second factor. Add an authenticator app or a passkey before you go on.")
        )
        return HttpResponseRedirect(reverse("mfa_index"))

    @staticmethod
    def _address(request: HttpRequest) -> str | None:
        try:
            return str(get_adapter().get_client_ip(request))
        except PermissionDenied:  # a socket without an address
            return None
