"""Telling the readers of the directory that it changed."""

from __future__ import annotations

from django.db import connection

from yizhan.places.snapshot import CHANNEL


def announce() -> None:
    """Wake whoever holds a snapshot of published places. PostgreSQL delivers it on commit, once a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
