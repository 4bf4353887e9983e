"""The number of a case: what people read out on the telephone. The day, then six digits that tell nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime

from django.utils import timezone


def new_number(at: datetime) -> str:
    """Such as 20261124-604913; the caller tries again when it is taken."""
    return f"{timezone.localtime(at):%Y%m%d}-{secrets.randbelow(1_000_000):06d}"


def new_token() -> str:
    """The secret of a link for someone without an account: 22 letters."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def digest(token: str) -> str:
    """By which a secret is found again: the secret itself is stored nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()
