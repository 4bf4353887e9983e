"""Short-lived permission to follow something live, which the hot application can check without a database."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner

LIFETIME_S: Final = 3600
Kind = Literal["call", "rescuer", "board"]
_signer = TimestampSigner(salt="yizhan.rescue.live")


class TokenRefused(Exception):
    """The token was not made by us, or is too old; `.code` says which."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Watch(NamedTuple):
    """Who follows what: a call's rider (`what` is its row), a rescuer (theirs), or a desk (the path of its union)."""

    kind: Kind
    what: str


def make_token(kind: Kind, what: object) -> str:
    """A token that holds for `LIFETIME_S` seconds."""
    return _signer.sign(f"{kind}.{what}")


def events_address(kind: Kind, what: object) -> str:
    """Where a page hears what changes."""
    return f"/api/live/rescue/events?token={make_token(kind, what)}"


def read_token(token: str, *, kind: Kind | None = None) -> Watch:
    """What may be followed with this token.

    Args:
        kind: The only kind that will do.

    Raises:
        TokenRefused: it is forged, broken, too old, or of another kind.
    """
    try:
        told, _, what = _signer.unsign(token, max_age=LIFETIME_S).partition(".")
    except SignatureExpired:
        raise TokenRefused("token_expired", "the token is too old: load the page again") from None
    except BadSignature:
        raise TokenRefused("token_invalid", "the token was not made by this site") from None
    for known in get_args(Kind):
        if told == known and kind in {None, known}:
            return Watch(known, what)
    raise TokenRefused("token_invalid", "the token was not made by this site")
