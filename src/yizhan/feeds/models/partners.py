"""Who gets the directory pushed, and how."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import DatumChoice, PlaceKind
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

OLD_SECRET_HOLDS = timedelta(days=1)
OPENS_AFTER = 5  # failures in a row; then the partner is only probed
MOST_IN_A_BATCH = 500


class UnscopedManager(models.Manager):  # type: ignore[type-arg]
    """Rows of every union, under a name that says so; pages never use it."""


class Carrier(models.TextChoices):
    """How changes reach a partner."""

    WEBHOOK = "webhook", _("Messages to its server (Standard Webhooks)")
    PLATFORM = "platform", _("The map platform's own interface")
    SFTP = "sftp", _("File by SFTP")
    EMAIL = "email", _("File by e-mail")
    NONE = "none", _("None: it reads our feeds itself")


class Signing(models.TextChoices):
    """With what messages are signed."""

    HMAC = "hmac", _("Shared secret (HMAC-SHA256)")
    ED25519 = "ed25519", _("Key pair (Ed25519)")


class FileForm(models.TextChoices):
    """What a file drop looks like."""

    XLSX = "xlsx", _("Excel (xlsx)")
    CSV = "csv", _("CSV (UTF-8)")


class PauseReason(models.TextChoices):
    """Why nothing is sent."""

    NONE = "", pgettext_lazy("pause", "not paused")
    STAFF = "staff", _("switched off by staff")
    GONE = "gone", _("its server says that it is gone (410)")


class Partner(PubliclyIdentified, models.Model):
    """12351、高德、百度、美团……: a machine that shows our places, with its datum, its words and what it may have.

    It gets places of its union and below, narrowed by `unions`, `kinds` and `areas` (division codes); none of these
    narrows where it is empty. `followed_to` is the number of the change up to which its listings are made. `failures`
    counts failed messages in a row; nothing is sent before `due_at`.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="partners", verbose_name=_("union"))
    name = models.CharField(_("name"), max_length=80)
    preset = models.CharField(_("preset"), max_length=20)
    contact = EncryptedTextField(pgettext_lazy("person", "contact"), blank=True, default="")
    datum = models.CharField(_("datum"), max_length=10, choices=DatumChoice)
    # Pairs of the partner's name and ours: an object would lose their order, which is that of a file's columns.
    mapping = models.JSONField(_("fields"), default=list)
    categories = models.JSONField(_("category codes"), default=dict)

    kinds = ArrayField(
        models.CharField(max_length=20, choices=PlaceKind), verbose_name=_("kinds"), default=list, blank=True
    )
    unions = models.ManyToManyField(Union, related_name="+", verbose_name=_("unions"), blank=True)
    areas = ArrayField(models.CharField(max_length=6), verbose_name=_("areas"), default=list, blank=True)

    key_digest = models.CharField(max_length=64, unique=True)
    key_hint = models.CharField(_("key begins with"), max_length=12)
    key_made_at = models.DateTimeField(_("key made at"))
    old_key_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    old_key_ends_at = models.DateTimeField(_("earlier key ends at"), null=True, blank=True)
    key_used_at = models.DateTimeField(_("key last used"), null=True, blank=True)
    requests_per_minute = models.PositiveIntegerField(_("requests a minute"), default=600)

    carrier = models.CharField(_("way"), max_length=10, choices=Carrier)
    address = models.CharField(_("address"), max_length=500, blank=True)
    signing = models.CharField(_("signature"), max_length=8, choices=Signing, default=Signing.HMAC)
    secret = EncryptedTextField(_("signing secret"), null=True, editable=False)
    old_secret = EncryptedTextField(_("earlier signing secret"), null=True, editable=False)
    secret_made_at = models.DateTimeField(_("secret made at"), null=True, blank=True)
    platform_key = EncryptedTextField(_("key of the platform"), null=True, blank=True)
    platform_table = models.CharField(_("table of the platform"), max_length=120, blank=True)
    host_key = models.TextField(_("host key"), blank=True)
    private_key = EncryptedTextField(_("own SSH key"), null=True, editable=False)
    email = models.EmailField(_("e-mail address"), blank=True)
    file_form = models.CharField(_("file format"), max_length=4, choices=FileForm, default=FileForm.XLSX)
    file_every_hours = models.PositiveSmallIntegerField(_("hours between two files"), default=24)

    is_simulated = models.BooleanField(_("simulated receiver"), default=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    pause_reason = models.CharField(_("reason"), max_length=8, choices=PauseReason, blank=True, default="")
    red_days = models.PositiveSmallIntegerField(_("days for taking a place down"), default=3)

    followed_to = models.BigIntegerField(default=0, editable=False)
    due_at = models.DateTimeField(_("next attempt at"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    told_failing_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_answer = models.CharField(_("last answer"), max_length=200, blank=True, editable=False)
    batch = models.PositiveSmallIntegerField(default=MOST_IN_A_BATCH, editable=False)
    created_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")
    # The pusher serves every union at once; a key is looked up before anyone knows whose it is.
    every = UnscopedManager()

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["union__path", "name"]
        constraints = [
            models.UniqueConstraint(fields=["union", "name"], name="partner_named_once_per_union"),
            models.CheckConstraint(condition=~Q(name=""), name="partner_has_a_name"),
            models.CheckConstraint(condition=Q(carrier__in=Carrier.values), name="partner_carrier_is_known"),
            models.CheckConstraint(condition=Q(datum__in=DatumChoice.values), name="partner_datum_is_known"),
            models.CheckConstraint(
                condition=~Q(carrier=Carrier.WEBHOOK) | Q(address="") | Q(secret__isnull=False),
                name="partner_messages_are_signed",
            ),
            models.CheckConstraint(condition=Q(key_digest__regex="^[0-9a-f]{64}$"), name="partner_key_is_digested"),
            models.CheckConstraint(
                condition=Q(requests_per_minute__gte=1, requests_per_minute__lte=60_000), name="partner_rate_in_range"
            ),
            models.CheckConstraint(
                condition=Q(file_every_hours__gte=1, file_every_hours__lte=744), name="partner_file_pause_in_range"
            ),
            models.CheckConstraint(condition=Q(red_days__gte=1, red_days__lte=90), name="partner_red_days_in_range"),
            models.CheckConstraint(
                condition=Q(batch__gte=1, batch__lte=MOST_IN_A_BATCH), name="partner_batch_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fields(self) -> dict[str, str]:
        """Partner's field → ours, in the order that the partner wants."""
        return dict(self.mapping)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent until staff let it go on."""
        return self.paused_at is not None

    @property
    def is_ready(self) -> bool:
        """Whether it is known how and where to send."""
        match self.carrier:
            case Carrier.WEBHOOK:
                return bool(self.address)
            case Carrier.PLATFORM:
                return bool(self.address and self.platform_key and self.platform_table)
            case Carrier.SFTP:
                return bool(self.address and self.host_key)
            case Carrier.EMAIL:
                return bool(self.email)
        return False

    @property
    def is_cut_off(self) -> bool:
        """Whether the circuit breaker is open: it failed so often that it is only probed."""
        return self.failures >= OPENS_AFTER

    @property
    def sends_files(self) -> bool:
        """Whether it gets the whole list as a file rather than the changes."""
        return self.carrier in {Carrier.SFTP, Carrier.EMAIL}

    def signing_keys(self, now: object = None) -> list[str]:
        """The keys with which a message is signed now: for a day after a change the earlier one, too."""
        at = now or timezone.now()
        changed = self.secret_made_at
        both = changed is not None and at - changed < OLD_SECRET_HOLDS  # type: ignore[operator]
        return [each for each in (self.secret, self.old_secret if both else None) if each]
