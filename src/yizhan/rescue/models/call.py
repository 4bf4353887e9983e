"""A call for help, and everything that happened to it."""

from __future__ import annotations

from typing import Final

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.encryption import BlindIndexField, EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.personal_data import mask_phone

from .problem import Problem
from .rescuer import MOST_AT_ONCE, Rescuer


class CallState(models.TextChoices):
    """Where a call stands."""

    SUBMITTED = "submitted", _("Looking for someone")
    OFFERED = "offered", _("Asked someone")
    ESCALATED = "escalated", _("The duty desk looks for someone")
    ACCEPTED = "accepted", _("Someone takes it")
    ON_WAY = "on_way", _("Someone is on the way")
    ARRIVED = "arrived", _("Someone is there")
    DONE = "done", _("Mended, says the rescuer")
    CONFIRMED = "confirmed", _("Mended, says the rider")
    UNSAFE = "unsafe", _("Stands in an unsafe place")
    CANCELLED = "cancelled", pgettext_lazy("rescue call", "Called off")
    NO_SHOW = "no_show", _("Nobody was there")
    FALSE_CALL = "false_call", _("False call")


WAITING_STATES: Final = (CallState.SUBMITTED, CallState.OFFERED, CallState.ESCALATED)
ACTIVE_STATES: Final = (CallState.ACCEPTED, CallState.ON_WAY, CallState.ARRIVED)
OVER_STATES: Final = (
    CallState.DONE, CallState.CONFIRMED, CallState.CANCELLED, CallState.NO_SHOW, CallState.FALSE_CALL
)  # fmt: skip


class By(models.TextChoices):
    """Who took a step."""

    RIDER = "rider", pgettext_lazy("rescue", "the rider")
    RESCUER = "rescuer", pgettext_lazy("rescue", "the rescuer")
    DESK = "desk", pgettext_lazy("rescue", "the duty desk")
    SYSTEM = "system", pgettext_lazy("rescue", "the system")


class CallEventKind(models.TextChoices):
    """What may happen to a call."""

    SUBMITTED = "submitted", pgettext_lazy("rescue step", "called for help")
    OFFERED = "offered", pgettext_lazy("rescue step", "was asked")
    DECLINED = "declined", pgettext_lazy("rescue step", "declined")
    LAPSED = "lapsed", pgettext_lazy("rescue step", "did not answer in time")
    ESCALATED = "escalated", pgettext_lazy("rescue step", "the duty desk was called")
    ACCEPTED = "accepted", pgettext_lazy("rescue step", "takes it")
    ASSIGNED = "assigned", pgettext_lazy("rescue step", "was sent by the duty desk")
    GIVEN_BACK = "given_back", pgettext_lazy("rescue step", "gave it back")
    ON_WAY = "on_way", pgettext_lazy("rescue step", "set out")
    ARRIVED = "arrived", pgettext_lazy("rescue step", "arrived")
    DONE = "done", pgettext_lazy("rescue step", "says it is mended")
    CONFIRMED = "confirmed", pgettext_lazy("rescue step", "confirmed that it is mended")
    REOPENED = "reopened", pgettext_lazy("rescue step", "opened it again")
    NOT_COME = "not_come", pgettext_lazy("rescue step", "says that nobody came")
    MOVED = "moved", pgettext_lazy("rescue step", "moved the position")
    UNSAFE = "unsafe", pgettext_lazy("rescue step", "says the place is unsafe")
    SAFE = "safe", pgettext_lazy("rescue step", "says the place is safe now")
    CANCELLED = "cancelled", pgettext_lazy("rescue step", "called it off")
    NO_SHOW = "no_show", pgettext_lazy("rescue step", "found nobody there")
    FALSE_CALL = "false_call", pgettext_lazy("rescue step", "marked it as a false call")


