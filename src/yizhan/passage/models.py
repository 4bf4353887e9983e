"""What is stored of passing reminders: the rules, who may send pings, and the reminders. Never a position."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .pseudonyms import short_name

# What a union may set: (least, most), in the unit of the field's name.
LIMITS: dict[str, tuple[int, int]] = {
    "radius_m": (50, 2_000),
    "cool_down_s": (0, 7 * 86_400),
    "gap_s": (0, 86_400),
    "max_segment_gap_s": (0, 600),
    "max_speed_kmh": (20, 250),
    "still_open_s": (0, 4 * 3600),
    "silent_above_kmh": (0, 250),
    "quiet_from_min": (0, 1439),
    "quiet_until_min": (0, 1439),
}

MOST_SERVICES_ASKED = 10

# How many pings a source may send a second on average, if nothing else was agreed, and at most.
PINGS_PER_SECOND, MOST_PINGS_PER_SECOND = 20_000, 5_000_000

OLD_SECRET_HOLDS = timedelta(days=1)


class UnscopedManager(models.Manager):  # type: ignore[type-arg]
    """Rows of every union, under a name that says so; views never use it."""


def _within(field: str) -> Q:
    least, most = LIMITS[field]
    return Q(**{f"{field}__gte": least, f"{field}__lte": most})


class PassageSettings(models.Model):
    """The rules by which a union's places, and those of the unions below it, remind.

    A union without a row follows the nearest union above that has one; without any, the defaults here hold.
    """

    union = models.OneToOneField(
        Union, on_delete=models.PROTECT, related_name="passage_settings", verbose_name=_("union")
    )
    reminders_on = models.BooleanField(_("reminders are on"), default=True)
    unknown_hours_remind = models.BooleanField(_("places with unknown hours remind, too"), default=False)
    radius_m = models.PositiveIntegerField(_("radius in metres"), default=300)
    cool_down_s = models.PositiveIntegerField(_("pause of one place in seconds"), default=4 * 3600)
    gap_s = models.PositiveIntegerField(_("pause of all places in seconds"), default=600)
    max_segment_gap_s = models.PositiveIntegerField(_("longest silence on a path in seconds"), default=120)
    max_speed_kmh = models.PositiveIntegerField(_("highest plausible speed in km/h"), default=150)
    still_open_s = models.PositiveIntegerField(_("how much longer it must stay open, in seconds"), default=0)
    silent_above_kmh = models.PositiveIntegerField(_("silent above km/h; 0: never"), default=0)
    quiet_from_min = models.PositiveIntegerField(_("quiet from, minutes after midnight"), default=0)
    quiet_until_min = models.PositiveIntegerField(_("quiet until, minutes after midnight"), default=0)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = ScopedManager(union="union__path__startswith")
    # Rules reach down the tree: whoever applies them reads those of unions above the scope, too.
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("rules of passing reminders")
        verbose_name_plural = _("rules of passing reminders")
        constraints = [
            models.CheckConstraint(condition=_within(field), name=f"passage_{field}_within_limits") for field in LIMITS
        ]

    def __str__(self) -> str:
        return str(self.union)


class PingSource(PubliclyIdentified, models.Model):
    """A fleet or partner that may send pings. Its key is shown once; what is kept cannot be turned back into it."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="ping_sources", verbose_name=_("union"))
    name = models.CharField(_("name"), max_length=80)
    is_simulated = models.BooleanField(_("simulated vehicles"), default=False)
    pings_per_second = models.PositiveIntegerField(_("most pings a second"), default=PINGS_PER_SECOND)
    counts_kept = models.BooleanField(_("vehicles are counted by square and hour"), default=False)
    key_digest = models.CharField(max_length=64, unique=True)
    key_hint = models.CharField(_("key begins with"), max_length=12)
    webhook_url = models.CharField(_("address for reminders"), max_length=500, blank=True)
    webhook_secret = EncryptedTextField(_("signing secret"), null=True, editable=False)
    webhook_old_secret = EncryptedTextField(_("earlier signing secret"), null=True, editable=False)
    webhook_secret_made_at = models.DateTimeField(_("secret made at"), null=True, blank=True)
    created_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    key_made_at = models.DateTimeField(_("key made at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ScopedManager(union="union__path__startswith")
    # The stream serves every union at once and asks for no scope.
    every = UnscopedManager()

    class Meta:
        verbose_name = _("source of pings")
        verbose_name_plural = _("sources of pings")
        ordering = ["union__path", "name"]
        constraints = [
            models.UniqueConstraint(fields=["union", "name"], name="ping_source_named_once_per_union"),
            models.CheckConstraint(condition=~Q(name=""), name="ping_source_has_a_name"),
            models.CheckConstraint(
                condition=Q(pings_per_second__gte=1, pings_per_second__lte=MOST_PINGS_PER_SECOND),
                name="ping_source_rate_is_within_limits",
            ),
            models.CheckConstraint(
                condition=Q(webhook_url="") | Q(webhook_secret__isnull=False), name="ping_source_signs_what_it_sends"
            ),
            models.CheckConstraint(condition=Q(key_digest__regex="^[0-9a-f]{64}$"), name="ping_source_key_is_digested"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether its key is taken."""
        return self.revoked_at is None

    @property
    def webhook_secrets(self) -> list[str]:
        """The secrets with which a message is signed now: for a day after a change the earlier one, too."""
        changed = self.webhook_secret_made_at
        both = changed is not None and timezone.now() - changed < OLD_SECRET_HOLDS
        return [each for each in (self.webhook_secret, self.webhook_old_secret if both else None) if each]


class VehicleWish(models.Model):
    """What the driver of a vehicle wants to hear: nothing at all, or only of places that offer what they need.

    The vehicle is the pseudonym that reminders carry, too. A driver without wishes has no row.
    """

    source = models.ForeignKey(PingSource, on_delete=models.CASCADE, related_name="wishes", verbose_name=_("source"))
    vehicle = models.BigIntegerField(_("vehicle"))
    is_silent = models.BooleanField(_("wants no reminders"), default=False)
    services = ArrayField(
        models.SlugField(max_length=40), verbose_name=_("services asked for"), default=list, blank=True
    )
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = ScopedManager(union="source__union__path__startswith")
    # The stream serves every union at once and asks for no scope.
    every = UnscopedManager()

    class Meta:
        verbose_name = _("wish of a driver")
        verbose_name_plural = _("wishes of drivers")
        constraints = [
            models.UniqueConstraint(fields=["vehicle", "source"], name="vehicle_wish_once"),
            models.CheckConstraint(
                condition=Q(is_silent=True) | Q(services__len__gt=0), name="vehicle_wish_says_something"
            ),
            models.CheckConstraint(
                condition=Q(services__len__lte=MOST_SERVICES_ASKED), name="vehicle_wish_asks_for_few_services"
            ),
        ]

    def __str__(self) -> str:
        return short_name(self.vehicle)


class Reminder(PubliclyIdentified, models.Model):
    """路过提醒: a vehicle passed an open place and was told. Who it was, is a pseudonym; where it was, is not kept.

    A reminder goes out only once it is here. The same passage is one row, however often it is handed in. `batch` is a
    keyed digest of the batch that caused it, by which a sender who repeats the batch gets the same reminders again.
    """

    vehicle = models.BigIntegerField(_("vehicle"))
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("place"), db_index=False
    )
    union = models.ForeignKey(
        Union, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("union"), db_index=False
    )
    source = models.ForeignKey(PingSource, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("source"))
    passed_at = models.DateTimeField(_("passed at"))
    distance_m = models.FloatField(_("distance in metres"))
    is_simulated = models.BooleanField(_("simulated"), default=False)
    batch = models.UUIDField(_("batch"), null=True, editable=False)
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")
    # The reminder log is the state of the stream, which serves every union at once.
    log = UnscopedManager()

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        indexes = [
            models.Index(fields=["union", "-passed_at"], name="reminder_by_union_and_time"),
            models.Index(fields=["place", "-passed_at"], name="reminder_by_place_and_time"),
            models.Index(fields=["-passed_at"], name="reminder_by_time"),
            models.Index(fields=["-recorded_at"], name="reminder_by_record"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["vehicle", "place", "passed_at"], name="reminder_once_per_passage"),
            models.CheckConstraint(
                condition=Q(distance_m__gte=0, distance_m__lte=5_000), name="reminder_distance_is_plausible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_name} · {self.place}"

    @property
    def vehicle_name(self) -> str:
        """The pseudonym, short enough to read and to tell two vehicles apart on one screen."""
        return short_name(self.vehicle)


class Delivery(models.Model):
    """A reminder that has yet to reach its source's address, written together with the reminder.

    It is removed once the address has taken it. `payload` is what is told, with the source's own name of the vehicle,
    which nothing else keeps: encrypted, and gone when it was delivered or after a month as a dead letter.
    """

    reminder = models.OneToOneField(
        Reminder, on_delete=models.CASCADE, related_name="delivery", verbose_name=_("reminder")
    )
    source = models.ForeignKey(
        PingSource, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("source"), db_index=False
    )
    payload = EncryptedTextField(_("message"), editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt at"))
    last_answer = models.CharField(_("last answer"), max_length=100, blank=True)
    died_at = models.DateTimeField(_("given up at"), null=True, blank=True)

    objects = ScopedManager(union="source__union__path__startswith")
    # The stream delivers for every union at once and asks for no scope.
    every = UnscopedManager()

    class Meta:
        verbose_name = pgettext_lazy("reminder", "delivery")
        verbose_name_plural = pgettext_lazy("reminder", "deliveries")
        indexes = [
            models.Index(fields=["due_at"], condition=Q(died_at=None), name="delivery_due"),
            models.Index(fields=["source", "-died_at"], name="delivery_by_source"),
        ]

    def __str__(self) -> str:
        return str(self.reminder.public_id)


class Phone(PubliclyIdentified, models.Model):
    """A phone of our own app's user that gets the reminders of a vehicle (Web Push).

    Whose phone it is, nobody asked. Before it is paired it has a code that its owner enters in the company's app.
    """

    subscription = EncryptedTextField(_("address for notices"), editable=False)
    token_digest = models.CharField(max_length=64, unique=True)
    code_digest = models.CharField(max_length=64, unique=True)
    code_until = models.DateTimeField(_("code holds until"))
    source = models.ForeignKey(
        PingSource, on_delete=models.CASCADE, null=True, related_name="phones", verbose_name=_("source"), db_index=False
    )
    vehicle = models.BigIntegerField(_("vehicle"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    paired_at = models.DateTimeField(_("paired at"), null=True)

    objects = ScopedManager(union="source__union__path__startswith")
    # A phone belongs to no union; its own token is what lets it in.
    every = UnscopedManager()

    class Meta:
        verbose_name = pgettext_lazy("device", "phone")
        verbose_name_plural = pgettext_lazy("device", "phones")
        indexes = [models.Index(fields=["vehicle", "source"], name="phone_by_vehicle")]
        constraints = [
            models.CheckConstraint(
                condition=Q(source__isnull=True, vehicle__isnull=True, paired_at__isnull=True)
                | Q(source__isnull=False, vehicle__isnull=False, paired_at__isnull=False),
                name="phone_is_paired_or_not",
            )
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Notice(models.Model):
    """A reminder that has yet to reach a phone, written together with the reminder and gone once it was pushed."""

    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="notices", verbose_name=_("reminder"))
    phone = models.ForeignKey(
        Phone, on_delete=models.CASCADE, related_name="notices", verbose_name=pgettext_lazy("device", "phone")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt at"), db_index=True)

    objects = ScopedManager(union="reminder__union__path__startswith")
    # The stream pushes for every union at once and asks for no scope.
    every = UnscopedManager()

    class Meta:
        verbose_name = pgettext_lazy("reminder", "notice")
        verbose_name_plural = pgettext_lazy("reminder", "notices")
        constraints = [models.UniqueConstraint(fields=["reminder", "phone"], name="notice_once_per_phone")]

    def __str__(self) -> str:
        return f"{self.reminder_id} · {self.phone_id}"


LEAST_VEHICLES = 5
SQUARES_PER_DEGREE = 100


class HourCount(models.Model):
    """How many vehicles of a source were in a square of a hundredth of a degree (about 1 km) in one hour.

    All that an installation ever keeps of where vehicles were, and only if the source's union wants it. Squares with
    fewer than `LEAST_VEHICLES` are not kept: who drives alone could be told from a count.
    """

    source = models.ForeignKey(
        PingSource, on_delete=models.CASCADE, related_name="counts", verbose_name=_("source"), db_index=False
    )
    hour = models.DateTimeField(_("hour"))
    column = models.SmallIntegerField(_("hundredths of a degree east"))
    row = models.SmallIntegerField(_("hundredths of a degree north"))
    vehicles = models.PositiveIntegerField(_("vehicles"))

    objects = ScopedManager(union="source__union__path__startswith")
    # The stream counts for every union at once and asks for no scope.
    every = UnscopedManager()

    class Meta:
        verbose_name = _("count of vehicles")
        verbose_name_plural = _("counts of vehicles")
        constraints = [
            models.UniqueConstraint(fields=["hour", "source", "column", "row"], name="hour_count_once"),
            models.CheckConstraint(condition=Q(vehicles__gte=LEAST_VEHICLES), name="hour_count_hides_the_few"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} · {self.vehicles}"

    @property
    def west(self) -> float:
        """Longitude of the square's western edge, WGS-84 degrees."""
        return self.column / SQUARES_PER_DEGREE

    @property
    def south(self) -> float:
        """Latitude of its southern edge."""
        return self.row / SQUARES_PER_DEGREE
