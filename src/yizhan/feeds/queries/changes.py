"""What has changed since a number."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max, QuerySet

from yizhan.feeds.models import PlaceChange


def last_sequence() -> int:
    """The largest number given so far to a place that is still there; 0: none."""
    last: int | None = PlaceChange.objects.aggregate(last=Max("sequence"))["last"]
    return last or 0


def changes_after(sequence: int, *, limit: int) -> QuerySet[PlaceChange]:
    """The next `limit` changes after a number, by number, with their places and unions as they stand now.

    A place occurs once, with its last change. `place.status` says what became of it: published, or gone (`is_gone`).
    Ask again with the last number that was returned. Whoever asks with a number always gets what was committed and
    sequenced (`services.sequence.sequence_changes`) after it.
    """
    return (
        PlaceChange.objects.filter(sequence__gt=sequence)
        .select_related("place", "place__union")
        .order_by("sequence")[:limit]
    )


def sequences_of(places: Sequence[int]) -> dict[int, int]:
    """The number of the last change by row number of the place."""
    return dict(PlaceChange.objects.filter(place__in=places).values_list("place_id", "sequence"))
