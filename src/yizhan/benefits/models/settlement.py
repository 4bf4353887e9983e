"""Settlement: cut-offs, statements of what a union owes its merchants, and payouts."""

from __future__ import annotations

from typing import Final

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union, User

from .guards import append_only, never_deleted
from .moves import only_moves
from .redemptions import Redemption


class CutOffKind(models.TextChoices):
    """Who cut off."""

    NIGHTLY = "nightly", _("Every night")
    BY_HAND = "by_hand", _("By hand")


class CutOff(PubliclyIdentified, models.Model):
    """One cut-off of a union's programmes: what was redeemed before `cut_at` and stands on no statement yet."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=CutOffKind)
    day = models.DateField(_("day"))
    cut_at = models.DateTimeField(_("until"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("made at"))

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("cut-off")
        verbose_name_plural = _("cut-offs")
        constraints = [
            models.UniqueConstraint(fields=["union", "day"], condition=Q(kind="nightly"), name="cut_off_once_a_night"),
        ]
        triggers = append_only("cut_off")

    def __str__(self) -> str:
        return f"{self.union} {self.day}"


class Payout(PubliclyIdentified, models.Model):
    """One file for the bank: approved statements of a union, summed up by merchant."""

    class State(models.TextChoices):
        """Where it stands."""

        MADE = "made", _("File made")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", pgettext_lazy("statement", "Cancelled")

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(pgettext_lazy("payment", "number"), max_length=32, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.MADE)
    total_fen = models.BigIntegerField(_("total"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(_("paid or cancelled at"), null=True, blank=True)
    bank_reference = models.CharField(_("bank's reference"), max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="payout_pays_something"),
            models.CheckConstraint(
                condition=Q(state="made", closed_at__isnull=True)
                | Q(state__in=["paid", "cancelled"], closed_at__isnull=False),
                name="payout_closed_since",
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | ~Q(bank_reference=""), name="payout_paid_names_the_bank"
            ),
        ]
        triggers = [only_moves("payout", {"made": ["paid", "cancelled"]}), never_deleted("payout_stays")]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("benefits:payout", args=[self.public_id])


class PayoutItem(models.Model):
    """What one merchant gets by a payout, and the account as it was when the file was made."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="items")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")
    holder = models.CharField(_("account holder"), max_length=80)
    bank = models.CharField(_("bank and branch"), max_length=80)
    branch_code = models.CharField(_("branch code (12 digits)"), max_length=12, blank=True)
    number = EncryptedTextField(_("account number"))
    fen = models.BigIntegerField(_("amount"))

    objects = ScopedManager(union="payout__union__path__startswith")

    class Meta:
        verbose_name = _("line of a payout")
        verbose_name_plural = _("lines of payouts")
        constraints = [
            models.UniqueConstraint(fields=["payout", "place"], name="payout_once_a_merchant"),
            models.CheckConstraint(condition=Q(fen__gt=0), name="payout_item_pays_something"),
        ]
        triggers = append_only("payout_item")

    def __str__(self) -> str:
        return f"{self.holder} {self.fen}"

    @property
    def masked_number(self) -> str:
        """What a screen may show of the number: its last four digits."""
        return f"**** {self.number[-4:]}"


class StatementState(models.TextChoices):
    """The life of a statement."""

    MADE = "made", _("Waits for the merchant")
    DISPUTED = "disputed", _("Disputed")
    CONFIRMED = "confirmed", _("Confirmed")
    APPROVED = "approved", _("Approved")
    PAID = "paid", _("Paid")


_STATEMENT_MOVES: Final = {
    "made": ["disputed", "confirmed"],
    "disputed": ["made"],
    "confirmed": ["approved", "made"],
    "approved": ["paid"],
}


