"""Phones of workers, the house's certificates for them, and where their codes were seen."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Worker

from .redemptions import Redemption


class HouseKey(models.Model):
    """A key with which the house signs certificates of phones. The newest that is not retired signs; all that are not
    retired are told to cashiers' phones."""

    number = models.PositiveSmallIntegerField(unique=True)
    private_key = EncryptedTextField()  # PEM, PKCS #8
    public_key = models.CharField(max_length=66)  # compressed point, hexadecimal
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("key for certificates")
        verbose_name_plural = _("keys for certificates")

    def __str__(self) -> str:
        return str(self.number)


class Phone(PubliclyIdentified, models.Model):
    """A phone on which a worker shows codes. Its private key never left it; `public_key` is a compressed point."""

    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="phones")
    public_key = models.CharField(max_length=66, unique=True)
    name = models.CharField(_("name"), max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(_("blocked at"), null=True, blank=True)

    objects = ScopedManager(union="worker__union__path__startswith")

    class Meta:
        verbose_name = _("phone for codes")
        verbose_name_plural = _("phones for codes")

    def __str__(self) -> str:
        return self.name or str(self.public_id)

    @property
    def dialog(self) -> str:
        """Name of its dialog on a page."""
        return f"block-{self.public_id.hex}"


class PhoneCertificate(models.Model):
    """What the house signed for a phone for some days. `number` stands in every code and says nothing of the worker;
    each certificate has another, so that merchants cannot follow anyone for longer."""

    phone = models.ForeignKey(Phone, on_delete=models.PROTECT, related_name="certificates")
    key = models.ForeignKey(HouseKey, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=16, unique=True)  # 8 bytes, hexadecimal
    issued_at = models.DateTimeField()
    valid_until = models.DateTimeField()

    objects = ScopedManager(union="phone__worker__union__path__startswith")

    class Meta:
        verbose_name = _("certificate of a phone")
        verbose_name_plural = _("certificates of phones")
        indexes = [models.Index(fields=["valid_until"], name="certificate_by_end")]
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gt=models.F("issued_at")), name="certificate_has_a_life"),
        ]

    def __str__(self) -> str:
        return self.number


class CodeSighting(models.Model):
    """A code was scanned at a counter: what came of it, `redeemed` or a reason.

    One code redeems once, whatever happens: the database holds it. The same code seen at two places is what the review
    list of fraud looks for.
    """

    certificate = models.ForeignKey(PhoneCertificate, on_delete=models.PROTECT, related_name="sightings")
    step = models.BigIntegerField()  # of 30 s since the epoch
    nonce = models.BigIntegerField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    seen_at = models.DateTimeField(_("seen at"))
    offline = models.BooleanField(default=False)
    outcome = models.CharField(max_length=24)
    redemption = models.OneToOneField(
        Redemption, on_delete=models.PROTECT, null=True, blank=True, related_name="sighting"
    )

    objects = ScopedManager(union="place__union__path__startswith")

    class Meta:
        verbose_name = _("sighting of a code")
        verbose_name_plural = _("sightings of codes")
        indexes = [models.Index(fields=["place", "seen_at"], name="sighting_at_place")]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "step", "nonce"],
                condition=Q(redemption__isnull=False),
                name="a_code_redeems_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.step} {self.outcome}"
