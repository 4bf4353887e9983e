"""The data dictionary, made from the same structures that the feeds are written with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.translation import get_language

from .facts import ClosureFacts, EquipmentFacts, PlaceFacts

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "array": "list", "boolean": "yes or no"}
_STRUCTURES = (PlaceFacts, EquipmentFacts, ClosureFacts)


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a JSON object, or column of the CSV file."""

    name: str
    type: str
    is_optional: bool
    words: str


def schemas(ref: str = "#/components/schemas/{name}") -> dict[str, Any]:
    """The structures as JSON Schemas by name, with English descriptions."""
    _roots, components = msgspec.json.schema_components(_STRUCTURES, ref_template=ref)
    for schema in components.values():
        for member in schema["properties"].values():
            if "description" in member:
                member["description"] = member["description"].partition("|")[0]
    return components


def sections() -> Iterator[tuple[str, list[Field]]]:
    """Each structure's name with its fields, in the reader's language."""
    _roots, components = msgspec.json.schema_components(_STRUCTURES)
    chinese = not (get_language() or "").startswith("en")
    for structure in _STRUCTURES:
        schema = components[structure.__name__]
        yield (
            structure.__name__.removesuffix("Facts").lower(),
            [_field(*each, chinese) for each in schema["properties"].items()],
        )


def _field(name: str, schema: dict[str, Any], chinese: bool) -> Field:
    english, _bar, written = schema.get("description", "").partition("|")
    kinds = [choice.get("type", "") for choice in schema.get("anyOf", [schema])]
    told = next((kind for kind in kinds if kind != "null"), "")
    return Field(name, _TYPES.get(told, told), "null" in kinds, written if chinese and written else english)
