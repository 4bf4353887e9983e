"""The number of a case: what people read out on the telephone. The day, then six digits that tell nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.crypto import salted_hmac


def new_number(at: datetime) -> str:
    """Such as 20261124-604913; the caller tries again when it is taken."""
    return f"{timezone.localtime(at):%Y%m%d}-{secrets.randbelow(1_000_000):06d}"


def token_for(request_id: UUID) -> str:
    """The secret of a link for someone without an account: 22 letters that only this installation can make for this
    request, so that a repeated request leads to the same link."""
    mac = salted_hmac("cases.token", str(request_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def digest(token: str) -> str:
    """By which a secret is found again: the secret itself is stored nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()
