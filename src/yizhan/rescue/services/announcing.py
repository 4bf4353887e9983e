"""Say that something changed to whoever listens, when the transaction is committed; what changed they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection

from yizhan.rescue.models import RescueCall, Rescuer

CHANGED: Final = "rescue_changed"  # the channel on which the live streams listen


def announce(*changed: RescueCall | Rescuer) -> None:
    """A call, or someone's turn of duty, is not as it was."""
    names = [f"{'call' if isinstance(each, RescueCall) else 'rescuer'} {each.pk}" for each in changed]
    _notify(names)


def announce_calls(rows: Iterable[int]) -> None:
    """Many calls at once, by their row numbers."""
    _notify([f"call {row}" for row in rows])


def _notify(names: list[str]) -> None:
    if names:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, name) FROM unnest(%s::text[]) AS name", [CHANGED, names])
