"""What people report of a place, what was answered, and the rules by which deadlines run and stars are taken."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .place import Place


class ReportKind(models.TextChoices):
    """What is wrong, in the words of whoever stands before the door."""

    DOOR_LOCKED = "door_locked", _("Door locked")
    NO_WATER = "no_water", _("No water")
    MEDICINE_EXPIRED = "medicine_expired", _("Medicine out of date")
    EQUIPMENT_BROKEN = "equipment_broken", _("Broken equipment")
    WRONG_PLACE = "wrong_place", _("Wrong place")
    OTHER = "other", _("Something else")


class ReportState(models.TextChoices):
    """Where a report stands. In the first two the keeper's clock runs."""

    OPEN = "open", _("Waiting for the keeper")
    PROMISED = "promised", _("Needs time")
    FIXED = "fixed", _("Fixed, says the keeper")
    NOT_A_FAULT = "not_a_fault", _("Not a fault, says the keeper")
    SETTLED = "settled", _("Settled")
    WITHDRAWN = "withdrawn", _("Taken back")


UNANSWERED = (ReportState.OPEN, ReportState.PROMISED)


class EventKind(models.TextChoices):
    """What may happen to a report."""

    REPORTED = "reported", _("reported")
    WITHDRAWN = "withdrawn", _("taken back by the reporter")
    FIXED = "fixed", _("answered: fixed")
    NOT_A_FAULT = "not_a_fault", _("answered: not a fault")
    PROMISED = "promised", _("answered: needs time")
    SAID_FIXED = "said_fixed", _("the reporter says: fixed")
    ALSO_FIXED = "also_fixed", _("another reporter says: fixed")
    SAID_NOT_FIXED = "said_not_fixed", _("a reporter says: not fixed")
    VERIFIED = "verified", _("verified by the union")
    REMINDED = "reminded", _("overdue: the keeper was told")
    ESCALATED = "escalated", _("overdue: the union above was told")


