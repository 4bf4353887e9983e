"""Sessions in the database, encrypted: while someone signs in, the session holds their phone number."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session

from .encryption import Undecipherable, decrypt, encrypt


class SessionStore(DatabaseSessionStore):
    """As Django's, but the stored data is a Fernet token; a session that no key opens is empty."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table is Django's own."""
        return Session

    def encode(self, session_dict: dict[str, Any]) -> str:
        """The session's data as a token."""
        return encrypt(super().encode(session_dict))

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """The data of a token."""
        try:
            return super().decode(decrypt(session_data if isinstance(session_data, str) else session_data.decode()))
        except Undecipherable:
            return {}
