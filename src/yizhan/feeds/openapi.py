"""What this room answers, as the API's document describes it."""

from __future__ import annotations

from typing import Any

from yizhan.places.models import PlaceKind

from .answers import GEOJSON, JSON, PROBLEM
from .dictionary import schemas
from .hot import MOST_CHANGES, USUAL_CHANGES
from .ogc.document import paths as ogc_paths
from .views.hsds import MOST, USUAL

_PROBLEM = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


_DATUM = _query(
    "datum", {"type": "string", "examples": ["WGS-84", "GCJ-02", "BD-09"]}, "Of the positions and of `bbox`"
)
_NARROWING = [
    _DATUM,
    _query("kinds", {"type": "string"}, f"Any of these, by comma: {', '.join(PlaceKind.values)}"),
    _query("union", {"type": "string", "format": "uuid"}, "Of this union and those below"),
    _query("bbox", {"type": "string"}, "west,south,east,north in degrees of `datum`"),
]
_REFUSED = {"description": "A parameter is unknown or breaks a rule", "content": _PROBLEM}
_UNCHANGED = {"description": "Unchanged since the validator that was sent"}


def _get(operation: str, summary: str, parameters: list[Any], answers: dict[str, Any], tag: str) -> dict[str, Any]:
    told = {"operationId": operation, "tags": [tag], "summary": summary}
    return {"get": {**told, "parameters": parameters, "responses": answers}}


def _feed(name: str, media_type: str, summary: str, parameters: list[Any], schema: Any, **more: Any) -> dict[str, Any]:
    answers = {
        "200": {"description": "OK", "content": {media_type: {"schema": schema}}},
        "304": _UNCHANGED,
        "422": _REFUSED,
        **more,
    }
    return _get(f"feeds_{name}", summary, parameters, answers, "feeds")


_PROPERTIES = {
    "allOf": [
        {"$ref": "#/components/schemas/PlaceFacts"},
        {
            "type": "object",
            "required": ["sequence", "changed_at"],
            "properties": {
                "sequence": {"type": "integer", "description": "Number of its last change"},
                "changed_at": {"type": "string", "format": "date-time"},
            },
        },
    ]
}
_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
SCHEMAS: dict[str, Any] = {
    **schemas(),
    "PlaceFeature": {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string", "format": "uuid"},
            "geometry": {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {"type": {"type": "string", "enum": ["Point"]}, "coordinates": _POSITION},
            },
            "properties": _PROPERTIES,
        },
    },
    "PlaceFeatures": {
        "type": "object",
        "required": ["type", "datum", "sequence", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "datum": {"type": "string"},
            "sequence": {"type": "integer", "description": "Ask for changes since this number"},
            "licence": {"type": "string"},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/PlaceFeature"}},
        },
    },
    "PlaceGone": {
        "type": "object",
        "required": ["id", "sequence", "at", "reason"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "sequence": {"type": "integer"},
            "at": {"type": "string", "format": "date-time"},
            "reason": {
                "type": "string",
                "enum": ["closed", "withdrawn", "outside"],
                "description": "closed for good; not public for the time being; outside of what was asked for",
            },
        },
    },
    "PlaceChanges": {
        "allOf": [
            {"$ref": "#/components/schemas/PlaceFeatures"},
            {
                "type": "object",
                "required": ["changed_since", "more", "gone"],
                "properties": {
                    "changed_since": {"type": "integer"},
                    "more": {"type": "boolean", "description": "Ask again with `changed_since=sequence` at once"},
                    "gone": {"type": "array", "items": {"$ref": "#/components/schemas/PlaceGone"}},
                },
            },
        ]
    },
    "PlaceInformation": {
        "type": "object",
        "required": ["last_updated", "ttl", "version", "sequence", "datum", "data"],
        "properties": {
            "last_updated": {"type": "integer", "description": "UTC epoch seconds"},
            "ttl": {"type": "integer", "description": "Seconds for which this is good"},
            "version": {"type": "string"},
            "sequence": {"type": "integer"},
            "datum": {"type": "string"},
            "licence": {"type": "string"},
            "data": {
                "type": "object",
                "required": ["places"],
                "properties": {
                    "places": {
                        "type": "array",
                        "items": {
                            "allOf": [
                                _PROPERTIES,
                                {
                                    "type": "object",
                                    "required": ["place_id", "lon", "lat"],
                                    "properties": {
                                        "place_id": {"type": "string", "format": "uuid"},
                                        "lon": {"type": "number"},
                                        "lat": {"type": "number"},
                                    },
                                },
                            ]
                        },
                    }
                },
            },
        },
    },
    "PlaceStatuses": {
        "type": "object",
        "required": ["last_updated", "ttl", "version", "sequence", "data"],
        "properties": {
            "last_updated": {"type": "integer"},
            "ttl": {"type": "integer"},
            "version": {"type": "string"},
            "sequence": {"type": "integer"},
            "data": {
                "type": "object",
                "required": ["places"],
                "properties": {
                    "places": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["place_id", "open", "changes_at", "occupancy", "out_of_order"],
                            "properties": {
                                "place_id": {"type": "string", "format": "uuid"},
                                "open": {"type": "string", "enum": ["yes", "no", "unknown"]},
                                "changes_at": {
                                    "type": ["integer", "null"],
                                    "description": "When that changes, UTC epoch seconds; null: not in the days ahead",
                                },
                                "occupancy": {
                                    "type": ["integer", "null"],
                                    "description": "People inside as told within the hour; null: nobody told",
                                },
                                "out_of_order": {"type": "array", "items": {"type": "string"}},
                            },
                        },
                    }
                },
            },
        },
    },
    "HsdsPage": {
        "type": "object",
        "required": [
            "total_items",
            "total_pages",
            "page_number",
            "size",
            "first_page",
            "last_page",
            "empty",
            "contents",
        ],
        "properties": {
            **{name: {"type": "integer"} for name in ("total_items", "total_pages", "page_number", "size")},
            **{name: {"type": "boolean"} for name in ("first_page", "last_page", "empty")},
            "contents": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        },
    },
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_FEEDS = {
    "/api/feeds/feeds.json": _feed(
        "feeds", JSON, "Which feeds there are", [], {"type": "object", "required": ["data"]}
    ),
    "/api/feeds/places.geojson": _feed(
        "geojson", GEOJSON, "Every published place as GeoJSON, as a stream", _NARROWING, _ref("PlaceFeatures")
    ),
    "/api/feeds/places.csv": _feed(
        "csv", "text/csv", "Every published place as CSV, as a stream", _NARROWING, {"type": "string"}
    ),
    "/api/feeds/places.json": _feed(
        "information", JSON, "Slow facts of every published place", _NARROWING, _ref("PlaceInformation")
    ),
    "/api/feeds/status.json": _feed(
        "status",
        JSON,
        "Fast facts: who is open now, what is out of order",
        [],
        _ref("PlaceStatuses"),
        **{"503": {"description": "The directory is being read", "content": _PROBLEM}},
    ),
    "/api/feeds/changes": _feed(
        "changes",
        GEOJSON,
        "What has changed since a number",
        [
            _query("changed_since", {"type": "integer", "minimum": 0, "default": 0}, "`sequence` of an earlier answer"),
            _query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MOST_CHANGES, "default": USUAL_CHANGES},
                "Changes looked at for one page",
            ),
            *_NARROWING,
        ],
        _ref("PlaceChanges"),
        **{"410": {"description": "The number is not known here: begin anew from 0", "content": _PROBLEM}},
    ),
}

