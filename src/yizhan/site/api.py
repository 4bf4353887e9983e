"""The HTTP API: the rooms' routers under one roof, and one form for all errors (RFC 9457 problem details)."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from yizhan import __version__
from yizhan.unions.errors import RuleBroken

from .problems import PROBLEM_CONTENT_TYPE, PROBLEM_SCHEMA, problem


class Api(NinjaAPI):
    """As `NinjaAPI`; its document also describes what the hot application answers."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schema["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        refused = {
            "description": "The request is refused: RFC 9457 problem details",
            "content": {PROBLEM_CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].setdefault("4XX", refused)
        for part in rooms_having("openapi"):
            schema["paths"].update(part.PATHS)
            schema["components"].setdefault("schemas", {}).update(getattr(part, "SCHEMAS", {}))
            schema["components"].setdefault("securitySchemes", {}).update(getattr(part, "SECURITY_SCHEMES", {}))
        return schema


def rooms_having(module: str) -> list[Any]:
    """The module of that name of each room that has one, in the order of the floors; the site itself is no room."""
    rooms = [config.name for config in apps.get_app_configs() if config.name.startswith("yizhan.")]
    names = [name for name in rooms if name != "yizhan.site"]
    return [import_module(f"{name}.{module}") for name in reversed(names) if find_spec(f"{name}.{module}")]


api = Api(title="Yizhan 驿站", version=__version__, docs_url="/docs", openapi_url="/openapi.json")


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Input that the route's schema refuses: 422 with every field."""
    return problem(
        request,
        422,
        _("Something in the request breaks a rule"),
        errors=[
            {
                "field": ".".join(str(part) for part in item["loc"]),
                "rule": item["msg"],
                "value": _shown(item.get("input")),
            }
            for item in error.errors
        ],
    )


@api.exception_handler(RuleBroken)
def on_rule_broken(request: HttpRequest, error: RuleBroken) -> HttpResponse:
    """Input that a service refuses: 422 with every broken rule."""
    return problem(
        request,
        422,
        _("Something in the request breaks a rule"),
        errors=[
            {"field": item.field, "rule": str(item.message), "value": _shown(item.value)} for item in error.problems
        ],
    )


@api.exception_handler(PermissionDenied)
def on_denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """A right is lacking: 403."""
    return problem(request, 403, _("You may not do this"), detail=str(error))


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """Nothing there, or nothing that the asker may see: 404."""
    return problem(request, 404, _("There is nothing here"))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What a route raised as an HTTP error of its own, with the headers that it brings (`headers`)."""
    answer = problem(request, error.status_code, str(error))
    for name, value in getattr(error, "headers", {}).items():
        answer[name] = value
    return answer


def _shown(value: object) -> str | int | float | bool | None:
    """The value as an error may repeat it: short, and never a whole upload."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "…"


for room in rooms_having("api"):
    api.add_router("", room.router)
