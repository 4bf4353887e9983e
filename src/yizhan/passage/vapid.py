"""The key by which push services know this installation (VAPID, RFC 8292)."""

from __future__ import annotations

import time
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

TOKEN_HOLDS_S = 12 * 3600
_ORDER = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)  # of the curve P-256


@lru_cache(maxsize=1)
def _vapid(secret: str) -> Vapid02:
    # Made from the installation's secret, so that there is no further key to keep; a new secret makes phones subscribe
    # anew, as it ends sessions.
    seed = blake2b(secret.encode(), digest_size=48, person=b"passage vapid").digest()
    return Vapid02(ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1()))


def public_key() -> str:
    """What a browser needs to subscribe: 65 bytes in base64url."""
    point = _vapid(settings.SECRET_KEY).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))


def authorization(endpoint: str, *, now: float | None = None) -> str:
    """The header by which we show a push service who we are; holds for half a day at this service only."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now if now is not None else time.time()) + TOKEN_HOLDS_S),
        "sub": settings.BASE_URL if settings.BASE_URL.startswith("https:") else "mailto:webmaster@localhost.invalid",
    }
    return str(_vapid(settings.SECRET_KEY).sign(claims)["Authorization"])
