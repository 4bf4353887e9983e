"""What is known of a place beyond where it is and when it opens: equipment, closures, photos, verifications."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .offers import OfferKind
from .place import Place, PlaceStatus

MOST_INSIDE = 2000


def _random_name(folder: str, ending: str = "jpg") -> str:
    """Nobody guesses it, and it says nothing of what was sent."""
    name = secrets.token_hex(16)
    return f"{folder}/{name[:2]}/{name}.{ending}"


def photo_name(instance: Any, filename: str) -> str:
    """Where a photo for everyone is kept."""
    return _random_name("places")


def evidence_name(instance: Any, filename: str) -> str:
    """Where a photo for the desk alone is kept: outside of the folder that the front door serves."""
    return _random_name("verifications")


class EquipmentState(models.TextChoices):
    """Whether something works."""

    WORKS = "works", _("works")
    BROKEN = "broken", _("broken")


class EquipmentOfPublishedPlaces(models.Manager["Equipment"]):
    """What everyone may see."""

    def get_queryset(self) -> models.QuerySet[Equipment]:
        return super().get_queryset().filter(place__status=PlaceStatus.PUBLISHED, place__union__is_active=True)


class Equipment(PubliclyIdentified, models.Model):
    """A thing at a place that can break or run out: a microwave, a medicine box, the pads of an AED, an extinguisher.

    `offer` is the kind of offer that it makes possible; without one, it serves none (an extinguisher).
    `expires_on` is the first day on which it may not be used any more. `told` remembers what staff were told of it.
    """

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="equipment")
    offer = models.ForeignKey(OfferKind, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(_("name of equipment"), max_length=60)
    state = models.CharField(_("state"), max_length=8, choices=EquipmentState, default=EquipmentState.WORKS)
    broken_since = models.DateField(_("broken since"), null=True, blank=True)
    expires_on = models.DateField(_("use by"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=120, blank=True)
    told = models.CharField(max_length=8, blank=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="place__union__path__startswith")
    published = EquipmentOfPublishedPlaces()

    class Meta:
        verbose_name = _("equipment")
        verbose_name_plural = _("equipment")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["place", "name"], name="equipment_once_per_place"),
            models.CheckConstraint(condition=~Q(name=""), name="equipment_has_a_name"),
            models.CheckConstraint(condition=Q(state__in=EquipmentState.values), name="equipment_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=EquipmentState.BROKEN, broken_since__isnull=False)
                | Q(state=EquipmentState.WORKS, broken_since__isnull=True),
                name="equipment_broken_since",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_on"], name="equipment_by_expiry", condition=Q(expires_on__isnull=False)),
            models.Index(fields=["broken_since"], name="equipment_broken", condition=Q(broken_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_broken(self) -> bool:
        """Whether it is out of order."""
        return self.state == EquipmentState.BROKEN

    @property
    def is_expired(self) -> bool:
        """Whether its date has passed today."""
        return self.expires_on is not None and self.expires_on <= timezone.localdate()

    @property
    def is_usable(self) -> bool:
        """Whether it works and is in date."""
        return not (self.is_broken or self.is_expired)

    def days_left(self, today: date) -> int | None:
        """Until its date; zero or less: it has passed."""
        return None if self.expires_on is None else (self.expires_on - today).days


class ClosureOfPublishedPlaces(models.Manager["Closure"]):
    """What everyone may see."""

    def get_queryset(self) -> models.QuerySet[Closure]:
        published = super().get_queryset().filter(place__status=PlaceStatus.PUBLISHED, place__union__is_active=True)
        return published.filter(lifted_at__isnull=True)


class Closure(PubliclyIdentified, models.Model):
    """A stretch of time in which a place is shut whatever its hours say: half-open, with a reason for everyone."""

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="closures")
    starts_at = models.DateTimeField(_("shut from"))
    ends_at = models.DateTimeField(_("open again from"))
    reason = models.CharField(_("reason"), max_length=120)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="place__union__path__startswith")
    published = ClosureOfPublishedPlaces()

    class Meta:
        verbose_name = _("temporary closure")
        verbose_name_plural = _("temporary closures")
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="closure_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(reason=""), name="closure_has_a_reason"),
        ]
        indexes = [
            models.Index(fields=["ends_at"], name="closure_by_end", condition=Q(lifted_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reason


class OccupancyOfPublishedPlaces(models.Manager["Occupancy"]):
    """What everyone may see."""

    def get_queryset(self) -> models.QuerySet[Occupancy]:
        return super().get_queryset().filter(place__status=PlaceStatus.PUBLISHED, place__union__is_active=True)


class Occupancy(models.Model):
    """How many people are inside a place, as its keeper last told; only the last word is kept, and nobody is named."""

    place = models.OneToOneField(Place, on_delete=models.CASCADE, related_name="occupancy", primary_key=True)
    people = models.PositiveSmallIntegerField(_("people inside"))
    told_at = models.DateTimeField(_("told"))

    objects = ScopedManager(union="place__union__path__startswith")
    published = OccupancyOfPublishedPlaces()

    class Meta:
        verbose_name = _("occupancy")
        verbose_name_plural = _("occupancies")
        constraints = [models.CheckConstraint(condition=Q(people__lte=MOST_INSIDE), name="occupancy_is_of_one_place")]
        indexes = [models.Index(fields=["told_at"], name="occupancy_by_time")]

    def __str__(self) -> str:
        return str(self.people)


class PhotosOfPublishedPlaces(models.Manager["PlacePhoto"]):
    """What everyone may see."""

    def get_queryset(self) -> models.QuerySet[PlacePhoto]:
        return super().get_queryset().filter(place__status=PlaceStatus.PUBLISHED, place__union__is_active=True)


class PlacePhoto(PubliclyIdentified, models.Model):
    """A picture of a place for everyone, as a clean JPEG, and a small one for lists. `alt` says what it shows."""

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="photos")
    file = models.FileField(upload_to=photo_name, max_length=100)
    small = models.FileField(upload_to=photo_name, max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    alt = models.CharField(_("what it shows"), max_length=120)
    order = models.PositiveSmallIntegerField(_("order"), default=0, db_default=0)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="place__union__path__startswith")
    published = PhotosOfPublishedPlaces()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["order", "added_at", "pk"]  # the first one is the cover
        constraints = [models.CheckConstraint(condition=~Q(alt=""), name="photo_says_what_it_shows")]

    def __str__(self) -> str:
        return self.alt


class Verification(PubliclyIdentified, models.Model):
    """One look at a place on the spot. Where the verifier stood is kept as metres from the place only.

    `findings` says for each thing looked at: `ok`, `wrong` or `not_seen`.
    """

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="verifications")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("time"), default=timezone.now)
    findings = models.JSONField(default=dict)
    metres = models.PositiveIntegerField(_("metres from the place"), null=True, blank=True)
    accuracy_m = models.PositiveIntegerField(_("accuracy in metres"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    photo = models.FileField(upload_to=evidence_name, max_length=100, blank=True)
    is_sound = models.BooleanField(_("everything in order"))

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["place", "-at"], name="verification_by_place")]

    def __str__(self) -> str:
        return f"{self.place} {self.at:%Y-%m-%d}"

    @property
    def problems(self) -> list[str]:
        """The things that were found wrong."""
        return [name for name, finding in self.findings.items() if finding == "wrong"]


class CareRules(models.Model):
    """How closely a union wants its places looked after; what is empty is inherited from the nearest union above."""

    union = models.OneToOneField(Union, on_delete=models.PROTECT, related_name="care_rules")
    verify_months = models.PositiveSmallIntegerField(_("Verify every so many months"), null=True, blank=True)
    warn_days = models.PositiveSmallIntegerField(_("Warn so many days before a date passes"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("rules of care")
        verbose_name_plural = _("rules of care")
        constraints = [
            models.CheckConstraint(
                condition=Q(verify_months__isnull=True) | Q(verify_months__range=(1, 36)), name="care_months_in_range"
            ),
            models.CheckConstraint(
                condition=Q(warn_days__isnull=True) | Q(warn_days__range=(1, 180)), name="care_days_in_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.union)
