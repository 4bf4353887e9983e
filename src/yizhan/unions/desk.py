"""Who may open a page of the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from .models import Staff
from .rights import NotAllowed, Right, policy

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request of someone who acts in a post: what `desk_page` hands to its view."""

    staff: Staff


def desk_page(
    right: Right | None = None,
) -> Callable[[Callable[Concatenate[StaffRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Admit only those who act in a post, and hold `right` at its union; others are sent to sign in or refused.

    The view still asks `policy` about the union of what it shows or changes.
    """

    def decorate(view: Callable[Concatenate[StaffRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            staff: Staff | None = request.staff
            if staff is None:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                raise PermissionDenied(_("This page is for those who hold a post at a union."))
            if right is not None and not policy.holds(staff, right):
                raise NotAllowed(right, staff.union)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
