"""What someone brings before a union, as every way in hands it to the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yizhan.places.models import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The content of a case.

    Attributes:
        kind: Code of the kind.
        title: One line; made from the text when empty.
        text: What is the matter.
        fields: Values of the kind's fields by name.
        place: The station it is about.
        address: Where, in words.
        lon: Where, WGS-84 degrees.
        lat: Where, WGS-84 degrees.
        contact_name: Of someone without an account.
        contact_phone: Of someone without an account, in any form.
        hotline_number: Under which number 12351 handed it on; empty when it came another way.
    """

    kind: str
    title: str = ""
    text: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    contact_name: str = ""
    contact_phone: str = ""
    hotline_number: str = ""


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file as it came: its name and its bytes. Nothing about it is believed before it is looked at."""

    name: str
    content: bytes
