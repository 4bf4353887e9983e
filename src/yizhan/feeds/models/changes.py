"""The change sequence: what everyone who keeps a copy of the directory follows.

Triggers (`feeds/migrations/0001`) write a `PlaceTouch` in the transaction that changes a place, so no change of what
everyone may see can escape it, whichever service made it. `services.sequence` turns touches that are committed into
`PlaceChange`s: one row a place, with a number larger than all given before. So numbers appear in the order of commits,
and a reader who has seen number N has seen all that will ever bear N or less.
"""

from __future__ import annotations

from django.db import models

from yizhan.places.models import Place


class PlaceTouch(models.Model):
    """A place was changed by a transaction that has not been given its number yet."""

    # A number without a foreign key: whoever holds the place's row must not keep the sequence waiting.
    place_id = models.BigIntegerField()

    class Meta:
        verbose_name = "touch of a place"
        verbose_name_plural = "touches of places"

    def __str__(self) -> str:
        return str(self.place_id)


class PlaceChange(models.Model):
    """The last change of a place that is public, or was: its number, and when that was given.

    `sequence` grows from change to change and is never given twice; numbers may be left out. A place has one row, which
    moves to the end with each change.
    """

    sequence = models.BigAutoField(primary_key=True)
    place = models.OneToOneField(Place, on_delete=models.CASCADE, db_constraint=False, related_name="change")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "change of a place"
        verbose_name_plural = "changes of places"

    def __str__(self) -> str:
        return str(self.sequence)
