"""Who acts in this request, and what they can therefore see."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django_scopes import scope

from .models import Staff


class ActingStaffMiddleware:
    """Puts the acting post at `request.staff` and scopes every query to its union and below.

    Without a post no scope is set, so that scoped models raise instead of answering.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        staff = self.acting_staff(request)
        request.staff = staff  # type: ignore[attr-defined]
        if staff is None:
            return self.get_response(request)
        with scope(union=staff.union.path):
            return self.get_response(request)

    @staticmethod
    def acting_staff(request: HttpRequest) -> Staff | None:
        """The post in which the signed-in person acts: the one chosen in the session, else the first."""
        if not request.user.is_authenticated:
            return None
        posts = (
            Staff.objects.with_scopes_disabled()
            .filter(user=request.user.pk, is_active=True, union__is_active=True)
            .select_related("union", "user")
            .order_by("pk")
        )
        chosen = request.session.get("acting_post")
        post: Staff | None = (posts.filter(public_id=chosen).first() if chosen else None) or posts.first()
        return post
