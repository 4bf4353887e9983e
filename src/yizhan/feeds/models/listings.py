"""What each partner shows of each place, and how we know."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff

from .partners import Partner, UnscopedManager


class ListingState(models.TextChoices):
    """How far a place has come on a partner's map."""

    PENDING = "pending", pgettext_lazy("listing", "Waiting to be sent")
    SENT = "sent", pgettext_lazy("listing", "Sent")
    ACCEPTED = "accepted", pgettext_lazy("listing", "Accepted")
    LIVE = "live", pgettext_lazy("listing", "Live")
    STALE = "stale", pgettext_lazy("listing", "Out of date")
    MERGED = "merged", pgettext_lazy("listing", "Merged wrongly")
    WITHDRAWN = "withdrawn", pgettext_lazy("listing", "Taken down")


class FindingKind(models.TextChoices):
    """What a partner's own export says that is not as it should be."""

    NONE = "", pgettext_lazy("finding", "as it should be")
    MISSING = "missing", pgettext_lazy("finding", "Missing")
    MOVED = "moved", pgettext_lazy("finding", "Moved")
    RENAMED = "renamed", pgettext_lazy("finding", "Renamed")
    MERGED = "merged", pgettext_lazy("finding", "Merged with another")
    STILL_SHOWN = "still_shown", pgettext_lazy("finding", "Closed, but still shown")
    UNKNOWN = "unknown", pgettext_lazy("finding", "Not ours")


class EvidenceKind(models.TextChoices):
    """What happened to a listing."""

    SENT = "sent", pgettext_lazy("evidence", "sent")
    ACCEPTED = "accepted", pgettext_lazy("evidence", "taken by the partner")
    REFUSED = "refused", pgettext_lazy("evidence", "refused by the partner")
    DIED = "died", pgettext_lazy("evidence", "given up")
    REPLAYED = "replayed", pgettext_lazy("evidence", "sent again by staff")
    LIVE = "live", pgettext_lazy("evidence", "said to be live by the partner")
    DOWN = "down", pgettext_lazy("evidence", "said to be taken down by the partner")
    SEEN = "seen", pgettext_lazy("evidence", "found in the partner's export")
    FOUND_WRONG = "found_wrong", pgettext_lazy("evidence", "found wrong in the partner's export")
    GONE_FROM_EXPORT = "gone_from_export", pgettext_lazy("evidence", "not in the partner's export any more")


class PushOutcome(models.TextChoices):
    """What became of one message or file."""

    TAKEN = "taken", pgettext_lazy("push", "Taken")
    FAILED = "failed", pgettext_lazy("push", "Failed")
    REFUSED = "refused", pgettext_lazy("push", "Refused")


