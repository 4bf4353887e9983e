"""A case: one request with an owner, deadlines, a result and the worker's verdict, and the log that it follows from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place, Report
from yizhan.unions.encryption import BlindIndexField, EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker

# By what lists of cases are narrowed and figures are made, beside the order in which they stand.
NARROWED_BY: Final = (
    "union", "is_confidential", "offered_to", "handler", "kind", "state", "source", "answer_due", "result_due",
    "times_reopened", "was_late", "stars",
)  # fmt: skip
# Where a case stands in lists that are ordered by what is due when nothing is: after all that is.
NOTHING_DUE: Final = datetime(9999, 1, 1, tzinfo=UTC)


class CaseState(models.TextChoices):
    """Where a case stands."""

    SUBMITTED = "submitted", _("Submitted")
    ACCEPTED = "accepted", pgettext_lazy("case", "Accepted")
    ASSIGNED = "assigned", _("Assigned")
    IN_PROGRESS = "in_progress", _("In progress")
    PROPOSED = "proposed", _("Result proposed")
    CLOSED = "closed", _("Closed")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Taken back")
    MERGED = "merged", _("Merged into another")


OPEN_STATES: Final = (
    CaseState.SUBMITTED,
    CaseState.ACCEPTED,
    CaseState.ASSIGNED,
    CaseState.IN_PROGRESS,
    CaseState.PROPOSED,
)
WORKED_ON: Final = (CaseState.ACCEPTED, CaseState.ASSIGNED, CaseState.IN_PROGRESS)


class CaseSource(models.TextChoices):
    """How a case came in."""

    WORKER = "worker", _("Worker's page")
    QR = "qr", _("QR code")
    CADRE = "cadre", _("A cadre on behalf")
    VISIT = "visit", _("Heard on a visit")
    HOTLINE = "hotline", _("12351 hotline")
    OPEN311 = "open311", _("Another system (Open311)")
    IMPORT = "import", _("Imported list")
    REPORT = "report", _("Report about a station")
    SPLIT = "split", _("Split off another case")


class ClosedHow(models.TextChoices):
    """How a closed case ended."""

    CONFIRMED = "confirmed", _("Confirmed by the worker")
    TELEPHONE = "telephone", _("Confirmed on the telephone")
    SILENT = "silent", _("Closed after silence")


class CaseEventKind(models.TextChoices):
    """What may happen to a case."""

    SUBMITTED = "submitted", _("submitted")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    ASSIGNED = "assigned", _("assigned")
    STARTED = "started", _("began to work on it")
    PROGRESS = "progress", _("told the progress")
    PAUSED = "paused", _("paused the clock")
    RESUMED = "resumed", _("let the clock run on")
    PROPOSED = "proposed", _("proposed a result")
    CONFIRMED = "confirmed", _("confirmed the result")
    REOPENED = "reopened", _("reopened")
    CLOSED_SILENT = "closed_silent", _("closed after silence")
    WITHDRAWN = "withdrawn", _("taken back")
    TRANSFER_OFFERED = "transfer_offered", _("offered to another union (转办)")
    TRANSFER_ACCEPTED = "transfer_accepted", _("taken over")
    TRANSFER_REFUSED = "transfer_refused", _("not taken over")
    TRANSFER_CANCELLED = "transfer_cancelled", _("took the offer back")
    CO_HANDLER_ADDED = "co_handler_added", _("asked for help (协办)")
    CO_HANDLER_REMOVED = "co_handler_removed", _("ended the help")
    URGED = "urged", _("urged (催办)")
    SUPERVISED = "supervised", _("put under supervision (督办)")
    OVERDUE = "overdue", _("overdue: the handler was told")
    ESCALATED = "escalated", _("overdue: the union above was told")
    MERGED = "merged", _("merged into another case")
    ABSORBED = "absorbed", _("took in a duplicate")
    SPLIT_OFF = "split_off", _("split off another case")
    EDITED = "edited", _("corrected")
    NOTED = "noted", _("noted for colleagues")
    ADDED = "added", _("added words or a file")
    PUBLISHED = "published", _("published the result")
    UNPUBLISHED = "unpublished", _("took the result back from the public list")


# What the clock does and what is only added: no reader's picture of the case becomes wrong by it.
QUIET_EVENTS: Final = (CaseEventKind.OVERDUE, CaseEventKind.ESCALATED)


class By(models.TextChoices):
    """Who acted."""

    STAFF = "staff", _("staff")
    WORKER = "worker", _("the worker")
    CLIENT = "client", _("another system")
    SYSTEM = "system", _("the system")


class Case(PubliclyIdentified, models.Model):
    """诉求、微心愿、维权、调解、建议、协商事项、驿站故障: one request.

    What was asked stands in the columns above the line; all below it follows from the events and can be rebuilt
    (`yizhan cases rebuild --check`). Of a confidential case, title, text and fields are kept sealed in `sealed` only.
    """

    number = models.CharField(pgettext_lazy("order", "number"), max_length=16, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=24)
    is_confidential = models.BooleanField(_("confidential"), default=False)
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(_("text"), blank=True)
    fields = models.JSONField(_("fields"), default=dict, blank=True)
    sealed = EncryptedTextField(null=True, blank=True)
    source = models.CharField(_("source"), max_length=12, choices=CaseSource)
    hotline_number = models.CharField(_("number at the hotline"), max_length=40, blank=True)
    request_id = models.UUIDField(null=True, unique=True, editable=False)
    token_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    contact_name = models.CharField(_("name"), max_length=60, blank=True)
    contact_phone = EncryptedTextField(_("phone"), null=True, blank=True)  # E.164, of someone without an account
    contact_phone_index = BlindIndexField(of="contact_phone")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    report = models.OneToOneField(Report, on_delete=models.PROTECT, null=True, blank=True, related_name="case")
    address = models.CharField(_("address"), max_length=160, blank=True)
    lon = models.FloatField(null=True, blank=True)  # WGS-84 degrees
    lat = models.FloatField(null=True, blank=True)
    client = models.ForeignKey(
        "cases.IntakeClient", on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    split_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="parts")
    submitted_at = models.DateTimeField(_("submitted at"))
    submitted_to = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    search = SearchVectorField(null=True, editable=False)
    # ── follows from the events ──
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="cases", verbose_name=_("union"))
    offered_to = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=CaseState, default=CaseState.SUBMITTED)
    handler = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="handled_cases")
    version = models.PositiveIntegerField(default=0)
    is_paused = models.BooleanField(default=False)
    answer_due = models.DateTimeField(_("first answer due"), null=True, blank=True)
    progress_due = models.DateTimeField(_("progress due"), null=True, blank=True)
    result_due = models.DateTimeField(_("result due"), null=True, blank=True)
    verdict_due = models.DateTimeField(_("closes by itself"), null=True, blank=True)
    due_order = models.DateTimeField(default=NOTHING_DUE)
    answered_at = models.DateTimeField(null=True, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_how = models.CharField(max_length=10, choices=ClosedHow, blank=True)
    times_reopened = models.PositiveSmallIntegerField(default=0)
    was_late = models.BooleanField(default=False)
    is_supervised = models.BooleanField(default=False)
    stars = models.PositiveSmallIntegerField(_("stars"), null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="duplicates")
    published_title = models.CharField(max_length=120, blank=True)
    published_words = models.CharField(max_length=500, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [
            # Both orders of the list hold all that it is narrowed by: pages and counts never read the cases themselves.
            models.Index(fields=["due_order", "id"], include=[*NARROWED_BY, "submitted_at"], name="case_by_due"),
            models.Index(fields=["-submitted_at", "-id"], include=[*NARROWED_BY, "due_order"], name="case_by_day"),
            models.Index(
                fields=["union", "due_order", "id"],
                include=["is_confidential", "offered_to", "handler", "kind", "state"],
                name="case_open_by_union",
                condition=Q(state__in=OPEN_STATES),
            ),
            models.Index(
                fields=["submitted_at", "id"],
                include=["union", "is_confidential", "offered_to", "handler", "state", "kind"],
                name="case_wishes_by_day",
                condition=Q(kind="wish"),
            ),
            models.Index(
                fields=["union", "-submitted_at", "-id"],
                include=[*(name for name in NARROWED_BY if name != "union"), "due_order"],
                name="case_union_newest",
            ),
            models.Index(fields=["worker", "-submitted_at"], name="case_worker"),
            models.Index(
                fields=["handler", "due_order", "id"],
                include=["union", "is_confidential", "offered_to", "kind", "state"],
                name="case_open_by_handler",
                condition=Q(state__in=OPEN_STATES),
            ),
            models.Index(
                fields=["kind", "due_order", "id"],
                include=[*(name for name in NARROWED_BY if name != "kind"), "submitted_at"],
                name="case_by_kind",
            ),
            models.Index(fields=["offered_to"], name="case_offered", condition=Q(offered_to__isnull=False)),
            models.Index(fields=["verdict_due"], name="case_verdict_due", condition=Q(state=CaseState.PROPOSED)),
            models.Index(
                fields=["-closed_at", "-id"],
                include=["union", "is_confidential", "state"],
                name="case_shown_to_all",
                condition=~Q(published_words=""),
            ),
            models.Index(fields=["contact_phone_index"], name="case_contact_phone"),
            GinIndex(fields=["search"], name="case_search"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CaseState.values), name="case_state_is_known"),
            models.CheckConstraint(condition=Q(stars=None) | Q(stars__range=(1, 5)), name="case_stars_one_to_five"),
            models.CheckConstraint(
                condition=Q(is_confidential=False) | Q(title="", text="", fields={}, published_words=""),
                name="case_confidential_is_sealed",
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.MERGED, merged_into__isnull=False)
                | (~Q(state=CaseState.MERGED) & Q(merged_into=None)),
                name="case_merged_names_where",
            ),
            models.UniqueConstraint(
                fields=["submitted_to", "hotline_number"],
                condition=~Q(hotline_number=""),
                name="case_hotline_order_once",
            ),
            models.CheckConstraint(
                condition=Q(offered_to=None) | ~Q(offered_to=models.F("union")), name="case_offered_elsewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("cases:case", args=[self.public_id])

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done, by us or by the worker."""
        return self.state in OPEN_STATES

    @property
    def opened(self) -> dict[str, Any]:
        """Title, text and fields, also of a confidential case: only for those who may see it."""
        if self.is_confidential:
            content: dict[str, Any] = json.loads(self.sealed or "{}")
            return {"title": "", "text": "", "fields": {}, **content}
        return {"title": self.title, "text": self.text, "fields": self.fields}

    @property
    def heading(self) -> str:
        """The title, also of a confidential case."""
        return str(self.opened["title"]) if self.is_confidential else self.title