class RescueCall(PubliclyIdentified, models.Model):
    """One stranded rider. `lon` and `lat` are WGS-84 degrees; all times but `called_at` are the database's own.

    `called_at` is the time on the caller's phone, which may be wrong: it is shown and never reckoned with. `slot`
    counts which of the calls of its rescuer it is, so that the database itself bounds how many one may hold.
    """

    request_id = models.UUIDField(unique=True, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True, related_name="rescue_calls")
    contact_name = EncryptedTextField(_("name"), blank=True, default="")
    contact_phone = EncryptedTextField(_("phone"), null=True, blank=True)  # E.164
    contact_phone_index = BlindIndexField(of="contact_phone")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="rescue_calls", verbose_name=_("union"))
    problem = models.CharField(_("what is broken"), max_length=12, choices=Problem)
    is_injured = models.BooleanField(_("someone is hurt"), null=True)
    words = EncryptedTextField(_("words"), blank=True, default="")
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    accuracy_m = models.PositiveIntegerField(_("accuracy in metres"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=CallState, default=CallState.SUBMITTED)
    rescuer = models.ForeignKey(
        Rescuer, on_delete=models.PROTECT, null=True, blank=True, related_name="calls", verbose_name=_("rescuer")
    )
    slot = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=1)
    misses = models.PositiveSmallIntegerField(_("offers without answer"), default=0)
    times_reopened = models.PositiveSmallIntegerField(default=0)
    called_at = models.DateTimeField(_("time on the phone"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"))
    waiting_since = models.DateTimeField(_("waiting since"))
    due_at = models.DateTimeField(_("someone should be there by"))
    accepted_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    parts = models.CharField(_("parts used"), max_length=200, blank=True)
    batteries_used = models.PositiveSmallIntegerField(_("batteries swapped"), default=0)
    stars = models.PositiveSmallIntegerField(_("stars"), null=True, blank=True)
    verdict = EncryptedTextField(_("the rider's words"), blank=True, default="")

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("call for help")
        verbose_name_plural = _("calls for help")
        indexes = [
            models.Index(fields=["waiting_since"], name="call_waiting", condition=Q(state__in=WAITING_STATES)),
            models.Index(fields=["union", "-received_at"], name="call_by_union"),
            models.Index(fields=["-received_at"], name="call_newest"),
            models.Index(fields=["worker", "-received_at"], name="call_by_worker"),
            models.Index(fields=["rescuer", "-received_at"], name="call_by_rescuer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CallState.values), name="call_state_is_known"),
            models.CheckConstraint(condition=Q(problem__in=Problem.values), name="call_problem_is_known"),
            models.CheckConstraint(condition=Q(lon__range=(-180, 180), lat__range=(-90, 90)), name="call_is_on_earth"),
            models.CheckConstraint(condition=Q(stars=None) | Q(stars__range=(1, 5)), name="call_stars_one_to_five"),
            # Held: a rescuer and a slot. Over: the rescuer stays named, the slot is free. Waiting: neither.
            models.CheckConstraint(
                condition=Q(state__in=ACTIVE_STATES, rescuer__isnull=False, slot__isnull=False)
                | Q(state__in=OVER_STATES, slot=None)
                | Q(state__in=[*WAITING_STATES, CallState.UNSAFE], rescuer=None, slot=None),
                name="call_is_held_or_not",
            ),
            models.CheckConstraint(
                condition=Q(slot=None) | Q(slot__range=(1, MOST_AT_ONCE)), name="call_slot_is_bounded"
            ),
            models.UniqueConstraint(fields=["rescuer", "slot"], name="rescuer_holds_one_call_a_slot"),
            models.UniqueConstraint(
                fields=["worker"], condition=~Q(state__in=OVER_STATES), name="call_open_once_a_worker"
            ),
            models.UniqueConstraint(
                fields=["contact_phone_index"], condition=~Q(state__in=OVER_STATES), name="call_open_once_a_phone"
            ),
            models.CheckConstraint(
                condition=~Q(problem="accident") | Q(is_injured__isnull=False),
                name="call_accident_says_if_hurt",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "confirmed"]) | Q(done_at__isnull=False), name="call_done_has_a_time"
            ),
            models.CheckConstraint(condition=Q(due_at__gte=F("received_at")), name="call_due_after_it_came"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def get_absolute_url(self) -> str:
        return reverse("rescue:call", args=[self.public_id])

    @property
    def masked_phone(self) -> str:
        """What lists show of the number; the rescuer who holds the call sees it whole."""
        return mask_phone(self.contact_phone)

    @property
    def is_waiting(self) -> bool:
        """Whether nobody holds it yet and someone is looked for."""
        return self.state in WAITING_STATES

    @property
    def is_held(self) -> bool:
        """Whether a rescuer is on it."""
        return self.state in ACTIVE_STATES

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done on the road."""
        return self.state not in OVER_STATES


class CallEvent(models.Model):
    """One step in the life of a call: who, when, why, where. Append-only, as the database sees to.

    `lon` and `lat` are the position of whoever took the step, when the step proves a presence.
    """

    call = models.ForeignKey(RescueCall, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(_("what"), max_length=12, choices=CallEventKind)
    at = models.DateTimeField(_("time"))
    by = models.CharField(pgettext_lazy("rescue", "who"), max_length=8, choices=By)
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    rescuer = models.ForeignKey(Rescuer, on_delete=models.PROTECT, null=True, related_name="+")
    words = EncryptedTextField(_("why"), blank=True, default="")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)

    objects = ScopedManager(union="call__union__path__startswith")

    class Meta:
        verbose_name = _("step of a call")
        verbose_name_plural = _("steps of calls")
        constraints = [
            models.UniqueConstraint(fields=["call", "number"], name="call_events_are_numbered"),
            models.CheckConstraint(condition=Q(kind__in=CallEventKind.values), name="call_event_kind_is_known"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="call_event_is_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="RAISE EXCEPTION 'the steps of calls are append-only';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"


class CallPhoto(PubliclyIdentified, models.Model):
    """A picture: what is broken, by the rider, or what proves the help, by the rescuer."""

    call = models.ForeignKey(RescueCall, on_delete=models.PROTECT, related_name="photos")
    by = models.CharField(max_length=8, choices=By)
    request_id = models.UUIDField(unique=True, editable=False)
    file = models.FileField(upload_to="rescue-photos/%Y/%m")
    at = models.DateTimeField()

    objects = ScopedManager(union="call__union__path__startswith")

    class Meta:
        verbose_name = _("photo of a call")
        verbose_name_plural = _("photos of calls")

    def __str__(self) -> str:
        return str(self.public_id)


class CallMessage(PubliclyIdentified, models.Model):
    """What rider, rescuer and desk write to one another about a call; encrypted."""

    call = models.ForeignKey(RescueCall, on_delete=models.PROTECT, related_name="messages")
    by = models.CharField(max_length=8, choices=By)
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    text = EncryptedTextField()
    at = models.DateTimeField()
    request_id = models.UUIDField(unique=True, editable=False)

    objects = ScopedManager(union="call__union__path__startswith")

    class Meta:
        verbose_name = _("message about a call")
        verbose_name_plural = _("messages about calls")
        indexes = [models.Index(fields=["call", "at"], name="call_message_thread")]

    def __str__(self) -> str:
        return str(self.public_id)
