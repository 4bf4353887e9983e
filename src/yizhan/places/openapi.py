"""What the hot application answers for this room, as the API's document describes it."""

from typing import Any

from .hot import MOST_NEAREST
from .lookups import MOST_FOUND, MOST_IN_BOX, NARROWEST_M, WIDEST_M
from .models import PlaceKind
from .prepared import MAP_FIELDS, MOST_ON_MAP
from .routes import LARGEST_BODY, LONGEST_M, LONGEST_STEP_M, MOST_POINTS
from .text import LONGEST

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


_ANSWER_DATUM = _query("answer_datum", _DATUM, "Of the answer, when it shall be another")
_NARROWING = [
    _query("kinds", {"type": "string"}, f"Any of these, by comma: {', '.join(PlaceKind.values)}"),
    _query("offers", {"type": "string"}, "All of these codes, by comma"),
    _query("any_offers", {"type": "string"}, "Any of these codes, by comma"),
    _query("union", {"type": "string", "format": "uuid"}, "Of this union and those below"),
]


def _open(default: str) -> dict[str, Any]:
    return _query("open", {"type": "string", "enum": ["now", "any"], "default": default}, "Certainly open now")


def _pages(most: int, default: int) -> list[dict[str, Any]]:
    return [
        _query("limit", {"type": "integer", "minimum": 1, "maximum": most, "default": default}, "At most in one page"),
        _query("cursor", {"type": "string"}, "`next` of the page before"),
    ]


_ROUTE_PARAMETERS = [
    _query("datum", _DATUM, "Of the route, and of the answer", required=True),
    _ANSWER_DATUM,
    _query(
        "corridor_m",
        {"type": "number", "minimum": NARROWEST_M, "maximum": WIDEST_M, "default": 500},
        "Within so many metres of the route",
    ),
    _open("now"),
    *_NARROWING,
    *_pages(MOST_FOUND, 20),
]
_ROUTE_RULES = (
    f"From 2 to {MOST_POINTS} positions, from one to the next at most {LONGEST_STEP_M / 1000:.0f} km, "
    f"{LONGEST_M / 1000:.0f} km in all."
)

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
                _ANSWER_DATUM,
                _open("now"),
                *_NARROWING,
                _query("count", {"type": "integer", "minimum": 1, "maximum": MOST_NEAREST, "default": 10}, "At most"),
                _query("times", {"type": "string", "enum": ["0", "1"]}, "1: also when each is open in the days ahead"),
                _query("radius_m", {"type": "number", "minimum": 1}, "Within so many metres"),
            ],
            "responses": _answers("NearestPlaces"),
        }
    },
    "/api/places/search": {
        "get": {
            "operationId": "search_places",
            "tags": ["places"],
            "summary": "Published places by name, district and address: Chinese, pinyin, initials",
            "parameters": [
                _query(
                    "q",
                    {"type": "string", "minLength": 1, "maxLength": LONGEST},
                    "Words that must all match: 高新区, gaoxinqu, gxq and 高xq find the same",
                    required=True,
                ),
                _query("datum", _DATUM, "Of the position, and of the answer", required=True),
                _query("lon", {"type": "number"}, "Longitude in degrees of `datum`: what answers as well, by distance"),
                _query("lat", {"type": "number"}, "Latitude in degrees of `datum`"),
                _ANSWER_DATUM,
                _open("any"),
                *_NARROWING,
                *_pages(MOST_FOUND, 20),
            ],
            "responses": _answers("ListedPlaces"),
        }
    },
    "/api/places/in-box": {
        "get": {
            "operationId": "places_in_box",
            "tags": ["places"],
            "summary": "Published places in a box",
            "parameters": [
                _query(
                    "bbox",
                    {"type": "string"},
                    "west,south,east,north in degrees of `datum`, edges included",
                    required=True,
                ),
                _query("datum", _DATUM, "Of the box, and of the answer", required=True),
                _ANSWER_DATUM,
                _open("any"),
                *_NARROWING,
                *_pages(MOST_IN_BOX, 100),
            ],
            "responses": _answers("ListedPlaces"),
        }
    },
    "/api/places/along-route": {
        "get": {
            "operationId": "places_along_route",
            "tags": ["places"],
            "summary": "Published places along a route, in the order of the ride",
            "parameters": [
                _query("route", {"type": "string"}, f"lon,lat;lon,lat;… in degrees. {_ROUTE_RULES}", required=True),
                *_ROUTE_PARAMETERS,
            ],
            "responses": _answers("ListedPlaces"),
        },
        "post": {
            "operationId": "places_along_posted_route",
            "tags": ["places"],
            "summary": "Published places along a route that is too long for an address",
            "parameters": _ROUTE_PARAMETERS,
            "requestBody": {
                "required": True,
                "description": (
                    f"A GeoJSON LineString in degrees of `datum`, or a feature with one; at most {LARGEST_BODY} bytes. "
                    f"{_ROUTE_RULES}"
                ),
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RouteLine"}}},
            },
            "responses": _answers("ListedPlaces"),
        },
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

_PLACE: dict[str, Any] = {
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
}
_TIMES = {
    "type": "array",
    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer"}},
    "description": "With `times=1`: from and until when it is certainly open, UTC epoch seconds, for about a week",
}
_DISTANCE = {"type": "integer", "description": "From the position, or from the route"}

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
                    "properties": {"distance_m": _DISTANCE, **_PLACE, "times": _TIMES},
                },
            },
        },
    },
    "ListedPlaces": {
        "type": "object",
        "required": ["datum", "total", "count", "next", "places"],
        "properties": {
            "datum": _DATUM,
            "total": {"type": "integer", "description": "So many answer; pages hold them"},
            "count": {"type": "integer", "description": "So many are in this page"},
            "next": {"type": ["string", "null"], "description": "`cursor` of the next page; null: this was the last"},
            "places": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "distance_m": _DISTANCE,
                        "along_m": {"type": "integer", "description": "Along the route, from its start"},
                        "detour_m": {"type": "integer", "description": "From the route and back, as the crow flies"},
                        **_PLACE,
                    },
                },
            },
        },
    },
    "RouteLine": {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"type": "string", "enum": ["LineString"]},
            "coordinates": {
                "type": "array",
                "minItems": 2,
                "maxItems": MOST_POINTS,
                "items": {"type": "array", "minItems": 2, "items": {"type": "number"}},
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
