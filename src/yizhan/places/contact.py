"""How a place's contact is shown to everyone: a private mobile number is masked."""

from __future__ import annotations

import re

from yizhan.unions.personal_data import mask_middle

from .models import Place

# A mainland mobile number, also as people write it: with a country code, blanks or strokes between its parts.
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[-\s]?)?(1[3-9]\d)[-\s]?(\d{4})[-\s]?(\d{4})(?!\d)")


def public_contact(place: Place) -> str:
    """What everyone may see of the contact: mobile numbers masked, unless they are said to be a service's."""
    return place.contact if place.contact_is_service else masked(place.contact)


def masked(text: str) -> str:
    """The text with every mobile number as 138****5678."""
    return _MOBILE.sub(lambda found: mask_middle("".join(found.groups())), text)


def has_mobile(text: str) -> bool:
    """Whether the text holds a mobile number."""
    return _MOBILE.search(text) is not None
