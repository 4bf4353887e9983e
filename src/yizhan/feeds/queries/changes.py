"""What has changed since a number."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from yizhan.feeds.models import Gone, PlaceChange


def last_sequence() -> int:
    """The largest number given so far to a place that is still there; 0: none."""
    return last_change()[0]


def last_change() -> tuple[int, datetime | None]:
    """The largest number given so far, and when; (0, None): none."""
    last: tuple[int, datetime] | None = PlaceChange.objects.order_by("-sequence").values_list("sequence", "at").first()
    return last or (0, None)


def changes_after(sequence: int, *, limit: int) -> QuerySet[PlaceChange]:
    """The next `limit` changes after a number, by number.

    A place occurs once, with its last change: what everyone may know of it, or that it is gone. Ask again with the last
    number that was returned. Whoever asks with a number always gets what was committed and numbered
    (`services.sequence.sequence_changes`) after it.
    """
    return PlaceChange.objects.filter(sequence__gt=sequence).order_by("sequence")[:limit]


def public_places() -> QuerySet[PlaceChange]:
    """What everyone may know of every published place."""
    return PlaceChange.objects.filter(gone=Gone.NOT)
