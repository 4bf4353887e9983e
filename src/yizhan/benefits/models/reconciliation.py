"""The nightly three-way reconciliation: redemptions = ledger = statements, and each difference."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union, User

from .guards import append_only, never_deleted
from .moves import only_moves
from .redemptions import Redemption
from .settlement import Payout, Statement


class Reconciliation(PubliclyIdentified, models.Model):
    """One comparison of a union's programmes, as of `at`. Amounts in fen."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"))
    redemptions = models.PositiveIntegerField(_("redemptions compared"))
    redeemed_fen = models.BigIntegerField(_("by the redemptions"))
    booked_fen = models.BigIntegerField(_("by the ledger"))
    settled_fen = models.BigIntegerField(_("on statements"))
    unsettled_fen = models.BigIntegerField(_("not yet due on a statement"))
    differences = models.PositiveIntegerField(_("differences"))
    books_verified = models.BooleanField(_("books verified"), null=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        indexes = [models.Index(fields=["union", "-at"], name="reconciliation_by_time")]
        triggers = append_only("reconciliation")

    def __str__(self) -> str:
        return f"{self.union} {self.at:%Y-%m-%d %H:%M}"


class DifferenceKind(models.TextChoices):
    """What does not agree."""

    NOT_BOOKED = "not_booked", _("Redeemed, but booked otherwise in the ledger")
    BOOKED_WITHOUT = "booked_without", _("Taken back, but still booked in the ledger")
    SHARES_DIFFER = "shares_differ", _("The funded shares in the ledger differ from the redemption")
    NOT_SETTLED = "not_settled", _("Redeemed long ago, but on no statement")
    SETTLED_OTHERWISE = "settled_otherwise", _("The statement's line differs from the redemption")
    NOT_CORRECTED = "not_corrected", _("Taken back long ago, but not corrected on a statement")
    STATEMENT_SUMS = "statement_sums", _("The statement's total differs from its lines")
    PAYOUT_SUMS = "payout_sums", _("The payout differs from its statements or from the ledger")
    UNBALANCED = "unbalanced", _("Transactions of the ledger that do not balance")


class DifferenceState(models.TextChoices):
    """What became of a difference."""

    OPEN = "open", pgettext_lazy("difference", "Open")
    RESOLVED = "resolved", _("Resolved")
    GONE = "gone", _("No longer found")


class Difference(PubliclyIdentified, models.Model):
    """One thing that does not agree, from the night when it was first seen. Staff resolve it with a reason."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(pgettext_lazy("signal", "what"), max_length=20, choices=DifferenceKind)
    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    transaction_id = models.BigIntegerField(null=True, blank=True)
    expected_fen = models.BigIntegerField(_("expected"))
    found_fen = models.BigIntegerField(_("found"))
    state = models.CharField(_("state"), max_length=8, choices=DifferenceState, default=DifferenceState.OPEN)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(pgettext_lazy("difference", "closed at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        indexes = [models.Index(fields=["union", "state", "-last_seen_at"], name="difference_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "redemption", "statement", "payout", "transaction_id"],
                condition=~Q(state="gone"),
                nulls_distinct=False,
                name="difference_told_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=DifferenceKind.values), name="difference_kind_is_known"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | Q(state="gone", closed_at__isnull=False)
                | (Q(state="resolved", closed_at__isnull=False) & ~Q(reason="")),
                name="difference_resolved_with_a_reason",
            ),
        ]
        triggers = [
            only_moves("difference", {"open": ["resolved", "gone"], "resolved": ["gone"]}),
            never_deleted("difference_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.expected_fen} ≠ {self.found_fen}"
