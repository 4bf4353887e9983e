"""Short-lived permission to watch a union's live events, which the stream can check without a database."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner

LIFETIME_S = 3600
_signer = TimestampSigner(salt="yizhan.passage.live")


class TokenRefused(Exception):
    """The token was not made by us, or is too old; `.code` says which."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Watcher:
    """Whoever watches: the union whose events, and those of all below it, they may see."""

    union_path: str


def make_token(watcher: Watcher) -> str:
    """A token that holds for `LIFETIME_S` seconds; within this time a stream must be opened."""
    return _signer.sign(f"{watcher.union_path}@{time.time():.3f}")


def read_token(token: str, *, made_after: float = 0.0) -> Watcher:
    """Who watches with this token.

    Args:
        made_after: seconds since 1970; older tokens are too old, for the union may stand elsewhere in the tree by now.

    Raises:
        TokenRefused: it is forged, broken or too old.
    """
    too_old = TokenRefused("token_expired", "the token is too old: load the page again")
    try:
        union_path, _, made_at = _signer.unsign(token, max_age=LIFETIME_S).partition("@")
    except SignatureExpired:
        raise too_old from None
    except BadSignature:
        raise TokenRefused("token_invalid", "the token was not made by this site") from None
    if float(made_at) <= made_after:
        raise too_old
    return Watcher(union_path)
