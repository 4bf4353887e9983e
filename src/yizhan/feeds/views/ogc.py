"""OGC API – Features: landing page, conformance, API definition, collections, items."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.feeds.answers import GEOJSON, HTML, JSON, answered, as_json, link, problem
from yizhan.feeds.facts import read_facts
from yizhan.feeds.ogc.asking import ITEM_PARAMETERS, form_of, page_of
from yizhan.feeds.ogc.document import COLLECTION, definition
from yizhan.feeds.queries.changes import public_places
from yizhan.feeds.queries.rows import Row, how_many, one_row, page_after
from yizhan.feeds.showing import features
from yizhan.places.models import EAST, NORTH, SOUTH, WEST, PlaceKind

ROOT = "/api/ogc"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
API_TYPE = "application/vnd.oai.openapi+json;version=3.0"
_CLASSES = ("core", "oas30", "html", "geojson")
CONFORMS_TO = [f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" for name in _CLASSES]
_encode = msgspec.json.Encoder().encode


@answered
def landing(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request)
    body = {
        "title": str(_("Service stations of the trade unions")),
        "description": str(_("Where riders, drivers and all who work outdoors find rest, water, meals and help.")),
        "attribution": settings.OPEN_DATA_LICENCE,
        "links": [
            *_both(f"{ROOT}/", form),
            link("service-desc", f"{ROOT}/api", API_TYPE, "OpenAPI 3.0"),
            link("service-doc", f"{ROOT}/api?f=html", HTML, str(_("What each address answers"))),
            link("conformance", f"{ROOT}/conformance", JSON),
            link("data", f"{ROOT}/collections", JSON),
            link("license", settings.OPEN_DATA_LICENCE_URL, HTML, settings.OPEN_DATA_LICENCE),
        ],
    }
    return _as(form, request, "landing", body)


@answered
def conformance(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request)
    return _as(form, request, "conformance", {"conformsTo": CONFORMS_TO, "links": _both(f"{ROOT}/conformance", form)})


@answered
def api(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request)
    if form == "html":
        return _as(form, request, "api", definition())
    return as_json(definition(), media_type=API_TYPE)


@answered
def collections(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request)
    body = {"links": _both(f"{ROOT}/collections", form), "collections": [_collection()]}
    return _as(form, request, "collections", body)


@answered
def collection(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request)
    return _as(form, request, "collection", _collection())


@answered
def items(request: HttpRequest) -> HttpResponseBase:
    form = form_of(request, ITEM_PARAMETERS)
    page = page_of(request)
    rows = page_after(page.asked, page.after, most=page.limit + 1, changed=page.changed)
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    path = f"{ROOT}/collections/{COLLECTION}/items"
    query = {name: value for name, value in request.GET.items() if name != "f"}
    links = _both(_with(path, query), form, plain=GEOJSON)
    links.append(link("collection", f"{ROOT}/collections/{COLLECTION}", JSON))
    if more:
        further = _with(path, {**query, "cursor": rows[-1].public_id})
        links.append(link("next", _with_form(further, form), GEOJSON if form == "json" else HTML))
    told = {
        "links": links,
        "timeStamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "numberMatched": how_many(page.asked, changed=page.changed),
        "numberReturned": len(rows),
    }
    if form == "html":
        following = links[-1]["href"] if more else ""
        return render(request, "feeds/ogc/items.html", {**told, "rows": _shown(rows), "next": following})
    listed = ",\n".join(features(rows))
    body = b'{"type":"FeatureCollection",%s,"features":[\n%s\n]}\n' % (_encode(told)[1:-1], listed.encode())
    return as_json(body, media_type=GEOJSON)


@answered
def item(request: HttpRequest, feature_id: str) -> HttpResponseBase:
    form = form_of(request)
    try:
        row = one_row(UUID(feature_id))
    except ValueError:
        row = None
    if row is None:
        return problem(request, 404, _("There is nothing here"))
    if row.gone:
        return problem(request, 410, _("This place is public no more"), detail=row.gone)
    path = f"{ROOT}/collections/{COLLECTION}/items/{row.public_id}"
    links = [*_both(path, form, plain=GEOJSON), link("collection", f"{ROOT}/collections/{COLLECTION}", JSON)]
    if form == "html":
        return render(request, "feeds/ogc/item.html", {"row": _shown([row])[0], "links": links})
    (feature,) = features([row])
    return as_json(feature[:-1].encode() + b',"links":' + _encode(links) + b"}\n", media_type=GEOJSON)


def _collection() -> dict[str, Any]:
    span = public_places().aggregate(west=Min("lon"), south=Min("lat"), east=Max("lon"), north=Max("lat"))
    box = (
        [WEST, SOUTH, EAST, NORTH]
        if span["west"] is None
        else [span[side] for side in ("west", "south", "east", "north")]
    )
    path = f"{ROOT}/collections/{COLLECTION}"
    return {
        "id": COLLECTION,
        "title": str(_("Published places")),
        "description": str(
            _("Service stations, rider restaurants, repair points and drivers' homes that everyone may use.")
        ),
        "attribution": settings.OPEN_DATA_LICENCE,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": {"spatial": {"bbox": [box], "crs": CRS84}},
        "links": [
            link("self", path, JSON),
            link("alternate", f"{path}?f=html", HTML),
            link("items", f"{path}/items", GEOJSON),
            link("items", f"{path}/items?f=html", HTML),
            link("license", settings.OPEN_DATA_LICENCE_URL, HTML, settings.OPEN_DATA_LICENCE),
        ],
    }


def _both(path: str, form: str, *, plain: str = JSON) -> list[dict[str, str]]:
    """This answer, and the same in the other form."""
    forms = {"json": plain, "html": HTML}
    other = "html" if form == "json" else "json"
    return [
        link("self", _with_form(path, form), forms[form]),
        link("alternate", _with_form(path, other), forms[other]),
    ]


def _with(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _with_form(path: str, form: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}f={form}"


def _as(form: str, request: HttpRequest, name: str, body: dict[str, Any]) -> HttpResponse:
    return as_json(body) if form == "json" else render(request, f"feeds/ogc/{name}.html", body)


def _shown(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows for pages: each with its facts and with its kind in the reader's language."""
    return [
        {
            "id": row.public_id,
            "lon": f"{row.lon:.6f}",
            "lat": f"{row.lat:.6f}",
            "kind": PlaceKind(row.kind).label,
            "changed_at": row.changed_at,
            "facts": (facts := read_facts(row.facts)),
            "offers": "、".join(facts.offer_names),
        }
        for row in rows
    ]
