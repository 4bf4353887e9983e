"""The secret of a call's live page: made from the caller's request, stored nowhere, found again by its digest."""

from __future__ import annotations

import base64
import hashlib
from uuid import UUID

from django.utils.crypto import salted_hmac


def token_for(request_id: UUID) -> str:
    """22 letters that only this installation can make for this request: a repeated request leads to the same page."""
    mac = salted_hmac("rescue.token", str(request_id), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def digest(token: str) -> str:
    """By which a secret is found again."""
    return hashlib.sha256(token.encode()).hexdigest()
