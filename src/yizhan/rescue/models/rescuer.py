"""Who helps: fixed repair points and mobile rescuers, and when they are on duty."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union, User
from yizhan.unions.personal_data import mask_phone

from .problem import Problem

MOST_AT_ONCE: Final = 9


class RescuerKind(models.TextChoices):
    """Whether one goes to them or they come."""

    FIXED = "fixed", _("Fixed repair point")
    MOBILE = "mobile", _("Mobile rescuer")


class Vehicle(models.TextChoices):
    """What a rescuer comes with, which says how fast."""

    E_BIKE = "e_bike", pgettext_lazy("rescue vehicle", "E-bike")
    TRICYCLE = "tricycle", _("Cargo tricycle")
    CAR = "car", pgettext_lazy("rescue vehicle", "Car or van")


class Rescuer(PubliclyIdentified, models.Model):
    """爱心修车救援点 or 流动救援员. A fixed one is a place of the directory; a mobile one is a person with a phone.

    `base_lon`, `base_lat` are WGS-84 degrees: where a fixed point stands, or the middle of a mobile rescuer's area;
    `reach_m` is how far from there they go. `most_at_once` is how many calls they may hold at the same time.
    Subsidies for what a mobile one mends go to the repair point `paid_at`; those of a fixed one to its own place.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="rescuers", verbose_name=_("union"))
    kind = models.CharField(_("kind"), max_length=8, choices=RescuerKind)
    name = models.CharField(_("name"), max_length=60)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="rescuers", verbose_name=_("who signs in")
    )
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, null=True, blank=True, related_name="rescuers", verbose_name=_("place")
    )
    paid_at = models.ForeignKey(
        Place,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("subsidies are paid to"),
    )
    phone = EncryptedTextField(_("phone"), null=True, blank=True)  # E.164
    skills = ArrayField(models.CharField(max_length=12, choices=Problem), verbose_name=_("can mend"), default=list)
    vehicle = models.CharField(
        pgettext_lazy("rescue", "vehicle"), max_length=10, choices=Vehicle, default=Vehicle.E_BIKE
    )
    spare_batteries = models.PositiveSmallIntegerField(_("spare batteries"), default=0)
    base_lon = models.FloatField(_("longitude"))
    base_lat = models.FloatField(_("latitude"))
    reach_m = models.PositiveIntegerField(_("goes as far as, metres"), default=5000)
    most_at_once = models.PositiveSmallIntegerField(_("calls at the same time"), default=1)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("rescuer")
        verbose_name_plural = _("rescuers")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RescuerKind.values), name="rescuer_kind_is_known"),
            models.CheckConstraint(condition=Q(vehicle__in=Vehicle.values), name="rescuer_vehicle_is_known"),
            models.CheckConstraint(
                condition=Q(kind="fixed", place__isnull=False) | Q(kind="mobile", place=None, user__isnull=False),
                name="rescuer_is_a_place_or_a_person",
            ),
            models.CheckConstraint(condition=Q(most_at_once__range=(1, MOST_AT_ONCE)), name="rescuer_load_is_bounded"),
            models.CheckConstraint(condition=Q(reach_m__range=(100, 100_000)), name="rescuer_reach_is_a_way"),
            models.CheckConstraint(
                condition=Q(base_lon__range=(-180, 180), base_lat__range=(-90, 90)), name="rescuer_is_on_earth"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_active=True, user__isnull=False), name="rescuer_person_once"
            ),
            models.UniqueConstraint(
                fields=["place"], condition=Q(is_active=True, place__isnull=False), name="rescuer_place_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("rescue:rescuer", args=[self.public_id])

    @property
    def masked_phone(self) -> str:
        """What a screen of the desk may show of the number; the rider who waits for them sees it whole."""
        return mask_phone(self.phone)


class Duty(models.Model):
    """One turn of duty. The last position is known only while it lasts: the database refuses one afterwards."""

    rescuer = models.ForeignKey(Rescuer, on_delete=models.PROTECT, related_name="duties")
    began_at = models.DateTimeField(_("on duty since"))
    ended_at = models.DateTimeField(_("off duty since"), null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    position_at = models.DateTimeField(null=True, blank=True)
    # Batteries that are left of those with which the turn began.
    batteries = models.PositiveSmallIntegerField(default=0)

    objects = ScopedManager(union="rescuer__union__path__startswith")

    class Meta:
        verbose_name = _("turn of duty")
        verbose_name_plural = _("turns of duty")
        constraints = [
            models.UniqueConstraint(fields=["rescuer"], condition=Q(ended_at=None), name="duty_open_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(lon=None, lat=None, position_at=None), name="duty_over_has_no_position"
            ),
            models.CheckConstraint(
                condition=Q(lon=None, lat=None, position_at=None)
                | Q(lon__range=(-180, 180), lat__range=(-90, 90), position_at__isnull=False),
                name="duty_position_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rescuer} {self.began_at:%Y-%m-%d %H:%M}"
