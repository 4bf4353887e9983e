"""Personal data at rest: encrypted with rotating keys, found again through a blind index.

Encryption is Fernet (AES-128-CBC with HMAC-SHA256) by `cryptography`; `settings.PERSONAL_DATA_KEYS` lists the keys,
newest first: the first encrypts, all decrypt. The blind index is HMAC-SHA256 with a key of its own, so that whoever
reads the database alone can neither read a number nor try all numbers against the index.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import IsNull


class Undecipherable(Exception):
    """A stored value fits none of the configured keys: a key was removed too early, or the value was altered."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """`text` as a Fernet token under the newest key."""
    return _fernet(tuple(settings.PERSONAL_DATA_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text of a token.

    Raises:
        Undecipherable: no configured key opens it.
    """
    try:
        return _fernet(tuple(settings.PERSONAL_DATA_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        msg = "a stored personal value fits none of the configured keys"
        raise Undecipherable(msg) from None


def rotate(token: str) -> str:
    """The same text under the newest key; unchanged when it is already.

    Raises:
        Undecipherable: no configured key opens it.
    """
    newest = Fernet(settings.PERSONAL_DATA_KEYS[0])
    try:
        newest.decrypt(token.encode())
    except InvalidToken:
        return encrypt(decrypt(token))
    return token


def blind_index(kind: str, value: str) -> str:
    """64 hexadecimal digits by which `value` (already in normal form) is found; `kind` keeps kinds apart."""
    return hmac.new(settings.PERSONAL_DATA_INDEX_KEY.encode(), f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is readable in Python and a Fernet token in the database. It can be asked only whether it is null."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return None if value is None else decrypt(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        return super().get_db_prep_save(encrypt(str(value)), connection)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            msg = f"{self.name} is encrypted and cannot be compared: ask its blind index instead"
            raise FieldError(msg)
        return IsNull


class BlindIndexField(models.CharField):  # type: ignore[type-arg]
    """Holds the blind index of another field of the row and follows it on every save."""

    def __init__(self, *, of: str, **options: Any) -> None:
        self.of = of
        options.update(max_length=64, null=True, editable=False)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        for implied in ("max_length", "null", "editable"):
            options.pop(implied, None)
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        value = getattr(model_instance, self.of)
        index = None if value is None else blind_index(self.of, value)
        setattr(model_instance, self.attname, index)
        return index
