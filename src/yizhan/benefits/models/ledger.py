"""The books: accounts, transactions and entries, append-only, each transaction balanced, all of them chained.

An entry's `fen` is positive where value flows to the account and negative where it comes from it. A meal of 15 yuan:
worker's share -900, union -400, merchant's share -200, merchant +1500. No account keeps a balance: a balance is the sum
of its entries, so that no row is hot.

What holds the balance stands in `sql/0006_lighter.sql`: a trigger of each INSERT looks at the transactions its entries
belong to, and a deferred constraint trigger at every new transaction at commit. Which kinds there are is checked there,
too.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union

from .guards import append_only, never_deleted
from .programme import Programme


class AccountKind(models.TextChoices):
    """What an account stands for, and which of its columns names it."""

    UNION = "union", _("Union")  # union: what it gives
    MERCHANT = "merchant", _("Owed to a merchant")  # place: what it is owed and was paid
    MERCHANT_SHARE = "merchant_share", _("Given by a merchant")  # place: what it gives itself
    WORKER_SHARE = "worker_share", _("Paid by workers")  # programme
    PROGRAMME = "programme", _("Programme")  # programme: money held for it
    PLATFORM = "platform", _("Platform")  # union (of the programme), name (the company)
    SPONSOR = "sponsor", pgettext_lazy("funding", "Sponsor")  # union (of the programme), name
    BANK = "bank", _("Bank of a union")  # union: what was paid out


class Account(PubliclyIdentified, models.Model):
    """One account. `union` scopes it: the union itself, or the one whose programme or place it is of."""

    kind = models.CharField(_("kind"), max_length=16, choices=AccountKind)
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(_("name"), max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "union", "name"],
                condition=Q(place__isnull=True, programme__isnull=True),
                name="account_once_a_union",
            ),
            models.UniqueConstraint(
                fields=["kind", "place"], condition=Q(place__isnull=False), name="account_once_a_place"
            ),
            models.UniqueConstraint(
                fields=["kind", "programme"], condition=Q(programme__isnull=False), name="account_once_a_programme"
            ),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind_is_known"),
            models.CheckConstraint(
                condition=(
                    Q(kind__in=["merchant", "merchant_share"], place__isnull=False, programme__isnull=True, name="")
                    | Q(kind__in=["worker_share", "programme"], place__isnull=True, programme__isnull=False, name="")
                    | Q(kind__in=["union", "bank"], place__isnull=True, programme__isnull=True, name="")
                    | (Q(kind__in=["platform", "sponsor"], place__isnull=True, programme__isnull=True) & ~Q(name=""))
                ),
                name="account_is_named_by_its_kind",
            ),
        ]
        triggers = [never_deleted("account_stays")]

    def __str__(self) -> str:
        return self.name or str(self.place or self.programme or self.union)


class TransactionKind(models.TextChoices):
    """Why money moved."""

    REDEEMED = "redeemed", _("Redeemed")
    REVERSED = "reversed", _("Taken back")
    PAID_OUT = "paid_out", _("Paid out")
    ADJUSTED = "adjusted", _("Adjusted")


class LedgerTransaction(models.Model):
    """One balanced movement. `seal`, `position` and `hash` are set once, after commit, by the sealer."""

    kind = models.CharField(_("kind"), max_length=8, choices=TransactionKind)
    # No foreign-key lock on hot rows; see guards.never_deleted.
    programme = models.ForeignKey(
        Programme,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    redemption = models.ForeignKey(
        "Redemption",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="transactions",
        db_constraint=False,
        db_index=False,
    )
    # Unique, see the constraint; a one-to-one field would index every booking that reverses nothing.
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals", db_index=False
    )
    memo = models.CharField(_("for"), max_length=120, blank=True, db_default="")
    happened_at = models.DateTimeField(_("happened at"))
    posted_at = models.DateTimeField(_("posted at"))
    seal = models.ForeignKey(
        "Seal", on_delete=models.PROTECT, null=True, blank=True, related_name="transactions", db_index=False
    )
    position = models.IntegerField(null=True, blank=True)
    hash = models.CharField(max_length=64, null=True, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        indexes = [
            models.Index(fields=["redemption"], name="transaction_of_redemption"),
            models.Index(fields=["id"], condition=Q(seal__isnull=True), name="transaction_unsealed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["seal", "position"], condition=Q(seal__isnull=False), name="transaction_position_in_seal"
            ),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="transaction_reversed_once"
            ),
        ]
        triggers = [
            *append_only(
                "transaction",
                unless=(
                    "OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL AND NEW.hash IS NOT NULL AND "
                    "(NEW.id, NEW.kind, NEW.union_id, NEW.happened_at, NEW.posted_at, NEW.memo) = "
                    "(OLD.id, OLD.kind, OLD.union_id, OLD.happened_at, OLD.posted_at, OLD.memo) AND "
                    "(NEW.programme_id, NEW.redemption_id, NEW.reverses_id) IS NOT DISTINCT FROM "
                    "(OLD.programme_id, OLD.redemption_id, OLD.reverses_id)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Entry(models.Model):
    """One line of a transaction: `fen` to (positive) or from (negative) an account. Never zero."""

    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="entries", db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    fen = models.BigIntegerField(_("amount"))

    objects = ScopedManager(union="transaction__union__path__startswith")

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        indexes = [models.Index(fields=["account", "transaction"], name="entry_by_account")]
        constraints = [models.CheckConstraint(condition=~Q(fen=0), name="entry_is_not_zero")]
        triggers = [
            *append_only("entry"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.fen}"


class Seal(models.Model):
    """A link of the chain: exactly the transactions that point at it, in the order of their positions.

    `hash` is that of its last transaction, whose text begins with the hash before it; `previous` is the hash that the
    chain had before this seal.
    """

    number = models.PositiveIntegerField(unique=True)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    sealed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering = ["number"]
        triggers = append_only("seal")

    def __str__(self) -> str:
        return f"{self.number} {self.hash[:12]}"