class Report(PubliclyIdentified, models.Model):
    """One fault at one place, from the first who reports it until it is settled; others who report it join.

    `state` follows from the events and is kept here for lists and for the constraint; deadlines never are.
    """

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="reports", verbose_name=_("place"))
    kind = models.CharField(_("what is wrong"), max_length=20, choices=ReportKind)
    state = models.CharField(_("state"), max_length=12, choices=ReportState, default=ReportState.OPEN)
    opened_at = models.DateTimeField(_("reported at"))

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [
            models.Index(fields=["place", "-opened_at"], name="report_by_place"),
            models.Index(fields=["opened_at"], name="report_unanswered", condition=Q(state__in=UNANSWERED)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "kind"],
                condition=Q(state__in=UNANSWERED) & ~Q(kind=ReportKind.OTHER),
                name="report_of_a_kind_open_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=ReportKind.values), name="report_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="report_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.place} · {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("places:report", args=[self.public_id])


class ReportReceipt(PubliclyIdentified, models.Model):
    """What one reporter holds: a secret link, known here by its digest only. Nothing says who they are.

    `request_id` is made by the reporter's device, so that a repeated request counts once.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="receipts")
    request_id = models.UUIDField(editable=False)
    kind = models.CharField(max_length=20, choices=ReportKind)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    words = models.CharField(_("words"), max_length=500, blank=True)
    at = models.DateTimeField()

    objects = ScopedManager(union="report__place__union__path__startswith")

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.UniqueConstraint(fields=["request_id", "kind"], name="report_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.at:%Y-%m-%d %H:%M}"


class ReportEvent(models.Model):
    """One line in the life of a report. Append-only, as the database sees to.

    `due_at` is when an answer is due from this event on; the deadline of a report is never stored elsewhere.
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(_("what"), max_length=16, choices=EventKind)
    at = models.DateTimeField(_("time"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    text = models.CharField(_("words"), max_length=500, blank=True)
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    receipt = models.ForeignKey(ReportReceipt, on_delete=models.PROTECT, null=True, related_name="events")

    objects = ScopedManager(union="report__place__union__path__startswith")

    class Meta:
        verbose_name = _("event of a report")
        verbose_name_plural = _("events of reports")
        indexes = [models.Index(fields=["report", "-at"], name="report_event_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "kind", "due_at"],
                condition=Q(kind__in=["reminded", "escalated"]),
                name="report_told_once_per_deadline",
            ),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="report_event_kind_is_known"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="report_event_is_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="RAISE EXCEPTION 'the events of reports are append-only';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"


class ReportPhoto(PubliclyIdentified, models.Model):
    """A picture that a reporter or a keeper gave; seen by the keeper's desk and the holders of the receipts."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="photos")
    receipt = models.ForeignKey(ReportReceipt, on_delete=models.PROTECT, null=True, related_name="photos")
    event = models.ForeignKey(ReportEvent, on_delete=models.PROTECT, null=True, related_name="photos")
    file = models.FileField(upload_to="report-photos/%Y/%m")
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="report__place__union__path__startswith")

    class Meta:
        verbose_name = _("photo of a report")
        verbose_name_plural = _("photos of reports")

    def __str__(self) -> str:
        return str(self.public_id)


class UnscopedManager(models.Manager):  # type: ignore[type-arg]
    """Rows of every union, under a name that says so; views never use it."""


# What a union may set: (least, most), in the unit of the field's name.
RULE_LIMITS: dict[str, tuple[int, int]] = {
    "days_door_locked": (1, 30),
    "days_no_water": (1, 30),
    "days_medicine_expired": (1, 30),
    "days_equipment_broken": (1, 60),
    "days_wrong_place": (1, 60),
    "days_other": (1, 60),
    "longest_delay_days": (1, 180),
    "escalate_days": (1, 30),
    "star_after": (0, 20),
    "star_window_days": (1, 366),
}


class ReportRules(models.Model):
    """How a union wants reports answered. What is empty is inherited from the nearest union above that says it."""

    union = models.OneToOneField(Union, on_delete=models.PROTECT, related_name="report_rules")
    days_door_locked = models.PositiveSmallIntegerField(_("Door locked: working days"), null=True, blank=True)
    days_no_water = models.PositiveSmallIntegerField(_("No water: working days"), null=True, blank=True)
    days_medicine_expired = models.PositiveSmallIntegerField(
        _("Medicine out of date: working days"), null=True, blank=True
    )
    days_equipment_broken = models.PositiveSmallIntegerField(_("Broken equipment: working days"), null=True, blank=True)
    days_wrong_place = models.PositiveSmallIntegerField(_("Wrong place: working days"), null=True, blank=True)
    days_other = models.PositiveSmallIntegerField(_("Something else: working days"), null=True, blank=True)
    longest_delay_days = models.PositiveSmallIntegerField(_("Longest delay, days"), null=True, blank=True)
    escalate_days = models.PositiveSmallIntegerField(
        _("Union above is told after so many working days overdue"), null=True, blank=True
    )
    star_after = models.PositiveSmallIntegerField(_("Overdue reports that take one star"), null=True, blank=True)
    star_window_days = models.PositiveSmallIntegerField(_("… within so many days"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")
    # Rules reach down the tree: whoever applies them reads those of unions above the scope, too.
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("rules of reports")
        verbose_name_plural = _("rules of reports")
        constraints = [
            models.CheckConstraint(
                condition=Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__range": limits}),
                name=f"report_rules_{field}",
            )
            for field, limits in RULE_LIMITS.items()
        ]

    def __str__(self) -> str:
        return str(self.union)


class StarChange(models.Model):
    """When and why a place's stars changed because of its reports. The newest line says how many are off now."""

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="star_changes")
    at = models.DateTimeField(_("time"))
    taken = models.PositiveSmallIntegerField(_("stars off by the rule"))
    off = models.PositiveSmallIntegerField(_("stars really off, since none falls below zero"))
    stars = models.PositiveSmallIntegerField(_("stars afterwards"))
    strikes = models.PositiveSmallIntegerField(_("overdue reports not yet settled"))

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("change of stars")
        verbose_name_plural = _("changes of stars")
        indexes = [models.Index(fields=["place", "-at"], name="star_change_by_place")]

    def __str__(self) -> str:
        return f"{self.place} {self.stars}"