class Statement(PubliclyIdentified, models.Model):
    """结算单: what a union owes one merchant for exactly the redemptions on its lines. Amounts in fen, signed.

    `payable` is what is paid out: the funded shares, and workers' shares that the union received (`collected`).
    Four eyes: whoever approves neither made the cut-off nor confirmed for the merchant.
    """

    cut_off = models.ForeignKey(CutOff, on_delete=models.PROTECT, related_name="statements")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="statements", verbose_name=_("merchant"))
    number = models.CharField(pgettext_lazy("payment", "number"), max_length=32, unique=True)
    day = models.DateField(_("day"))
    state = models.CharField(_("state"), max_length=10, choices=StatementState, default=StatementState.MADE)
    redemptions = models.PositiveIntegerField(_("redemptions"))
    corrections = models.PositiveIntegerField(_("corrections"))
    list_fen = models.BigIntegerField(_("list price"))
    worker_fen = models.BigIntegerField(_("workers' share"))
    merchant_fen = models.BigIntegerField(_("merchant's share"))
    funded_fen = models.BigIntegerField(_("funded"))
    collected_fen = models.BigIntegerField(_("received for the merchant"))
    payable_fen = models.BigIntegerField(_("payable"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    confirmed_words = models.CharField(_("how the merchant confirmed"), max_length=200, blank=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="statements")
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        indexes = [
            models.Index(fields=["union", "-day"], name="statement_by_day"),
            models.Index(fields=["place", "-day"], name="statement_of_merchant"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cut_off", "place"], name="statement_once_a_cut_off"),
            models.CheckConstraint(condition=Q(state__in=StatementState.values), name="statement_state_is_known"),
            models.CheckConstraint(
                condition=Q(list_fen=F("worker_fen") + F("merchant_fen") + F("funded_fen"))
                & Q(payable_fen=F("funded_fen") + F("collected_fen")),
                name="statement_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["made", "disputed"], confirmed_at__isnull=True, approved_at__isnull=True)
                | Q(state="confirmed", confirmed_at__isnull=False, approved_at__isnull=True)
                | Q(state__in=["approved", "paid"], confirmed_at__isnull=False, approved_at__isnull=False),
                name="statement_signed_in_order",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", paid_at__isnull=False, payout__isnull=False)
                | (~Q(state="paid") & Q(paid_at__isnull=True)),
                name="statement_paid_by_a_payout",
            ),
            models.CheckConstraint(
                condition=Q(payout__isnull=True) | Q(state__in=["approved", "paid"]),
                name="statement_approved_before_payout",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (
                    (Q(made_by__isnull=True) | ~Q(made_by=F("approved_by")))
                    & (Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("approved_by")))
                ),
                name="statement_seen_by_four_eyes",
            ),
        ]
        triggers = [
            only_moves("statement", _STATEMENT_MOVES),
            never_deleted("statement_stays"),
            pgtrigger.Trigger(
                name="statement_keeps_its_sums",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "cut_off", "union", "place", "number", "day", "redemptions", "corrections", "list_fen",
                    "worker_fen", "merchant_fen", "funded_fen", "collected_fen", "payable_fen", "made_by", "made_at",
                ),
                func="RAISE EXCEPTION 'the sums of a statement do not change';",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number} {self.place}"

    def get_absolute_url(self) -> str:
        return reverse("benefits:statement", args=[self.public_id])


class LineKind(models.TextChoices):
    """What a line of a statement says."""

    REDEMPTION = "redemption", _("Redemption")
    CORRECTION = "correction", _("Correction")


class StatementLine(PubliclyIdentified, models.Model):
    """One redemption on one statement; a correction takes the same amounts back. Only its dispute may change."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, related_name="statement_lines")
    kind = models.CharField(_("kind"), max_length=10, choices=LineKind)
    list_fen = models.BigIntegerField(_("list price"))
    worker_fen = models.BigIntegerField(_("worker's share"))
    merchant_fen = models.BigIntegerField(_("merchant's share"))
    funded_fen = models.BigIntegerField(_("funded"))
    collected_fen = models.BigIntegerField(_("received for the merchant"), default=0)
    payable_fen = models.BigIntegerField(_("payable"))
    disputed_at = models.DateTimeField(_("disputed at"), null=True, blank=True)
    disputed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    dispute = models.CharField(_("what the merchant says"), max_length=200, blank=True, db_default="")
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answer = models.CharField(_("answer"), max_length=200, blank=True, db_default="")

    objects = ScopedManager(union="statement__union__path__startswith")

    class Meta:
        verbose_name = _("line of a statement")
        verbose_name_plural = _("lines of statements")
        indexes = [
            models.Index(
                fields=["statement"],
                name="line_disputed",
                condition=Q(disputed_at__isnull=False, answered_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["redemption", "kind"], name="line_once_a_redemption"),
            models.CheckConstraint(
                condition=Q(list_fen=F("worker_fen") + F("merchant_fen") + F("funded_fen"))
                & Q(payable_fen=F("funded_fen") + F("collected_fen")),
                name="line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(kind="redemption", list_fen__gte=0, payable_fen__gte=0)
                | Q(kind="correction", list_fen__lte=0, payable_fen__lte=0),
                name="line_has_the_sign_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(disputed_at__isnull=False), name="line_answered_once_disputed"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="line_keeps_its_sums",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "statement", "redemption", "kind", "list_fen", "worker_fen", "merchant_fen", "funded_fen",
                    "collected_fen", "payable_fen",
                ),
                func="RAISE EXCEPTION 'the lines of a statement do not change';",
            ),
            never_deleted("line_stays"),
            # One look a statement, not one a line: a cut-off writes a hundred thousand lines at once.
            pgtrigger.Trigger(
                name="lines_add_up_to_the_statement",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="fresh"),  # type: ignore[no-untyped-call]
                func=(
                    "IF EXISTS (SELECT 1 FROM benefits_statement s JOIN (SELECT l.statement_id, "
                    "count(*) FILTER (WHERE l.kind = 'redemption') AS redemptions, "
                    "count(*) FILTER (WHERE l.kind = 'correction') AS corrections, "
                    "sum(l.list_fen) AS list_fen, sum(l.funded_fen) AS funded_fen, "
                    "sum(l.collected_fen) AS collected_fen, "
                    "sum(l.payable_fen) AS payable_fen FROM benefits_statementline l "
                    "WHERE l.statement_id IN (SELECT statement_id FROM fresh) GROUP BY l.statement_id) t "
                    "ON t.statement_id = s.id WHERE (s.redemptions, s.corrections, s.list_fen, s.funded_fen, "
                    "s.collected_fen, s.payable_fen) IS DISTINCT FROM (t.redemptions, t.corrections, t.list_fen, "
                    "t.funded_fen, t.collected_fen, t.payable_fen)) THEN "
                    "RAISE EXCEPTION 'the lines do not add up to their statement'; END IF; RETURN NULL;"
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.statement_id} {self.redemption_id} {self.kind}"
