"""Pages for everyone: open data, the map to embed, and what search engines read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from yizhan.feeds.asking import Asked, path_of_union
from yizhan.feeds.dictionary import sections
from yizhan.feeds.forms import EmbedForm
from yizhan.feeds.queries import public as queries
from yizhan.feeds.queries.changes import last_change
from yizhan.feeds.services.sequence import sequence_changes
from yizhan.places.models import PlaceKind
from yizhan.places.parameters import QueryRefused, kinds_of
from yizhan.unions.models import Union

LANGUAGES = ("zh-hans", "en")
_SHORT = {"zh": "zh-hans", "zh-Hans": "zh-hans", "en": "en"}


@require_safe
def open_data(request: HttpRequest) -> HttpResponse:
    """What may be taken home, in which forms, and what every word of it means."""
    sequence_changes(wait=False)
    sequence, at = last_change()
    totals = queries.totals()
    return render(
        request,
        "feeds/open_data.html",
        {
            "total": sum(totals.values()),
            "kinds": [(PlaceKind(kind).label, totals[kind]) for kind in PlaceKind.values if kind in totals],
            "sequence": sequence,
            "changed_at": at,
            "licence": settings.OPEN_DATA_LICENCE,
            "licence_url": settings.OPEN_DATA_LICENCE_URL,
            "base": settings.BASE_URL,
            "sections": list(sections()),
        },
    )


@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": settings.EMBED_SITES})
def embed(request: HttpRequest) -> HttpResponse:
    """The map alone, for frames of other sites: `union`, `kind` and `lang` say what it shows."""
    language = _SHORT.get(request.GET.get("lang", ""), "zh-hans")
    with translation.override(language):
        try:
            kinds = kinds_of({"kinds": request.GET.get("kind", "")})
            path = path_of_union(request.GET["union"]) if request.GET.get("union") else ""
        except QueryRefused as refused:
            return render(
                request, "feeds/embed_refused.html", {"rule": refused.rule, "value": refused.value}, status=422
            )
        asked = Asked(kinds=kinds, union_path=path)
        box = queries.extent(asked)
        query = {"datum": "WGS-84", "open": "any", "kinds": ",".join(kinds), "union": request.GET.get("union", "")}
        context: dict[str, Any] = {
            "query": urlencode({name: value for name, value in query.items() if value}),
            "box": "" if box is None else ",".join(f"{side:.5f}" for side in box),
            "home": f"{settings.BASE_URL}/",
        }
        return render(request, "feeds/embed.html", context)


@require_safe
def embed_code(request: HttpRequest) -> HttpResponse:
    """The lines that a site puts in to show the map, made from choices, with the map as it will look."""
    form = EmbedForm(request.GET or None, unions=_unions_with_places())
    chosen = form.cleaned_data if form.is_valid() else {}
    query = {name: chosen[name] for name in ("union", "kind", "lang") if chosen.get(name)}
    address = settings.BASE_URL + reverse("feeds:embed") + (f"?{urlencode(query)}" if query else "")
    height = chosen.get("height") or 480
    return render(
        request,
        "feeds/embed_code.html",
        {"form": form, "address": address, "height": height, "path": address.removeprefix(settings.BASE_URL)},
    )


def _unions_with_places() -> list[tuple[str, str]]:
    unions = Union.objects.filter(places__status="published").distinct().order_by("path")[:2_000]
    return [(str(union.public_id), union.name) for union in unions]


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines may read: public pages; neither the desk nor anybody's account."""
    closed = ("desk/", "accounts/", "account/", "api/", "embed/$", "language/", "type-size/", "metrics")
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in closed)]
    return HttpResponse(
        "\n".join([*lines, "", f"Sitemap: {settings.BASE_URL}/sitemap.xml", ""]),
        content_type="text/plain; charset=utf-8",
    )


@require_safe
def sitemap_index(request: HttpRequest) -> HttpResponseBase:
    """The parts of the site map, each with the time of its last change."""
    sequence_changes(wait=False)
    parts = [(reverse("feeds:sitemap_pages"), None)]
    parts += [(reverse("feeds:sitemap_places", args=[number]), at) for number, at in enumerate(queries.parts())]  # type: ignore[misc]
    context = {"parts": [(settings.BASE_URL + path, at) for path, at in parts]}
    return render(request, "feeds/sitemap_index.xml", context, content_type="application/xml; charset=utf-8")


@require_safe
def sitemap_pages(request: HttpRequest) -> HttpResponseBase:
    """The pages that are no place's."""
    names = ("web:home", "places:public_list", "feeds:open_data", "feeds:embed_code")
    entries = [(settings.BASE_URL + reverse(name), None) for name in names]
    return _sitemap(request, entries)


@require_safe
def sitemap_places(request: HttpRequest, part: int) -> HttpResponseBase:
    """One part of the published places."""
    found = queries.addresses(part)
    if not found:
        raise Http404(_("The site map has fewer parts."))
    return _sitemap(request, [(f"{settings.BASE_URL}/places/{public_id}/", at) for public_id, at in found])


def _sitemap(request: HttpRequest, entries: list[Any]) -> HttpResponse:
    """Written line by line: a template takes seconds for 50,000."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    for address, at in entries:
        changed = f"<lastmod>{at:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if at else ""
        lines.append(f"<url><loc>{address}</loc>{changed}</url>")
    lines.append("</urlset>\n")
    return HttpResponse("\n".join(lines), content_type="application/xml; charset=utf-8")
