"""Help with rights: who is on duty when, what is written between worker and helper, and when they meet."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff

from .case import Case
from .kinds import UnscopedManager


class HelperKind(models.TextChoices):
    """What someone on the roster is."""

    LAWYER = "lawyer", _("Lawyer")
    MEDIATOR = "mediator", _("Mediator")


class Helper(PubliclyIdentified, models.Model):
    """律师、调解员: a post on the roster. `hours` of duty is OSM opening_hours; appointments are at `place`."""

    post = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="duties", verbose_name=_("who"))
    kind = models.CharField(_("kind"), max_length=10, choices=HelperKind)
    firm = models.CharField(_("law firm or office"), max_length=80, blank=True)
    hours = models.CharField(_("hours of duty"), max_length=500)
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("station")
    )
    slot_minutes = models.PositiveSmallIntegerField(_("minutes of one appointment"), default=30)
    is_active = models.BooleanField(_("on the roster"), default=True)

    objects = ScopedManager(union="post__union__path__startswith")
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("lawyer or mediator")
        verbose_name_plural = _("lawyers and mediators")
        constraints = [
            models.UniqueConstraint(fields=["post", "kind"], name="helper_once_per_kind"),
            models.CheckConstraint(condition=Q(slot_minutes__range=(10, 240)), name="helper_slot_is_a_while"),
        ]

    def __str__(self) -> str:
        return f"{self.post.user} ({self.get_kind_display()})"

    def get_absolute_url(self) -> str:
        return reverse("cases:helper", args=[self.public_id])


class CaseMessage(PubliclyIdentified, models.Model):
    """One message between the worker and those who see to the case; encrypted like the case itself."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")  # None: the worker
    text = EncryptedTextField()
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)  # by the other side
    request_id = models.UUIDField(unique=True, editable=False)

    objects = ScopedManager(union="case__union__path__startswith")

    class Meta:
        verbose_name = _("message about a case")
        verbose_name_plural = _("messages about cases")
        indexes = [models.Index(fields=["case", "at"], name="case_message_thread")]

    def __str__(self) -> str:
        return str(self.public_id)


class AppointmentState(models.TextChoices):
    """What became of an appointment."""

    BOOKED = "booked", _("Booked")
    CANCELLED = "cancelled", _("Cancelled")
    KEPT = "kept", _("Took place")
    MISSED = "missed", _("Nobody came")


class Appointment(PubliclyIdentified, models.Model):
    """A talk at a station. A helper's quarter of an hour is promised to one worker only, as the database sees to."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="appointments")
    helper = models.ForeignKey(Helper, on_delete=models.PROTECT, related_name="appointments")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    state = models.CharField(_("state"), max_length=10, choices=AppointmentState, default=AppointmentState.BOOKED)
    booked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")  # None: the worker
    booked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    words = EncryptedTextField(blank=True, default="")
    reminded_at = models.DateTimeField(null=True)

    objects = ScopedManager(union="case__union__path__startswith")

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        indexes = [
            models.Index(fields=["starts_at"], name="appointment_to_come", condition=Q(state="booked")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["helper", "starts_at"],
                condition=~Q(state=AppointmentState.CANCELLED),
                name="appointment_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(state=AppointmentState.BOOKED), name="appointment_one_ahead_of_a_case"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.helper} {self.starts_at:%Y-%m-%d %H:%M}"
