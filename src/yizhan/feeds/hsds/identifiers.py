"""Identifiers of what HSDS names and we do not: made of ours, and turned back into ours.

A service is known by its union and the code of the offer, so its identifier is the union's, changed by a mask that
belongs to the code. The same mask takes it back; of a few dozen codes each is tried.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

# Version and variant of a UUID stay as they are.
_KEPT = (0xF << 76) | (0x3 << 62)


def derived(identifier: UUID, *parts: str) -> UUID:
    """The identifier of something that belongs to what `identifier` names; applied twice, it gives that back."""
    mask = int.from_bytes(sha256("\0".join(parts).encode()).digest()[:16], "big") & ~_KEPT
    return UUID(int=identifier.int ^ mask)


def service_id(union: UUID, code: str) -> UUID:
    """Of what a union offers; also the way back."""
    return derived(union, "service", code)


def service_at_location_id(place: UUID, code: str) -> UUID:
    """Of an offer at a place; also the way back."""
    return derived(place, "service_at_location", code)


def schedule_id(place: UUID, number: int) -> UUID:
    """Of one of a place's schedules, counted from 0; also the way back."""
    return derived(place, "schedule", str(number))


def taxonomy_term_id(taxonomy: UUID, code: str) -> UUID:
    """Of a word of the vocabulary."""
    return derived(taxonomy, "term", code)


OFFERS_TAXONOMY = UUID("0193593e-6d00-7a11-8f30-59495a48414e")
