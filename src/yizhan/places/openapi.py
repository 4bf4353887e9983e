"""What the hot application answers for this room, as the API's document describes it."""

from typing import Any

from .hot import MOST_NEAREST
from .models import PlaceKind
from .prepared import MAP_FIELDS, MOST_ON_MAP

_DATUM = {"type": "string", "examples": ["WGS-84", "GCJ-02", "BD-09"]}


def _query(name: str, schema: dict[str, Any], text: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": text}


def _answers(schema: str) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/PlacesProblem"}}}
    return {
        "200": {
            "description": "OK",
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
        },
        "304": {"description": "Unchanged since the entity tag that was sent"},
        "422": {"description": "A parameter breaks a rule", "content": problem},
        "503": {"description": "The directory is being read", "content": problem},
    }


PATHS: dict[str, Any] = {
    "/api/places/nearest": {
        "get": {
            "operationId": "nearest_places",
            "tags": ["places"],
            "summary": "The nearest published places",
            "parameters": [
                _query("lon", {"type": "number"}, "Longitude in degrees of `datum`", required=True),
                _query("lat", {"type": "number"}, "Latitude in degrees of `datum`", required=True),
                _query("datum", _DATUM, "Of the position, and of the answer", required=True),
                _query("answer_datum", _DATUM, "Of the answer, when it shall be another"),
                _query("open", {"type": "string", "enum": ["now", "any"], "default": "now"}, "Certainly open now"),
                _query("kinds", {"type": "string"}, f"Any of these, by comma: {', '.join(PlaceKind.values)}"),
                _query("offers", {"type": "string"}, "All of these codes, by comma"),
                _query("count", {"type": "integer", "minimum": 1, "maximum": MOST_NEAREST, "default": 10}, "At most"),
                _query("radius_m", {"type": "number", "minimum": 1}, "Within so many metres"),
            ],
            "responses": _answers("NearestPlaces"),
        }
    },
    "/api/places/index.json": {
        "get": {
            "operationId": "places_for_the_map",
            "tags": ["places"],
            "summary": "All published places in a few columns, for a map",
            "parameters": [
                _query("datum", _DATUM, "Of the positions", required=True),
                _query("bbox", {"type": "string"}, "west,south,east,north in degrees of `datum`"),
            ],
            "responses": _answers("PlacesForTheMap"),
        }
    },
}

SCHEMAS: dict[str, Any] = {
    "NearestPlaces": {
        "type": "object",
        "required": ["datum", "count", "places"],
        "properties": {
            "datum": _DATUM,
            "count": {"type": "integer"},
            "places": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "distance_m": {"type": "integer"},
                        "id": {"type": "string", "format": "uuid"},
                        "name": {"type": "string"},
                        "kind": {"type": "string", "enum": PlaceKind.values},
                        "address": {"type": "string"},
                        "lon": {"type": "number"},
                        "lat": {"type": "number"},
                        "offers": {"type": "array", "items": {"type": "string"}},
                        "url": {"type": "string"},
                        "state": {"type": "string", "enum": ["yes", "no", "unknown"]},
                        "changes_at": {
                            "type": ["integer", "null"],
                            "description": "UTC epoch seconds when it closes or opens; null: not soon",
                        },
                    },
                },
            },
        },
    },
    "PlacesForTheMap": {
        "type": "object",
        "required": ["datum", "fields", "offer_codes", "total", "places"],
        "properties": {
            "datum": _DATUM,
            "fields": {"type": "array", "items": {"type": "string"}, "examples": [list(MAP_FIELDS)]},
            "offer_codes": {"type": "array", "items": {"type": "string"}},
            "total": {"type": "integer", "description": f"`places` holds at most {MOST_ON_MAP} of them"},
            "places": {"type": "array", "items": {"type": "array"}},
        },
    },
    "PlacesProblem": {
        "type": "object",
        "required": ["title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "instance": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": {"type": "string"},
                        "value": {"type": "string"},
                        "rule": {"type": "string"},
                    },
                },
            },
        },
    },
}
