"""What the hot application answers for this room, in the words of OpenAPI 3.1; merged into the API's document."""

from __future__ import annotations

from typing import Any

from yizhan.geo import Datum

from .hot import MAX_KEY, MAX_ROADS_BYTES
from .runtime import arrow
from .runtime.decoding import MAX_BODY_BYTES, MAX_NAME, MAX_ROWS, MOST_LISTED, REASONS


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/PassageProblem"}}},
    }


_TOKEN = {
    "name": "token",
    "in": "query",
    "required": True,
    "description": "Signed permission for one union, as the desk's live page carries it.",
    "schema": {"type": "string"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "By which a repeated batch is known again. Without it, the same body is the same batch.",
    "schema": {"type": "string", "maxLength": MAX_KEY},
}
_DATUM = {
    "name": "datum",
    "in": "query",
    "required": False,
    "description": "Of all positions in an Arrow stream whose schema does not say it.",
    "schema": {"type": "string", "enum": [str(datum) for datum in Datum]},
}
_NOT_NOW = _problem("Starting, or too busy: repeat after `Retry-After` seconds.")

PATHS: dict[str, Any] = {
    "/api/pings": {
        "post": {
            "tags": ["pings"],
            "operationId": "post_pings",
            "summary": "Send positions of vehicles and be told whom to remind of which place",
            "description": (
                f"At most {MAX_ROWS:,} rows and {MAX_BODY_BYTES // 2**20} MiB a request; as an Arrow IPC stream "
                f"{arrow.MAX_ROWS:,} rows and {arrow.MAX_BODY_BYTES // 2**20} MiB. Rows that are wrong are left "
                f"out and named (the first {MOST_LISTED}); the others are taken. A batch that is sent again within an "
                "hour gets the same reminders. A reminder is in our log before it is in an answer. "
                "Positions are judged and forgotten: they are never stored."
            ),
            "security": [{"PingSourceKey": []}],
            "parameters": [_IDEMPOTENCY_KEY, _DATUM],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/PingBatch"},
                        "example": {
                            "datum": "GCJ-02",
                            "pings": [
                                ["rider-17", 1764216000000, 113.6262, 34.7489, 8],
                                ["rider-18", "2025-11-27T12:00:00+08:00", 113.7015, 34.7631],
                            ],
                        },
                    },
                    arrow.MEDIA_TYPE: {
                        "schema": {
                            "type": "string",
                            "format": "binary",
                            "description": "Columns "
                            + "; ".join(f"`{name}`: {kind}" for name, kind in arrow.COLUMNS.items())
                            + ". The schema's metadata or the parameter says the datum. No compression.",
                        }
                    },
                },
            },
            "responses": {
                "200": {
                    "description": "What was taken and left out, and the reminders that the batch caused.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PingAnswer"}}},
                },
                "400": _problem("The batch cannot be read: no JSON, no datum, no list. Nothing was taken."),
                "401": _problem("No valid key: it may have been revoked or replaced."),
                "413": _problem("Too many rows or bytes. Nothing was taken."),
                "415": _problem("Neither JSON nor an Arrow IPC stream, or compressed."),
                "422": _problem("The `Idempotency-Key` came with another body before. Nothing was taken."),
                "429": _problem("More pings than the key may send: repeat after `Retry-After` seconds."),
                "503": _NOT_NOW,
            },
        }
    },
    "/api/live/events": {
        "get": {
            "tags": ["live"],
            "operationId": "live_events",
            "summary": "Server-sent events for the live map",
            "description": (
                "Events `hello`, `vehicles` (simulated ones only), `reminder` (of the union and below) and `figures`. "
                "`Last-Event-ID` brings the reminders that were missed. A stream lasts an hour at most."
            ),
            "parameters": [
                _TOKEN,
                {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}},
            ],
            "responses": {
                "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "401": _problem("The token is forged or too old."),
                "503": _NOT_NOW,
            },
        }
    },
    "/api/live/stations/{tile}": {
        "get": {
            "tags": ["live"],
            "operationId": "live_stations",
            "summary": "Stations of a part of the country, for a phone that judges by itself",
            "description": (
                "Half a degree by half a degree (about 50 km) and a little beyond, with hours as intervals of UTC "
                "epoch seconds and each union's rules. A phone asks for the tile that it is in and tells nobody where "
                "in it it is. `ETag` and `If-None-Match` save what has not changed."
            ),
            "parameters": [
                {
                    "name": "tile",
                    "in": "path",
                    "required": True,
                    "description": "South-west corner in half degrees: `227_69` begins at 113.5, 34.5.",
                    "schema": {"type": "string", "pattern": "^-?[0-9]{1,3}_-?[0-9]{1,3}$"},
                }
            ],
            "responses": {
                "200": {
                    "description": "The stations, ascending in the order that decides between two at one distance.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StationsAround"}}},
                },
                "304": {"description": "As the phone has them."},
                "404": _problem("There is no such tile."),
                "503": _NOT_NOW,
            },
        }
    },
    "/api/live/roads.geojson": {
        "get": {
            "tags": ["live"],
            "operationId": "live_roads",
            "summary": "The roads that the running simulation drives on",
            "parameters": [_TOKEN],
            "responses": {
                "200": {
                    "description": "GeoJSON, WGS-84.",
                    "content": {"application/geo+json": {"schema": {"type": "object"}}},
                },
                "401": _problem("The token is forged or too old."),
                "404": _problem("No simulation has told its roads."),
            },
        },
        "put": {
            "tags": ["live"],
            "operationId": "put_live_roads",
            "summary": "Tell the roads of a simulation; kept in memory only",
            "description": f"For simulated sources. At most {MAX_ROADS_BYTES // 2**20} MiB.",
            "security": [{"PingSourceKey": []}],
            "requestBody": {"required": True, "content": {"application/geo+json": {"schema": {"type": "object"}}}},
            "responses": {
                "204": {"description": "Taken."},
                "400": _problem("Not a GeoJSON FeatureCollection."),
                "401": _problem("No valid key."),
                "403": _problem("The source is not a simulated one."),
                "413": _problem("Too many bytes."),
                "503": _NOT_NOW,
            },
        },
    },
}

