"""The API definition of OGC API – Features, in OpenAPI 3.0."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from yizhan import __version__
from yizhan.feeds.answers import GEOJSON, HTML, JSON, PROBLEM

from .asking import FORMS, MOST, USUAL

COLLECTION = "places"


def _parameter(name: str, schema: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "style": "form",
        "explode": False,
        "description": description,
        **more,
    }


_FORM = _parameter("f", {"type": "string", "enum": list(FORMS)}, "Form of the answer; else as `Accept` says")
_NUMBERS = {"type": "array", "items": {"type": "number"}, "oneOf": [
    {"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]}  # fmt: skip
ITEM_PARAMETERS = [
    _FORM,
    _parameter("bbox", _NUMBERS, "west,south,east,north in degrees of CRS84 (WGS-84)"),
    _parameter(
        "datetime",
        {"type": "string"},
        "Places whose public facts changed last at this moment, or between two (RFC 3339)",
    ),
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "At most in one page"),
    _parameter("cursor", {"type": "string"}, "Follow the link `next` instead of making this"),
    _parameter("kinds", {"type": "string"}, "Any of these kinds, by comma"),
    _parameter("union", {"type": "string", "format": "uuid"}, "Of this union and those below"),
]


def _answers(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    refused = {PROBLEM: {"schema": {"type": "object"}}}
    return {
        "200": {
            "description": "OK",
            "content": {media_type: {"schema": schema}, HTML: {"schema": {"type": "string"}}},
        },
        "304": {"description": "Unchanged"},
        "400": {"description": "A parameter is unknown or breaks a rule", "content": refused},
        "500": {"description": "A fault of ours", "content": refused},
    }


_LINKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title")},
    },
}
_WITH_LINKS = {"type": "object", "required": ["links"], "properties": {"links": _LINKS}}
_FEATURE = {
    "type": "object",
    "required": ["type", "geometry", "properties", "id"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string", "format": "uuid"},
        "geometry": {"type": "object"},
        "properties": {"type": "object"},
        "links": _LINKS,
    },
}
_FEATURES = {
    "type": "object",
    "required": ["type", "features", "links"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": _FEATURE},
        "links": _LINKS,
        "timeStamp": {"type": "string", "format": "date-time"},
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
    },
}


def paths(prefix: str = "", *, name: str = "ogc") -> dict[str, Any]:
    """What the addresses answer, below `prefix`."""
    collection, items = f"{prefix}/collections/{COLLECTION}", f"{prefix}/collections/{COLLECTION}/items"
    gone = {"description": "Not there, or not public", "content": {PROBLEM: {"schema": {"type": "object"}}}}
    feature = _answers(GEOJSON, _FEATURE)
    identifier = {
        "name": "featureId",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "description": "Identifier of the place",
    }
    conformance = {
        "type": "object",
        "required": ["conformsTo"],
        "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}},
    }

    def get(operation: str, summary: str, answers: dict[str, Any], parameters: list[Any]) -> dict[str, Any]:
        told = {"operationId": f"{name}_{operation}", "tags": ["ogc"], "summary": summary}
        return {"get": {**told, "parameters": parameters, "responses": answers}}

    return {
        f"{prefix}/": get("landing", "Landing page", _answers(JSON, _WITH_LINKS), [_FORM]),
        f"{prefix}/conformance": get("conformance", "Conformance classes", _answers(JSON, conformance), [_FORM]),
        f"{prefix}/api": get(
            "api",
            "This definition",
            _answers("application/vnd.oai.openapi+json;version=3.0", {"type": "object"}),
            [_FORM],
        ),
        f"{prefix}/collections": get("collections", "The collections", _answers(JSON, _WITH_LINKS), [_FORM]),
        collection: get("collection", "The collection of places", _answers(JSON, _WITH_LINKS), [_FORM]),
        items: get("items", "Published places", _answers(GEOJSON, _FEATURES), ITEM_PARAMETERS),
        f"{items}/{{featureId}}": get("item", "One place", {**feature, "404": gone, "410": gone}, [identifier, _FORM]),
    }


def definition() -> dict[str, Any]:
    """The OpenAPI 3.0 document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Yizhan 驿站: OGC API – Features",
            "version": __version__,
            "license": {"name": settings.OPEN_DATA_LICENCE, "url": settings.OPEN_DATA_LICENCE_URL},
        },
        "servers": [{"url": f"{settings.BASE_URL}/api/ogc"}],
        "paths": paths(),
    }
