"""The change sequence: what everyone who keeps a copy of the directory follows.

Triggers (`feeds/migrations/0001`) write a `PlaceTouch` in the transaction that changes a place, so no change of what
everyone may see can escape it, whichever service made it. `services.sequence` turns touches that are committed into
`PlaceChange`s: one row a place, with what everyone may know of it and a number larger than all given before. So numbers
appear in the order of commits, and a reader who has seen number N has seen all that will ever bear N or less.
"""

from __future__ import annotations

from django.db import models

from yizhan.places.models import Place


class Gone(models.TextChoices):
    """Why a place that was public is so no more."""

    NOT = "", "not gone"
    CLOSED = "closed", "closed for good"
    WITHDRAWN = "withdrawn", "not public for the time being"


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
    """The last change of a place that is public, or was: its number, when that was given, and what it says.

    `sequence` grows from change to change and is never given twice; numbers may be left out. A place has one row, which
    moves to the end with each change. `facts` is a JSON object of what everyone may know (`feeds.facts`); a place that
    is gone has none, and no position. `lon` and `lat` are WGS-84 degrees.
    """

    sequence = models.BigAutoField(primary_key=True)
    place = models.OneToOneField(Place, on_delete=models.CASCADE, db_constraint=False, related_name="change")
    public_id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    gone = models.CharField(max_length=10, choices=Gone, blank=True, default=Gone.NOT)
    kind = models.CharField(max_length=20)
    union_path = models.CharField(max_length=255)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    facts = models.TextField(blank=True)

    class Meta:
        verbose_name = "change of a place"
        verbose_name_plural = "changes of places"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gone=Gone.NOT, lon__isnull=False, lat__isnull=False) & ~models.Q(facts="")
                | models.Q(gone__in=[Gone.CLOSED, Gone.WITHDRAWN], lon__isnull=True, lat__isnull=True, facts=""),
                name="change_is_of_a_place_or_of_its_end",
            )
        ]
        indexes = [
            models.Index(fields=["lon", "lat"], name="change_by_position", condition=models.Q(gone="")),
            models.Index(fields=["at"], name="change_by_time"),
        ]

    def __str__(self) -> str:
        return str(self.sequence)

    @property
    def is_gone(self) -> bool:
        """Whether the place is public no more."""
        return self.gone != Gone.NOT
