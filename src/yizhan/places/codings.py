"""In which coding an answer goes out: what the asker accepts and prefers (RFC 9110, 12.5.3)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence

import brotli

IDENTITY, BROTLI, GZIP, ZSTANDARD = "identity", "br", "gzip", "zstd"
WORTH_CODING_BYTES = 512  # as at the front door
# Of lists of places: a fifth smaller than gzip for twice its time; in streams as small as gzip for less than its time.
QUALITY, STREAM_QUALITY = 5, 3
_GZIP_LEVEL = 5


def preferred(accepted: str, offered: Sequence[str]) -> str:
    """The coding of `offered` that the header Accept-Encoding likes best; `identity` when it wants none of them.

    Of those it likes alike, the first offered. What it does not name it does not want, unless it names `*`.
    """
    liked = dict(_weights(accepted))
    other = liked.get("*", 0.0)
    best, weight = IDENTITY, 0.0
    for coding in offered:
        if (likes := liked.get(coding, other)) > weight:
            best, weight = coding, likes
    return best if weight >= liked.get(IDENTITY, 0.0) else IDENTITY


def likes_brotli_best(accepted: str) -> bool:
    """Whether brotli is what that header likes best of all that we and the front door can make.

    Zstandard and gzip are the front door's to make, from the plain.
    """
    return preferred(accepted, (ZSTANDARD, BROTLI, GZIP)) == BROTLI


def _weights(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, text = parameter.partition("=")
        try:
            weight = float(text) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0  # what cannot be read is not wanted
        if coding.strip():
            yield coding.strip(), weight


def coded(body: bytes, coding: str) -> bytes:
    """The whole body in that coding."""
    if coding == BROTLI:
        return bytes(brotli.compress(body, mode=brotli.MODE_TEXT, quality=QUALITY))
    return gzip.compress(body, _GZIP_LEVEL) if coding == GZIP else body


class BrotliStream:
    """Compresses a body that comes in parts; memory stays flat. Each part goes out at once, for the reader to begin."""

    def __init__(self) -> None:
        self._compressor = brotli.Compressor(mode=brotli.MODE_TEXT, quality=STREAM_QUALITY)

    def part(self, body: bytes) -> bytes:
        """What can be sent of it and all before."""
        return bytes(self._compressor.process(body)) + bytes(self._compressor.flush())

    def last(self, body: bytes) -> bytes:
        """The rest."""
        return bytes(self._compressor.process(body)) + bytes(self._compressor.finish())
