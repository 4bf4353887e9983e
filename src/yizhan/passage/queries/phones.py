"""Which vehicles have phones that want to be told."""

from __future__ import annotations

from yizhan.passage.models import Phone


def vehicles_with_phones() -> frozenset[int]:
    """Pseudonyms of all vehicles that a phone is paired with."""
    paired = Phone.every.filter(source__isnull=False, source__revoked_at=None)
    return frozenset(paired.values_list("vehicle", flat=True))
