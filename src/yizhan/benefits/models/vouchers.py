"""Paper vouchers for those without a phone. Only hashes are kept: who reads the database cannot print one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff

from .programme import Programme
from .redemptions import Redemption


class VoucherBatch(PubliclyIdentified, models.Model):
    """Vouchers printed at once, on sheets of ten. Each is good for one use of the programme until `valid_until`."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="voucher_batches")
    purpose = models.CharField(_("for whom"), max_length=120)
    count = models.PositiveIntegerField(_("vouchers"))
    valid_until = models.DateField(_("last day"))
    made_at = models.DateTimeField(_("made at"))
    made_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")

    objects = ScopedManager(union="programme__union__path__startswith")

    class Meta:
        verbose_name = _("batch of vouchers")
        verbose_name_plural = _("batches of vouchers")
        constraints = [models.CheckConstraint(condition=Q(count__gte=1, count__lte=1000), name="batch_has_a_size")]

    def __str__(self) -> str:
        return self.purpose

    @property
    def dialog(self) -> str:
        """Name of its dialog on a page."""
        return f"block-{self.public_id.hex}"


class Voucher(models.Model):
    """One voucher. `digest` is the keyed hash of its code; `sheet` counts from one."""

    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="vouchers")
    sheet = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    redemption = models.OneToOneField(
        Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="voucher"
    )
    revoked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)

    objects = ScopedManager(union="batch__programme__union__path__startswith")

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        indexes = [models.Index(fields=["batch", "sheet"], name="voucher_on_sheet")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.sheet}"
