"""Which key belongs to which source, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from yizhan.passage.models import PingSource
from yizhan.passage.services.sources import digest


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends."""

    number: int
    public_id: UUID
    union_path: str
    is_simulated: bool
    pings_per_second: int
    has_webhook: bool
    counts_kept: bool = False


class KeyRing:
    """All keys that are taken now. Replaced as a whole when a source changes."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._by_name = {str(source.public_id): source for source in sources.values()}

    @classmethod
    def load(cls) -> KeyRing:
        """Read it: sources of active unions that are not revoked."""
        rows = PingSource.every.filter(revoked_at=None, union__is_active=True).values_list(
            "key_digest",
            "pk",
            "public_id",
            "union__path",
            "is_simulated",
            "pings_per_second",
            "webhook_url",
            "counts_kept",
        )
        return cls(
            {
                kept: Source(number, public_id, path, simulated, rate, bool(url), counts)
                for kept, number, public_id, path, simulated, rate, url, counts in rows
            }
        )

    def __len__(self) -> int:
        return len(self._sources)

    def source(self, authorization: str | None) -> Source | None:
        """Whose key an `Authorization: Bearer …` header holds."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.casefold() != "bearer" or not key:
            return None
        return self._sources.get(digest(key.strip()))

    def called(self, public_id: str) -> Source | None:
        """The source of this number, for those whose name somebody else has checked."""
        return self._by_name.get(public_id)
