"""What every page's templates may use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from . import navigation
from .navigation import ShownEntry

if TYPE_CHECKING:
    from yizhan.unions.models import Staff

TYPE_SIZE_COOKIE = "type_size"


class Shell:
    """The shell's view of one request; each value is worked out only when a template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def staff(self) -> Staff | None:
        """The post in which the reader acts."""
        return getattr(self._request, "staff", None)

    @cached_property
    def navigation(self) -> list[ShownEntry]:
        return navigation.shown_to(self.staff, self._request.path) if self.staff else []

    @cached_property
    def menu(self) -> SafeString:
        """The desk's menu, drawn once a page: it stands at its side and, on a phone, in its drawer."""
        return render_to_string("web/parts/desk_navigation.html", {"shell": self}, self._request)

    @property
    def quick_navigation(self) -> list[ShownEntry]:
        """The entries at the foot of a phone."""
        return self.navigation[: navigation.QUICK_ENTRIES]

    @property
    def large_type(self) -> bool:
        return self._request.COOKIES.get(TYPE_SIZE_COOKIE) == "large"

    @property
    def tianditu_key(self) -> str:
        """Key for the base map's tiles; without it the map shows our own outlines."""
        return settings.TIANDITU_KEY or ""

    @property
    def tianditu_review_number(self) -> str:
        return settings.TIANDITU_REVIEW_NUMBER or ""

    @property
    def sign_in_url(self) -> str:
        """Where to sign in; leads back to this page."""
        return f"{navigation.address_of('account_login')}?{urlencode({'next': self._request.get_full_path()})}"

    @property
    def sign_out_url(self) -> str:
        return navigation.address_of("account_logout")

    @property
    def account_url(self) -> str:
        return navigation.address_of("unions:account", "mfa_index")

    @property
    def post_url(self) -> str:
        """Where the reader chooses the post to act in."""
        return navigation.address_of("unions:choose_post", "unions:post")


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Values for the shell's base templates."""
    return {"shell": Shell(request)}
