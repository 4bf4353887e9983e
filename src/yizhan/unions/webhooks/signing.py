"""Standard Webhooks signatures: HMAC-SHA256 with a shared secret, or Ed25519, of which the receiver has the public key.

Keys are kept and shown as the specification writes them: `whsec_…` (shared), `whsk_…` (private), `whpk_…` (public).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

PRIVATE, PUBLIC = "whsk_", "whpk_"


def new_secret() -> str:
    """A fresh shared secret of 256 bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_key_pair() -> tuple[str, str]:
    """A fresh private key, and the public one that goes to the receiver."""
    private = PRIVATE + base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    return private, public_key(private)


def public_key(private: str) -> str:
    """The public key that belongs to a private one."""
    raw = _private(private).public_key().public_bytes_raw()
    return PUBLIC + base64.b64encode(raw).decode()


def sign(key: str, message_id: str, at: datetime, body: bytes) -> str:
    """One signature: `v1,…` with a shared secret, `v1a,…` with a private key."""
    if key.startswith(PRIVATE):
        signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
        return "v1a," + base64.b64encode(_private(key).sign(signed)).decode()
    signature: str = Webhook(key).sign(message_id, at, body.decode())
    return signature


def headers(message_id: str, at: datetime, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """Id, moment and signatures of a message: one with each key, so that a receiver can change keys in peace."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(key, message_id, at, body) for key in keys),
    }


def _private(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.removeprefix(PRIVATE)))
