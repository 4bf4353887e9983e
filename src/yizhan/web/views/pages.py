"""The shell's own pages: home, desk, design system, offline."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.web import desk_cards, nearby


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
def desk(request: StaffRequest) -> HttpResponse:
    """Where staff begin: figures of the acting post, and the way to what it may do."""
    return render(request, "web/desk_home.html", {"cards": desk_cards.cards(request.staff)})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows without a network."""
    return render(request, "web/offline.html", {"vocabulary": nearby.vocabulary()})
