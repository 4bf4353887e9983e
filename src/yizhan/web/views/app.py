"""What makes the site an app that a phone can install: manifest and service worker."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from yizhan.web.templatetags.vite import BUILT, asset


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest, in the reader's language."""
    return JsonResponse(
        {
            "id": "/",
            "name": _("Yizhan: union service stations"),
            "short_name": _("Yizhan"),
            "description": _("Find the nearest open service station of the trade unions."),
            "lang": "zh-Hans" if request.LANGUAGE_CODE == "zh-hans" else request.LANGUAGE_CODE,
            "dir": "ltr",
            "start_url": "/?from=app",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f8f5ef",
            "theme_color": "#ffffff",
            "icons": [
                {"src": asset("web/icons/icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
                {"src": asset("web/icons/icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
                {
                    "src": asset("web/icons/icon-maskable-512.png"),
                    "sizes": "512x512",
                    "type": "image/png",
                    "purpose": "maskable",
                },
            ],
        },
        content_type="application/manifest+json",
    )


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, served from the root so that its scope is the whole site."""
    built = BUILT / "service-worker.js"
    if not built.exists():
        return HttpResponse("// not built\n", content_type="text/javascript", status=404)
    response = HttpResponse(built.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
