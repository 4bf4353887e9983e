"""Things that a union keeps for workers: power banks, raincoats, helmets; what is lent comes back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker

from .case import Case

MOST_IN_STOCK = 1_000_000


class StockItem(PubliclyIdentified, models.Model):
    """One sort of thing at one union or station. `quantity` is what lies there now: the sum of its moves, never below
    zero, as the database sees to."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="stock", verbose_name=_("union"))
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, null=True, blank=True, related_name="stock", verbose_name=_("station")
    )
    name = models.CharField(_("thing"), max_length=60)
    unit = models.CharField(_("counted in"), max_length=10, default="件")
    is_lent = models.BooleanField(_("comes back"), default=False)
    lent_days = models.PositiveSmallIntegerField(_("lent for days"), default=7)
    quantity = models.PositiveIntegerField(_("in stock"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("thing in stock")
        verbose_name_plural = _("things in stock")
        constraints = [
            models.UniqueConstraint(
                fields=["union", "place", "name"], name="stock_item_has_its_own_name", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, quantity__lte=MOST_IN_STOCK), name="stock_is_never_below_nothing"
            ),
            models.CheckConstraint(condition=Q(lent_days__range=(1, 365)), name="stock_lent_for_a_while"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cases:stock_item", args=[self.public_id])


class StockIssue(PubliclyIdentified, models.Model):
    """Something that went out to a worker or for a case; what is lent is due back on a day."""

    item = models.ForeignKey(StockItem, on_delete=models.PROTECT, related_name="issues")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, related_name="stock_issues")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="stock_issues")
    quantity = models.PositiveIntegerField(_("how many"))
    returned = models.PositiveIntegerField(_("came back"), default=0)
    lost = models.PositiveIntegerField(_("lost"), default=0)
    issued_at = models.DateTimeField(_("given out"))
    due_on = models.DateField(_("due back"), null=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    request_id = models.UUIDField(null=True, unique=True, editable=False)

    objects = ScopedManager(union="item__union__path__startswith")

    class Meta:
        verbose_name = _("thing given out")
        verbose_name_plural = _("things given out")
        indexes = [
            models.Index(
                fields=["due_on"], name="stock_out", condition=Q(due_on__isnull=False, quantity__gt=F("returned"))
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="stock_issue_is_something"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("returned") + F("lost")), name="stock_issue_returns_no_more"
            ),
            models.CheckConstraint(
                condition=Q(worker__isnull=False) | Q(case__isnull=False), name="stock_issue_names_whom"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} × {self.quantity}"

    @property
    def is_out(self) -> bool:
        """Whether something of it should still come back."""
        return self.due_on is not None and self.quantity > self.returned + self.lost

    @property
    def outstanding(self) -> int:
        """How many should still come back."""
        return self.quantity - self.returned - self.lost if self.due_on else 0


class StockReason(models.TextChoices):
    """Why a quantity changed."""

    BOUGHT = "bought", _("bought or given to us")
    ISSUED = "issued", _("given out")
    RETURNED = "returned", _("came back")
    COUNTED = "counted", _("counted anew")
    SCRAPPED = "scrapped", _("broken or used up")


class StockMove(models.Model):
    """One change of a quantity; the moves of an item add up to what lies there."""

    item = models.ForeignKey(StockItem, on_delete=models.PROTECT, related_name="moves")
    reason = models.CharField(max_length=10, choices=StockReason)
    change = models.IntegerField()
    left = models.PositiveIntegerField()
    issue = models.ForeignKey(StockIssue, on_delete=models.PROTECT, null=True, related_name="moves")
    words = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects = ScopedManager(union="item__union__path__startswith")

    class Meta:
        verbose_name = _("move of stock")
        verbose_name_plural = _("moves of stock")
        constraints = [models.CheckConstraint(condition=~Q(change=0), name="stock_move_moves_something")]

    def __str__(self) -> str:
        return f"{self.item} {self.change:+d}"
