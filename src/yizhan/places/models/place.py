"""What a place is."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.geo import Datum, convert
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Occupation, Staff, Union

# The area in which China lies, South China Sea included, in WGS-84 degrees. A position outside is a slip
# (longitude and latitude swapped, metres for degrees, zero), never a place of ours.
WEST, EAST = 73.0, 136.0
SOUTH, NORTH = 3.0, 54.0

STARS_TO_BEGIN_WITH, MOST_STARS = 3, 5


class PlaceKind(models.TextChoices):
    """What a place is, in the words over its door."""

    STATION = "station", _("Service station")
    RESTAURANT = "restaurant", _("Rider restaurant")
    REPAIR_POINT = "repair_point", _("Repair and rescue point")
    DRIVER_HOME = "driver_home", _("Drivers' home")
    OTHER = "other", _("Other place")


class PlaceStatus(models.TextChoices):
    """The life of a place. Only `PUBLISHED` is seen by everyone; `CLOSED` stays readable as a tombstone."""

    DRAFT = "draft", _("Draft")
    VERIFIED = "verified", _("Verified")
    PUBLISHED = "published", _("Published")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed for good")


class PositionSource(models.TextChoices):
    """How the position came about, which says how far it can be trusted."""

    SURVEY = "survey", _("Measured on the spot")
    MAP = "map", _("Picked on a map")
    GEOCODE = "geocode", _("Found from the address")
    FILE = "file", _("From an imported file")
    SAMPLE = "sample", _("Sample data")


class Access(models.TextChoices):
    """How the door opens."""

    UNKNOWN = "", _("Not known")
    WALK_IN = "walk_in", _("Walk in")
    QR = "qr", _("Scan a QR code")
    CODE = "code", _("Door code")
    ATTENDANT = "attendant", _("Someone lets you in")


class Users(models.TextChoices):
    """Whom a place serves."""

    EVERYONE = "everyone", _("All who work outdoors")
    MEMBERS = "members", _("Union members")
    OCCUPATIONS = "occupations", _("Certain occupations")


class DatumChoice(models.TextChoices):
    """The datum in which a position was given."""

    WGS84 = Datum.WGS84.value, _("WGS-84 (GPS, CGCS2000)")
    GCJ02 = Datum.GCJ02.value, _("GCJ-02 (AMap, Tencent)")
    BD09 = Datum.BD09.value, _("BD-09 (Baidu)")


class PublishedPlaces(models.Manager["Place"]):
    """What everyone may see. Of a union that was deactivated nothing is: nobody answers for it any more."""

    def get_queryset(self) -> models.QuerySet[Place]:
        return super().get_queryset().filter(status=PlaceStatus.PUBLISHED, union__is_active=True)


class PublicPlaces(models.Manager["Place"]):
    """What has a public page: all that was ever published. Only what `is_public` leads anyone there."""

    def get_queryset(self) -> models.QuerySet[Place]:
        readable = [PlaceStatus.PUBLISHED, PlaceStatus.SUSPENDED, PlaceStatus.CLOSED]
        return super().get_queryset().filter(status__in=readable, published_at__isnull=False)


def _in_china_or_unknown(point: str) -> models.Q:
    """Both numbers of a point, within the area of China, or neither."""
    lon, lat = f"{point}_lon", f"{point}_lat"
    return models.Q(**{f"{lon}__isnull": True, f"{lat}__isnull": True}) | models.Q(
        **{f"{lon}__isnull": False, f"{lat}__isnull": False},  # comparing nothing is no refusal in SQL
        **{f"{lon}__gte": WEST, f"{lon}__lte": EAST, f"{lat}__gte": SOUTH, f"{lat}__lte": NORTH},
    )


class Place(PubliclyIdentified, models.Model):
    """驿站、惠骑餐厅、爱心修车救援点、司机之家: whatever has a location and hours.

    `lon` and `lat` are WGS-84 degrees. `hours` is OSM opening_hours syntax; empty means that nobody has told us.
    `revision` grows with every change: who changes a place says which revision they saw. `stars` go from none to five;
    a place begins with three, so that there is something to lose before anyone has judged it.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="places", verbose_name=_("union"))
    kind = models.CharField(_("kind"), max_length=20, choices=PlaceKind, default=PlaceKind.STATION)
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(_("address"), max_length=300, blank=True)
    district = models.CharField(_("district as stated"), max_length=60, blank=True)
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    datum_given = models.CharField(_("datum given"), max_length=10, choices=DatumChoice)
    position_source = models.CharField(_("source of position"), max_length=12, choices=PositionSource)
    hours = models.CharField(_("hours"), max_length=500, blank=True)
    contact = models.CharField(_("contact"), max_length=100, blank=True)
    contact_is_service = models.BooleanField(_("contact is a service number"), default=False, db_default=False)
    # Where the door is and where an e-bike may stand, WGS-84 degrees, when that differs from the position.
    entrance_lon = models.FloatField(_("longitude of the entrance"), null=True, blank=True)
    entrance_lat = models.FloatField(_("latitude of the entrance"), null=True, blank=True)
    parking_lon = models.FloatField(_("longitude of e-bike parking"), null=True, blank=True)
    parking_lat = models.FloatField(_("latitude of e-bike parking"), null=True, blank=True)
    # Most premises are borrowed, often from someone who is no union.
    host = models.ForeignKey(
        Union, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("union as host")
    )
    host_name = models.CharField(_("host"), max_length=120, blank=True, default="", db_default="")
    operator = models.ForeignKey(
        Union, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("operator")
    )
    funder = models.ForeignKey(
        Union, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("funder")
    )
    access = models.CharField(
        _("how to enter"), max_length=10, choices=Access, blank=True, default=Access.UNKNOWN, db_default=Access.UNKNOWN
    )
    access_note = models.CharField(_("note on entering"), max_length=200, blank=True, default="", db_default="")
    users = models.CharField(
        _("who may use it"), max_length=12, choices=Users, default=Users.EVERYONE, db_default=Users.EVERYONE
    )
    occupations = ArrayField(
        models.CharField(max_length=16, choices=Occupation), verbose_name=_("occupations"), default=list, blank=True
    )
    capacity = models.PositiveSmallIntegerField(_("seats"), null=True, blank=True)
    verified_at = models.DateTimeField(_("last verified"), null=True, blank=True)
    verified_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("verified by")
    )
    stale_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    stars = models.PositiveSmallIntegerField(_("stars"), default=STARS_TO_BEGIN_WITH, db_default=STARS_TO_BEGIN_WITH)
    status = models.CharField(_("status"), max_length=12, choices=PlaceStatus, default=PlaceStatus.DRAFT, db_index=True)
    status_note = models.CharField(_("reason"), max_length=300, blank=True)
    suspended_at = models.DateTimeField(_("suspended at"), null=True, blank=True)
    suspended_until = models.DateField(_("expected to open again on"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=40, blank=True)
    source_id = models.CharField(_("number at the source"), max_length=80, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=1)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    # Only those of the acting union and below; raises outside of a scope.
    objects = ScopedManager(union="union__path__startswith")
    published = PublishedPlaces()
    public = PublicPlaces()

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        indexes = [
            models.Index(fields=["union", "name"], name="place_by_union_and_name"),
            models.Index(fields=["lat", "lon"], name="place_by_position"),
            models.Index(fields=["changed_at"], name="place_by_change"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lon__gte=WEST, lon__lte=EAST, lat__gte=SOUTH, lat__lte=NORTH),
                name="place_lies_in_china",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="place_has_a_name"),
            models.CheckConstraint(condition=models.Q(status__in=PlaceStatus.values), name="place_status_is_known"),
            models.CheckConstraint(condition=models.Q(kind__in=PlaceKind.values), name="place_kind_is_known"),
            models.CheckConstraint(condition=_in_china_or_unknown("entrance"), name="place_entrance_lies_in_china"),
            models.CheckConstraint(condition=_in_china_or_unknown("parking"), name="place_parking_lies_in_china"),
            models.CheckConstraint(condition=models.Q(access__in=Access.values), name="place_access_is_known"),
            models.CheckConstraint(
                condition=models.Q(users__in=[Users.EVERYONE, Users.MEMBERS], occupations=[])
                | (models.Q(users=Users.OCCUPATIONS) & ~models.Q(occupations=[])),
                name="place_names_occupations_when_it_means_them",
            ),
            models.CheckConstraint(
                condition=models.Q(host__isnull=True) | models.Q(host_name=""), name="place_has_one_host"
            ),
            models.CheckConstraint(condition=models.Q(stars__lte=MOST_STARS), name="place_has_at_most_five_stars"),
            models.CheckConstraint(
                condition=~models.Q(status=PlaceStatus.PUBLISHED) | models.Q(published_at__isnull=False),
                name="place_published_since",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=PlaceStatus.CLOSED) | models.Q(closed_at__isnull=False),
                name="place_closed_since",
            ),
            models.CheckConstraint(
                condition=models.Q(status=PlaceStatus.SUSPENDED)
                | models.Q(suspended_at__isnull=True, suspended_until__isnull=True),
                name="place_suspension_is_over",
            ),
            models.UniqueConstraint(
                fields=["union", "source", "source_id"],
                condition=~models.Q(source_id=""),
                name="place_once_per_source",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("places:place", args=[self.public_id])

    @property
    def is_published(self) -> bool:
        """Whether its union lets everyone see it."""
        return self.status == PlaceStatus.PUBLISHED

    @property
    def is_public(self) -> bool:
        """Whether everyone is led there: it is published, and its union is still active."""
        return self.is_published and self.union.is_active

    @property
    def is_suspended(self) -> bool:
        """Whether it is withdrawn for the time being."""
        return self.status == PlaceStatus.SUSPENDED

    @property
    def is_closed(self) -> bool:
        """Whether it is closed for good."""
        return self.status == PlaceStatus.CLOSED

    @property
    def entrance(self) -> tuple[float, float] | None:
        """The door, WGS-84 longitude and latitude; None: at the position, or not known."""
        return _point(self.entrance_lon, self.entrance_lat)

    @property
    def parking(self) -> tuple[float, float] | None:
        """Where an e-bike may stand, WGS-84 longitude and latitude; None: not known."""
        return _point(self.parking_lon, self.parking_lat)

    @property
    def occupation_labels(self) -> list[str]:
        """Whom it serves when it serves certain occupations, in the reader's language."""
        return [str(Occupation(code).label) for code in self.occupations]

    def position(self, datum: Datum = Datum.WGS84) -> tuple[float, float]:
        """Longitude and latitude in degrees of `datum`."""
        return convert(self.lon, self.lat, source=Datum.WGS84, target=datum)


def _point(lon: float | None, lat: float | None) -> tuple[float, float] | None:
    return None if lon is None or lat is None else (lon, lat)
