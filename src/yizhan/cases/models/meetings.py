"""协商: a meeting with a company or platform, its agenda from cases, what was agreed, and what follows to the end."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .case import Case
from .ledger import Project, Task


class MeetingState(models.TextChoices):
    """Where a consultation stands."""

    PLANNED = "planned", _("Planned")
    HELD = "held", _("Held, things follow")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Called off")


class Meeting(PubliclyIdentified, models.Model):
    """One consultation. It is closed only when all that follows from it is done or called off."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="meetings", verbose_name=_("union"))
    title = models.CharField(_("title"), max_length=120)
    starts_at = models.DateTimeField(_("begins"))
    where = models.CharField(_("where"), max_length=120)
    chair = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("chaired by")
    )
    state = models.CharField(_("state"), max_length=10, choices=MeetingState, default=MeetingState.PLANNED)
    agreement = models.TextField(_("agreement"), max_length=10_000, blank=True)
    agreed_on = models.DateField(_("agreed on"), null=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("consultation")
        verbose_name_plural = _("consultations")
        indexes = [models.Index(fields=["union", "-starts_at"], name="meeting_by_union")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MeetingState.values), name="meeting_state_is_known"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("cases:meeting", args=[self.public_id])


class PartySide(models.TextChoices):
    """For whom someone sits at the table."""

    WORKERS = "workers", _("Workers' side")
    COMPANY = "company", _("Company's side")
    OTHER = "other", _("Authorities and others")


class MeetingParty(PubliclyIdentified, models.Model):
    """Someone at the table, for a side."""

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="parties")
    side = models.CharField(_("side"), max_length=8, choices=PartySide)
    body = models.CharField(_("union, company or office"), max_length=80)
    person = models.CharField(_("who"), max_length=60, blank=True)

    objects = ScopedManager(union="meeting__union__path__startswith")

    class Meta:
        verbose_name = _("party at the table")
        verbose_name_plural = _("parties at the table")
        constraints = [models.UniqueConstraint(fields=["meeting", "side", "body", "person"], name="meeting_party_once")]

    def __str__(self) -> str:
        return self.body


class ItemOutcome(models.TextChoices):
    """What came of an item."""

    OPEN = "open", _("not discussed yet")
    AGREED = "agreed", _("agreed")
    PARTLY = "partly", _("partly agreed")
    NOT_AGREED = "not_agreed", _("not agreed")


class AgendaItem(PubliclyIdentified, models.Model):
    """议题: one matter, mostly from a case, with what is proposed and what came of it."""

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveSmallIntegerField()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="agenda_items")
    title = models.CharField(_("matter"), max_length=120)
    proposal = models.CharField(_("what is proposed"), max_length=1_000, blank=True)
    reply = models.CharField(_("the other side"), max_length=1_000, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=ItemOutcome, default=ItemOutcome.OPEN)
    result = models.CharField(_("what was agreed"), max_length=1_000, blank=True)

    objects = ScopedManager(union="meeting__union__path__startswith")

    class Meta:
        verbose_name = _("item of the agenda")
        verbose_name_plural = _("items of the agenda")
        constraints = [
            models.UniqueConstraint(fields=["meeting", "number"], name="agenda_items_are_numbered"),
            models.UniqueConstraint(
                fields=["meeting", "case"], condition=Q(case__isnull=False), name="case_once_on_an_agenda"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class FollowUp(PubliclyIdentified, models.Model):
    """A task of the ledger that follows from an item."""

    item = models.ForeignKey(AgendaItem, on_delete=models.PROTECT, related_name="follow_ups")
    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="follows_from")

    objects = ScopedManager(union="item__meeting__union__path__startswith")

    class Meta:
        verbose_name = _("task that follows from a consultation")
        verbose_name_plural = _("tasks that follow from consultations")

    def __str__(self) -> str:
        return str(self.task)