_PAGES = [
    _query("page", {"type": "integer", "minimum": 1, "default": 1}, "Number of the page"),
    _query("per_page", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "At most in one page"),
]
_ORGANIZATION = _query("organization_id", {"type": "string", "format": "uuid"}, "Of this union alone")
_LOCATION = _query("location_id", {"type": "string", "format": "uuid"}, "Of this place alone")
_TERM = _query("taxonomy_term_id", {"type": "string", "format": "uuid"}, "Of this word of the vocabulary")
_MODIFIED = _query("modified_after", {"type": "string", "format": "date-time"}, "Changed at this time or later")
_TAXONOMY = _query("taxonomy_id", {"type": "string", "format": "uuid"}, "Of this vocabulary")
_SEARCH = _query("search", {"type": "string"}, "Whose name holds this")


def _hsds() -> dict[str, Any]:
    refused = {"304": _UNCHANGED, "400": _REFUSED}
    found: dict[str, Any] = {
        "/api/hsds/": _get(
            "hsds",
            "What this interface is",
            [],
            {"200": {"description": "OK", "content": {JSON: {"schema": {"type": "object"}}}}, **refused},
            "hsds",
        )
    }
    missing = {"description": "Not there, or not public", "content": _PROBLEM}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    for name, summary, parameters in (
        ("organizations", "Unions that have published places", [_SEARCH]),
        ("services", "What unions offer", [_ORGANIZATION, _TERM]),
        ("locations", "Published places", [_ORGANIZATION, _MODIFIED, _SEARCH]),
        ("service_at_locations", "What is offered where", [_ORGANIZATION, _TERM, _MODIFIED]),
        ("schedules", "When published places are open", [_LOCATION, _ORGANIZATION, _MODIFIED]),
        ("taxonomies", "Vocabularies", []),
        ("taxonomy_terms", "Words for what places offer", [_TAXONOMY]),
    ):
        page = {"200": {"description": "OK", "content": {JSON: {"schema": _ref("HsdsPage")}}}, **refused}
        found[f"/api/hsds/{name}"] = _get(f"hsds_{name}", summary, [*_PAGES, *parameters], page, "hsds")
        one = {
            "200": {"description": "OK", "content": {JSON: {"schema": {"type": "object", "required": ["id"]}}}},
            **refused,
            "404": missing,
            "410": missing,
        }
        found[f"/api/hsds/{name}/{{id}}"] = _get(f"hsds_one_of_{name}", f"{summary}: one", [identifier], one, "hsds")
    return found


PATHS: dict[str, Any] = {**_FEEDS, **_hsds(), **ogc_paths("/api/ogc")}
