"""The data dictionary, made from the same structures that the feeds are written with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .facts import ClosureFacts, EquipmentFacts, PlaceFacts

_TYPES = {
    "string": pgettext_lazy("data type", "text"),
    "integer": _("whole number"),
    "number": pgettext_lazy("data type", "number"),
    "array": pgettext_lazy("data type", "list"),
}
_STRUCTURES = {
    PlaceFacts: _("A place: a feature's “properties”, a line of the table"),
    EquipmentFacts: _("One of its “equipment”"),
    ClosureFacts: _("One of its “closures”"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a JSON object, or column of the CSV file."""

    name: str
    type: str
    is_optional: bool
    words: str


def schemas(ref: str = "#/components/schemas/{name}") -> dict[str, Any]:
    """The structures as JSON Schemas by name, with English descriptions."""
    _roots, components = msgspec.json.schema_components(tuple(_STRUCTURES), ref_template=ref)
    for schema in components.values():
        for member in schema["properties"].values():
            if "description" in member:
                member["description"] = member["description"].partition("|")[0]
    return components


def sections() -> Iterator[tuple[str, list[Field]]]:
    """What each structure is, with its fields, in the reader's language."""
    _roots, components = msgspec.json.schema_components(tuple(_STRUCTURES))
    chinese = not (get_language() or "").startswith("en")
    for structure, title in _STRUCTURES.items():
        schema = components[structure.__name__]
        yield str(title), [_field(name, member, chinese) for name, member in schema["properties"].items()]


def _field(name: str, schema: dict[str, Any], chinese: bool) -> Field:
    english, _bar, written = schema.get("description", "").partition("|")
    kinds = [choice.get("type", "") for choice in schema.get("anyOf", [schema])]
    told = next((kind for kind in kinds if kind != "null"), "")
    return Field(name, str(_TYPES.get(told, _("object"))), "null" in kinds, written if chinese and written else english)
