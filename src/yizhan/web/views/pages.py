"""The shell's own pages: home, desk, design system, offline."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The worker's map: stations by distance, no account needed."""
    return render(request, "web/home.html")


@require_safe
@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """Where staff begin: figures of the acting post."""
    if getattr(request, "staff", None) is None:
        raise PermissionDenied
    return render(request, "web/desk_home.html")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows without a network."""
    return render(request, "web/offline.html")
