"""Telling the readers of the directory that it changed."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from yizhan.places.models import Place
from yizhan.places.snapshot import CHANNEL


def announce() -> None:
    """Wake whoever holds a snapshot of published places. PostgreSQL delivers it on commit, once a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def touch(place: Place) -> None:
    """Something that hangs at a place changed: the place counts as changed, and its readers are told.

    Its revision stays: whoever edits its own facts at the same time is not in the way.
    """
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(changed_at=timezone.now())
    if place.is_published:
        announce()
