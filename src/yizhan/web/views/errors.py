"""Pages for what goes wrong: in the reader's language, without a word about the inside."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    # Without context processors: an error page must not need the session or the database that just failed.
    context = {
        "status": status,
        "error_title": title,
        "error_text": text,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
    return HttpResponse(render_to_string("web/error.html", context), status=status)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        400,
        _("We could not read this request"),
        _("Please go back, check what you entered and send it once more."),
    )


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        _("You have no right to open this page"),
        # Rooms say in a sentence for the user what is refused; a refusal without one gets the general words.
        (str(exception) if isinstance(exception, PermissionDenied) else "")
        or _(
            "It belongs to another union, or to another role. If you act in several posts, choose the right one first."
        ),
    )


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        _("There is no such page"),
        _("The address may be misspelt, or what stood here has been taken down."),
    )


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        500,
        _("Something went wrong on our side"),
        _(
            "It has been recorded, and we are looking into it. Nothing of what you sent was half saved. "
            "Please try again in a moment."
        ),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        _("This form has expired"),
        _(
            "For your safety a form can be sent only from the page it came with. "
            "Please go back, reload the page and send it again."
        ),
    )
