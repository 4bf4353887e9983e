"""How a reader wants to read: language and size of type."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from yizhan.web.context_processors import TYPE_SIZE_COOKIE
from yizhan.web.middleware import LANGUAGES

A_YEAR = 365 * 24 * 3600


def _way_back(request: HttpRequest) -> str:
    """The page the reader came from, if it is ours."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return "/"


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=A_YEAR,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
        httponly=True,
    )


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the reader's language for a year and go back; an unknown language changes nothing."""
    response = HttpResponseRedirect(_way_back(request))
    language = request.POST.get("language", "")
    if language in LANGUAGES:
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


@require_POST
def choose_type_size(request: HttpRequest) -> HttpResponse:
    """Remember the size of type for a year and go back."""
    response = HttpResponseRedirect(_way_back(request))
    if request.POST.get("size") == "large":
        _remember(response, TYPE_SIZE_COOKIE, "large")
    else:
        response.delete_cookie(TYPE_SIZE_COOKIE, samesite="Lax")
    return response
