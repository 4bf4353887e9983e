"""The shell's own pages: home, desk, design system, offline."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from yizhan.benefits.rights import SEE_MERCHANT
from yizhan.places.forms.reports import OfflineReportForm
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.rights import BOUND_ROLES, Role, policy
from yizhan.web import desk_cards, navigation, nearby
from yizhan.web.middleware import LANGUAGES


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The worker's map: stations by distance, no account needed."""
    at = timezone.now()
    wish = nearby.Wish.read(request.GET)
    found = nearby.found(wish, at)
    page = nearby.page_of(found, request.GET.get("page"))
    context = {
        "wish": wish,
        "page": page,
        "entries": nearby.rows(found.directory, page, at),
        "choices": nearby.choices(wish),
        "offer_choices": nearby.offer_choices(wish, found.directory),
        "vocabulary": nearby.vocabulary(found.directory),
    }
    return render(request, "web/home.html", context)


@require_safe
@desk_page()
def desk(request: StaffRequest) -> HttpResponseBase:
    """Where staff begin: figures of the acting post, and the way to what it may do; at a counter, the counter."""
    if Role(request.staff.role) in BOUND_ROLES:
        return redirect("benefits:merchants" if policy.holds(request.staff, SEE_MERCHANT) else "benefits:counter")
    return render(request, "web/desk_home.html", {"cards": desk_cards.cards(request.staff)})


@require_safe
@desk_page()
@never_cache
def waiting(request: StaffRequest) -> HttpResponseBase:
    """What waits behind each entry of the desk's navigation, for the script that writes it there: `{address: "3"}`."""
    return JsonResponse(navigation.waiting(request.staff))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows without a network. It keeps one in each language, asked for in the address."""
    language = request.GET.get("language", "")
    if language in LANGUAGES:
        translation.activate(language)
        request.LANGUAGE_CODE = language
    context = {"vocabulary": nearby.vocabulary(), "report_form": OfflineReportForm(auto_id="report-%s")}
    return render(request, "web/offline.html", context)