class Push(PubliclyIdentified, models.Model):
    """One message or file that went, or should have gone, to a partner; `message_id` is what the partner saw of it."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="pushes", verbose_name=_("partner"))
    message_id = models.CharField(_("message"), max_length=80)
    at = models.DateTimeField(_("time"))
    took_ms = models.PositiveIntegerField(_("took"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=PushOutcome)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    places = models.PositiveIntegerField(_("places"))
    is_test = models.BooleanField(_("test"), default=False)

    objects = ScopedManager(union="partner__union__path__startswith")
    every = UnscopedManager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["partner", "-at"], name="push_by_partner"),
            models.Index(fields=["-at"], name="push_by_time"),
        ]

    def __str__(self) -> str:
        return self.message_id


class Listing(PubliclyIdentified, models.Model):
    """A place at a partner: what it should show, what it has taken, and what it was seen to show.

    `is_wanted` and `sequence` are what should be there; `taken_wanted` and `taken_sequence` what the partner has taken
    last. While they differ, `is_waiting` is set, unless it `died_at` (a dead letter). `turn` grows when the same state
    is to be sent once more. A place occurs once for each partner, so its changes cannot overtake each other.
    """

    partner = models.ForeignKey(
        Partner, on_delete=models.CASCADE, related_name="listings", verbose_name=_("partner"), db_index=False
    )
    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="listings", verbose_name=_("place"))
    is_wanted = models.BooleanField(_("to be shown"))
    sequence = models.BigIntegerField(_("number of the change"))
    turn = models.PositiveIntegerField(default=0)
    taken_wanted = models.BooleanField(default=False)
    taken_sequence = models.BigIntegerField(default=0)
    is_waiting = models.BooleanField(_("waiting"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=ListingState, default=ListingState.PENDING)
    their_id = models.CharField(_("number at the partner"), max_length=120, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    died_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    last_answer = models.CharField(_("last answer"), max_length=200, blank=True)
    finding = models.CharField(_("finding"), max_length=12, choices=FindingKind, blank=True, default="")
    found = models.JSONField(_("details of the finding"), default=dict, blank=True)
    seen_at = models.DateTimeField(_("last seen on the map"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"))
    red_since = models.DateTimeField(_("on the red list since"), null=True, blank=True)
    red_until = models.DateTimeField(_("to be taken down by"), null=True, blank=True)
    red_told = models.PositiveSmallIntegerField(default=0)

    objects = ScopedManager(union="place__union__path__startswith")
    every = UnscopedManager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints = [
            models.UniqueConstraint(fields=["partner", "place"], name="listing_once_per_place"),
            models.CheckConstraint(condition=Q(state__in=ListingState.values), name="listing_state_is_known"),
            models.CheckConstraint(condition=Q(finding__in=FindingKind.values), name="listing_finding_is_known"),
            models.CheckConstraint(condition=Q(died_at=None) | Q(is_waiting=False), name="listing_dead_does_not_wait"),
            models.CheckConstraint(
                condition=Q(red_since=None, red_until=None) | Q(red_since__isnull=False, red_until__isnull=False),
                name="listing_red_has_a_deadline",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "sequence"], condition=Q(is_waiting=True), name="listing_waiting"),
            models.Index(fields=["partner"], condition=Q(died_at__isnull=False), name="listing_dead"),
            models.Index(fields=["red_until"], condition=Q(red_since__isnull=False), name="listing_red"),
        ]

    def __str__(self) -> str:
        return f"{self.place} · {self.partner}"


class Evidence(models.Model):
    """One thing that happened to a listing; never changed. `line` is that of the partner's export."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="evidence", verbose_name=_("listing"))
    at = models.DateTimeField(_("time"))
    kind = models.CharField(_("what"), max_length=16, choices=EvidenceKind)
    sequence = models.BigIntegerField(_("number of the change"), default=0)
    push = models.ForeignKey(Push, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("delivery"))
    export = models.ForeignKey(
        "feeds.PartnerExport", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("export")
    )
    line = models.PositiveIntegerField(_("line"), null=True)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by"))

    objects = ScopedManager(union="listing__place__union__path__startswith")
    every = UnscopedManager()

    class Meta:
        verbose_name = _("piece of evidence")
        verbose_name_plural = _("evidence")
        ordering = ["-at", "-pk"]
        triggers = [
            pgtrigger.Trigger(
                name="evidence_is_not_changed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                # What it points to may be forgotten, which is no change of what happened.
                func=(
                    "IF (NEW.listing_id, NEW.at, NEW.kind, NEW.sequence, NEW.line, NEW.answer, NEW.by_id) IS DISTINCT "
                    "FROM (OLD.listing_id, OLD.at, OLD.kind, OLD.sequence, OLD.line, OLD.answer, OLD.by_id) THEN "
                    "RAISE EXCEPTION 'evidence is not changed'; END IF; RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"


class PartnerExport(PubliclyIdentified, models.Model):
    """A file in which a partner says what it shows, compared with what it should."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="exports", verbose_name=_("partner"))
    file_name = models.CharField(_("file name"), max_length=200)
    digest = models.CharField(max_length=64)
    datum = models.CharField(_("datum"), max_length=10)
    taken_at = models.DateTimeField(_("as of"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    lines = models.PositiveIntegerField(_("lines"))
    unreadable = models.PositiveIntegerField(_("lines that cannot be read"), default=0)
    matched = models.PositiveIntegerField(_("matched"))
    right = models.PositiveIntegerField(_("as they should be"))

    objects = ScopedManager(union="partner__union__path__startswith")
    every = UnscopedManager()

    class Meta:
        verbose_name = _("partner's export")
        verbose_name_plural = _("partners' exports")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.file_name


class Finding(models.Model):
    """One difference between a partner's export and the directory. `metres` from where the place is."""

    export = models.ForeignKey(PartnerExport, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(_("finding"), max_length=12, choices=FindingKind)
    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, null=True, related_name="+")
    line = models.PositiveIntegerField(_("line"), null=True)
    their_id = models.CharField(_("number at the partner"), max_length=120, blank=True)
    their_name = models.CharField(_("name at the partner"), max_length=200, blank=True)
    metres = models.PositiveIntegerField(_("metres away"), null=True)
    likeness = models.PositiveSmallIntegerField(_("likeness of the names"), null=True)

    objects = ScopedManager(union="export__partner__union__path__startswith")
    every = UnscopedManager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["kind", "pk"]
        indexes = [models.Index(fields=["export", "kind"], name="finding_by_export")]

    def __str__(self) -> str:
        return f"{self.kind} {self.their_name}"
