"""How many pings a source may send: a token bucket each, in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 10  # what a source did not send in the last seconds, it may send at once


class TooFast(Exception):
    """The source has sent more than it may; `.retry_after_s` says when it may again."""

    def __init__(self, rate: int, retry_after_s: int) -> None:
        super().__init__(f"this key may send {rate} pings a second on average: repeat the batch in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """All buckets, by the number of the source. A bucket may fall into debt by one batch: it is paid for afterwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, _Bucket] = {}

    def admit(self, source: int, rate: int) -> None:
        """Let a batch in, if the source owes nothing.

        Args:
            rate: pings a second on average.

        Raises:
            TooFast: it does; nothing of the batch was looked at.
        """
        bucket = self._filled(source, rate)
        if bucket.tokens <= 0:
            raise TooFast(rate, max(1, math.ceil((1 - bucket.tokens) / rate)))

    def charge(self, source: int, rate: int, pings: int) -> None:
        """Count what a batch held, right or wrong."""
        self._filled(source, rate).tokens -= pings

    def _filled(self, source: int, rate: int) -> _Bucket:
        now, most = self._clock(), float(rate * BURST_S)
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = _Bucket(most, now)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        return bucket