class CaseEvent(PubliclyIdentified, models.Model):
    """One step in the life of a case: who, when, why. Append-only, as the database sees to.

    `data` holds identifiers and choices, never personal data; words about a confidential case are sealed.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(_("what"), max_length=20, choices=CaseEventKind)
    at = models.DateTimeField(_("time"))
    by = models.CharField(_("who"), max_length=8, choices=By)
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, related_name="+")
    words = models.CharField(_("why"), max_length=2000, blank=True)
    sealed_words = EncryptedTextField(null=True, blank=True)
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=80, blank=True)

    objects = ScopedManager(union="case__union__path__startswith")

    class Meta:
        verbose_name = _("step of a case")
        verbose_name_plural = _("steps of cases")
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="case_events_are_numbered"),
            models.UniqueConstraint(fields=["case", "key"], condition=~Q(key=""), name="case_event_happens_once"),
            models.CheckConstraint(condition=Q(kind__in=CaseEventKind.values), name="case_event_kind_is_known"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="case_event_is_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="RAISE EXCEPTION 'the steps of cases are append-only';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"

    @property
    def said(self) -> str:
        """The words, also about a confidential case: only for those who may see it."""
        return self.sealed_words or self.words


class PartyRole(models.TextChoices):
    """What a union or a post has to do with a case that it does not own."""

    EARLIER_OWNER = "earlier_owner", _("Owned it before")
    CO_HANDLER = "co_handler", _("Helps (协办)")
    SUPERVISOR = "supervisor", _("Supervises (督办)")
    TAKER = "taker", _("Took it down")


class CaseParty(models.Model):
    """A union or post that may see a case beyond its owner. Follows from the events."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="parties")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=16, choices=PartyRole)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("party of a case")
        verbose_name_plural = _("parties of cases")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "union", "staff", "role"], name="case_party_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.union} {self.role}"


class CaseFile(PubliclyIdentified, models.Model):
    """A photo or document of a case. Of a confidential case its bytes and name are encrypted."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="files")
    event = models.ForeignKey(CaseEvent, on_delete=models.PROTECT, related_name="files")
    file = models.FileField(upload_to="case-files/%Y/%m")
    name = EncryptedTextField(_("name"))
    content_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()  # bytes, before encryption
    is_sealed = models.BooleanField(default=False)
    for_worker = models.BooleanField(default=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="case__union__path__startswith")

    class Meta:
        verbose_name = _("file of a case")
        verbose_name_plural = _("files of cases")

    def __str__(self) -> str:
        return str(self.public_id)
