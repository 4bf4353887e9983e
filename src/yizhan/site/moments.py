"""How moments are told to the database: in UTC, whatever offset somebody wrote."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import psycopg
from psycopg.types.datetime import DatetimeDumper


class UtcDumper(DatetimeDumper):
    """Writes an aware datetime in UTC.

    ISO 8601 allows offsets up to 23:59 hours and Python keeps them; PostgreSQL refuses those beyond 15:59, and what
    was a fair question would become an error of the server.
    """

    def dump(self, obj: datetime) -> bytes:
        with suppress(OverflowError):  # within a day of year 1 or 9999: the database says what it thinks of it
            obj = obj.astimezone(UTC)
        return str(obj).encode()


def tell_moments_in_utc() -> None:
    """Have all connections that are opened from now on write moments in UTC."""
    psycopg.adapters.register_dumper(datetime, UtcDumper)
