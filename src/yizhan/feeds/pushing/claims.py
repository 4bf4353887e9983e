"""One worker at a time for each partner, however many run: claimed by advisory locks of the worker's own connection.

A worker that is killed loses its connection and with it the claim, at once and whatever any clock says.
"""

from __future__ import annotations

from django.db import connection

_CLASS = 0x59_5A_50_55  # "YZPU"


def claim(partner: int) -> bool:
    """Take a partner if nobody has it. The same connection may take it twice, so ask only once in a worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_CLASS, partner])
        return bool(cursor.fetchone()[0])


def release(partner: int) -> None:
    """Let it go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_CLASS, partner])
