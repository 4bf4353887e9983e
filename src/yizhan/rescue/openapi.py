"""What the hot application answers for this room, in the words of OpenAPI 3.1; merged into the API's document."""

from __future__ import annotations

from typing import Any


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/PassageProblem"}}},
    }


_POSITION = {
    "type": "object",
    "required": ["lon", "lat"],
    "properties": {"lon": {"type": "number"}, "lat": {"type": "number"}},
}

PATHS: dict[str, Any] = {
    "/api/live/rescue/events": {
        "get": {
            "tags": ["rescue"],
            "operationId": "rescue_events",
            "summary": "Server-sent events for the page of a call, of a rescuer, or of a duty desk",
            "description": (
                "Events `hello`, `call`, `position`, `changed` and `keep`. At the beginning a stream says how things "
                "stand, so that nothing is missed in a break. A stream lasts an hour at most."
            ),
            "parameters": [
                {
                    "name": "token",
                    "in": "query",
                    "required": True,
                    "description": "Signed permission, as the page carries it; it holds for an hour.",
                    "schema": {"type": "string"},
                }
            ],
            "responses": {
                "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "401": _problem("The token is forged or too old."),
                "503": _problem("Not now: repeat after `Retry-After` seconds."),
            },
        }
    },
    "/api/live/rescue/position": {
        "post": {
            "tags": ["rescue"],
            "operationId": "rescue_live_position",
            "summary": "Tell where a rescuer's phone is, as often as every second",
            "description": "WGS-84 degrees. Written within a second; nothing is kept off duty.",
            "security": [{"RescuerPage": []}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _POSITION}}},
            "responses": {
                "200": {
                    "description": "Whether the last position was kept.",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["on_duty"],
                                "properties": {"on_duty": {"type": "boolean"}},
                            }
                        }
                    },
                },
                "400": _problem("The body is no position."),
                "401": _problem("The token is forged, too old, or none of a rescuer's page."),
                "422": _problem("There is no such position here."),
            },
        }
    },
}

SCHEMAS: dict[str, Any] = {}

SECURITY_SCHEMES: dict[str, Any] = {
    "RescuerPage": {"type": "http", "scheme": "bearer", "description": "The token in a rescuer's duty page."}
}