_VEHICLE = {
    "oneOf": [{"type": "string", "minLength": 1, "maxLength": MAX_NAME}, {"type": "integer"}],
    "description": "A pseudonym of your choice that stays the same for the vehicle. Not a plate, name or phone number.",
}
_TIME = {
    "oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}],
    "description": "When the position was taken: milliseconds since 1970 (UTC), or ISO 8601 with a time zone. "
    "At most 24 hours old and 5 minutes ahead.",
}
_LON = {"type": "number", "minimum": -180, "maximum": 180}
_LAT = {"type": "number", "minimum": -90, "maximum": 90}
_ACCURACY = {
    "type": ["number", "null"],
    "minimum": 0,
    "description": "Metres; a position less accurate than a place's radius is no evidence of having passed it.",
}

SCHEMAS: dict[str, Any] = {
    "PingBatch": {
        "type": "object",
        "required": ["datum", "pings"],
        "properties": {
            "datum": {"type": "string", "enum": [str(datum) for datum in Datum], "description": "Of all positions."},
            "pings": {
                "type": "array",
                "maxItems": MAX_ROWS,
                "items": {
                    "oneOf": [
                        {
                            "type": "array",
                            "prefixItems": [_VEHICLE, _TIME, _LON, _LAT, _ACCURACY],
                            "minItems": 4,
                            "maxItems": 5,
                        },
                        {
                            "type": "object",
                            "required": ["vehicle", "time", "lon", "lat"],
                            "properties": {
                                "vehicle": _VEHICLE,
                                "time": _TIME,
                                "lon": _LON,
                                "lat": _LAT,
                                "accuracy_m": _ACCURACY,
                            },
                        },
                    ]
                },
            },
        },
    },
    "PingAnswer": {
        "type": "object",
        "required": ["accepted", "rejected_count", "rejected", "reminders"],
        "properties": {
            "accepted": {"type": "integer"},
            "rejected_count": {"type": "integer"},
            "rejected": {
                "type": "array",
                "maxItems": MOST_LISTED,
                "items": {
                    "type": "object",
                    "required": ["index", "code", "reason"],
                    "properties": {
                        "index": {"type": "integer", "description": "Place of the row in the batch, from 0."},
                        "code": {"type": "string", "enum": list(REASONS)},
                        "reason": {"type": "string"},
                    },
                },
            },
            "reminders": {"type": "array", "items": {"$ref": "#/components/schemas/PingReminder"}},
        },
    },
    "PingReminder": {
        "type": "object",
        "required": ["id", "vehicle", "place", "name", "url", "distance_m", "passed_at", "open_until"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "By which a receiver drops repeats."},
            "vehicle": {"type": "string", "description": "As you call it."},
            "place": {"type": "string", "format": "uuid"},
            "name": {"type": "string"},
            "url": {"type": "string", "description": "Path of the place's page."},
            "distance_m": {"type": "integer", "description": "Metres at the closest approach."},
            "passed_at": {"type": "string", "format": "date-time", "description": "Moment of the closest approach."},
            "open_until": {"type": ["string", "null"], "format": "date-time", "description": "Null: it never closes."},
        },
    },
    "StationsAround": {
        "type": "object",
        "required": ["version", "datum", "valid_until", "services", "rules", "hours", "stations"],
        "properties": {
            "version": {"type": "integer", "const": 1},
            "datum": {"type": "string", "const": "WGS-84"},
            "valid_until": {"type": ["integer", "null"], "description": "Until when hours are known, epoch seconds."},
            "services": {"type": "array", "items": {"type": "string"}},
            "rules": {
                "type": "array",
                "description": "Of unions; times in milliseconds, speeds in metres a second.",
                "items": {
                    "type": "object",
                    "required": [
                        "cool_down_ms",
                        "gap_ms",
                        "max_segment_gap_ms",
                        "max_speed_mps",
                        "still_open_s",
                        "silent_above_mps",
                        "quiet_from_ms",
                        "quiet_until_ms",
                    ],
                    "additionalProperties": {"type": ["number", "null"]},
                },
            },
            "hours": {
                "type": "array",
                "description": "Each list of open intervals that occurs, [start, end) in UTC epoch seconds.",
                "items": {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                },
            },
            "stations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": [
                        "id",
                        "name",
                        "lon",
                        "lat",
                        "cosine",
                        "sine",
                        "radius_m",
                        "rule",
                        "hours",
                        "offers",
                    ],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "name": {"type": "string"},
                        "lon": _LON,
                        "lat": _LAT,
                        "cosine": {"type": "number", "description": "Of the latitude, as the server's kernel has it."},
                        "sine": {"type": "number"},
                        "radius_m": {"type": "number"},
                        "rule": {"type": "integer", "description": "Row of `rules`."},
                        "hours": {"type": "integer", "description": "Row of `hours`."},
                        "offers": {"type": "array", "items": {"type": "integer"}, "description": "Rows of `services`."},
                    },
                },
            },
        },
    },
    "PassageProblem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "instance"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for machines."},
            "instance": {"type": "string"},
        },
    },
}

SECURITY_SCHEMES: dict[str, Any] = {
    "PingSourceKey": {"type": "http", "scheme": "bearer", "description": "The key of a source of pings."}
}
