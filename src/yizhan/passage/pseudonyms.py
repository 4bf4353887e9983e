"""Vehicles are pseudonyms: what the partner calls them never leaves the stream's memory."""

from __future__ import annotations

from base64 import b32encode
from hashlib import blake2b

from django.conf import settings

_WORD = 2**64


def pseudonym_key() -> bytes:
    """The key of this installation's pseudonyms: whoever lacks it cannot tell a vehicle by trying names."""
    return blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"passage vehicle").digest()


def vehicle_number(key: bytes, source: int, name: str) -> int:
    """A signed 64-bit number for the vehicle that a source calls `name`.

    Keyed, so that nobody who reads the database can find out by trying which name it was; and of the source, so that
    two partners' vehicles never meet. Never 0.
    """
    digest = blake2b(name.encode(), digest_size=8, key=key, salt=source.to_bytes(8, "big", signed=True)).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def short_name(vehicle: int) -> str:
    """Eight letters and digits by which people can tell vehicles apart."""
    return b32encode((vehicle % _WORD).to_bytes(8, "big"))[:8].decode().lower()
