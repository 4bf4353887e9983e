"""Visits (三走进: 走进家里、群里、心里) and the rounds in which they are planned."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import EAST, NORTH, SOUTH, WEST, Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker


class VisitKind(models.TextChoices):
    """Where a visit goes."""

    HOME = "home", _("At home")
    GROUP = "group", _("In the chat group")
    HEART = "heart", _("Heart to heart")
    ENTERPRISE = "enterprise", _("At an enterprise")
    STATION = "station", _("At a station")


class RoundState(models.TextChoices):
    """Where a round stands."""

    PLANNED = "planned", _("Planned")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Called off")


MOST_STOPS = 40
MOST_COUNTED = 2_000


def _in_china_or_nowhere(lon: str = "lon", lat: str = "lat") -> Q:
    return Q(**{f"{lon}__isnull": True, f"{lat}__isnull": True}) | Q(
        **{f"{lon}__isnull": False, f"{lat}__isnull": False},
        **{f"{lon}__gte": WEST, f"{lon}__lte": EAST, f"{lat}__gte": SOUTH, f"{lat}__lte": NORTH},
    )


class Round(PubliclyIdentified, models.Model):
    """A day's stops of one post, in the order in which they are visited. Start: WGS-84 degrees, where known."""

    post = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="rounds", verbose_name=_("who"))
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="rounds", verbose_name=_("union"))
    title = models.CharField(_("title"), max_length=80)
    day = models.DateField(_("day"))
    state = models.CharField(_("state"), max_length=10, choices=RoundState, default=RoundState.PLANNED)
    start_lon = models.FloatField(null=True)
    start_lat = models.FloatField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        indexes = [models.Index(fields=["union", "-day"], name="round_by_union")]
        constraints = [
            models.CheckConstraint(
                condition=_in_china_or_nowhere("start_lon", "start_lat"), name="round_starts_in_china"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.day}"

    def get_absolute_url(self) -> str:
        return reverse("cases:round", args=[self.public_id])


class RoundStop(PubliclyIdentified, models.Model):
    """One stop: a place, a lower union, a worker, or something that only has a name. WGS-84 degrees, where known."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="stops")
    order = models.PositiveSmallIntegerField(_("order"))
    kind = models.CharField(_("kind"), max_length=10, choices=VisitKind)
    name = models.CharField(_("where"), max_length=120)
    address = models.CharField(_("address"), max_length=200, blank=True)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, related_name="+")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, related_name="+")
    linked_union = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, related_name="+")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    note = models.CharField(_("what for"), max_length=200, blank=True)

    objects = ScopedManager(union="round__union__path__startswith")

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "order"], name="stop_has_one_turn", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=_in_china_or_nowhere(), name="stop_lies_in_china"),
        ]

    def __str__(self) -> str:
        return self.name


class Visit(PubliclyIdentified, models.Model):
    """What one post did on one visit. Made on the phone under `client_id`; each save has its own `request_id`.

    `counted` are people met whose names nobody took down; those with names are `people`. `revision` grows with every
    save: whoever saves says which revision they saw, and a save of an older one is set aside, never lost.
    """

    post = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="visits", verbose_name=_("who"))
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="visits", verbose_name=_("union"))
    client_id = models.UUIDField(editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=VisitKind)
    at = models.DateTimeField(_("when"))
    minutes = models.PositiveSmallIntegerField(_("minutes"), null=True)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, related_name="visits")
    linked_union = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, related_name="visits_received")
    stop = models.ForeignKey(RoundStop, on_delete=models.SET_NULL, null=True, related_name="visits")
    where = models.CharField(_("where"), max_length=120)
    company = models.CharField(_("platform or company"), max_length=60, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    counted = models.PositiveSmallIntegerField(_("further people met"), default=0)
    words = models.TextField(_("what was said"), max_length=4_000, blank=True)
    revision = models.PositiveIntegerField(default=1)
    recorded_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    people = models.ManyToManyField(Worker, through="VisitPerson", related_name="visits")

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [
            models.Index(fields=["union", "-at"], name="visit_by_union"),
            models.Index(fields=["post", "-at"], name="visit_by_post"),
            models.Index(fields=["-at", "-id"], name="visit_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["post", "client_id"], name="visit_made_once"),
            models.CheckConstraint(condition=Q(counted__lte=MOST_COUNTED), name="visit_counts_people_in_sight"),
            models.CheckConstraint(condition=Q(kind__in=VisitKind.values), name="visit_kind_is_known"),
            models.CheckConstraint(condition=_in_china_or_nowhere(), name="visit_lies_in_china"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.where}"

    def get_absolute_url(self) -> str:
        return reverse("cases:visit", args=[self.public_id])


class VisitPerson(models.Model):
    """A worker who was met, by name."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="met")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="met_at")

    objects = ScopedManager(union="visit__union__path__startswith")

    class Meta:
        verbose_name = _("person met")
        verbose_name_plural = _("people met")
        constraints = [models.UniqueConstraint(fields=["visit", "worker"], name="person_met_once_a_visit")]

    def __str__(self) -> str:
        return str(self.worker)


class VisitSave(models.Model):
    """What was sent, word for word: every save, also those that came too late and were set aside. Append-only.

    `facts` are the visit's fields as the phone sent them; `outcome` says what became of them.
    """

    class Outcome(models.TextChoices):
        """What became of a save."""

        TAKEN = "taken", _("taken")
        SET_ASIDE = "set_aside", _("set aside: it was based on an older revision")

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="saves")
    request_id = models.UUIDField(editable=False)
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    base = models.PositiveIntegerField(_("based on revision"))
    revision = models.PositiveIntegerField(_("became revision"), null=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    facts = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="visit__union__path__startswith")

    class Meta:
        verbose_name = _("save of a visit")
        verbose_name_plural = _("saves of visits")
        constraints = [
            models.UniqueConstraint(fields=["post", "request_id"], name="visit_saved_once"),
            models.UniqueConstraint(
                fields=["visit", "revision"], condition=Q(revision__isnull=False), name="visit_revision_once"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="visit_save_is_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="RAISE EXCEPTION 'the saves of visits are append-only';",
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit} {self.outcome}"


class VisitSettled(models.Model):
    """Someone looked at a save that was set aside and settled which words hold."""

    save_set_aside = models.OneToOneField(VisitSave, on_delete=models.PROTECT, related_name="settled")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="save_set_aside__visit__union__path__startswith")

    class Meta:
        verbose_name = _("conflict settled")
        verbose_name_plural = _("conflicts settled")

    def __str__(self) -> str:
        return str(self.save_set_aside)


class VisitPhoto(PubliclyIdentified, models.Model):
    """A picture of a visit: written anew, without position and device. `client_id` is made on the phone."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="photos")
    client_id = models.UUIDField(editable=False)
    file = models.FileField(upload_to="visit-photos/%Y/%m")
    small = models.FileField(upload_to="visit-photos/%Y/%m")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="visit__union__path__startswith")

    class Meta:
        verbose_name = _("photo of a visit")
        verbose_name_plural = _("photos of visits")
        constraints = [models.UniqueConstraint(fields=["visit", "client_id"], name="visit_photo_once")]

    def __str__(self) -> str:
        return str(self.public_id)


class VisitNeed(PubliclyIdentified, models.Model):
    """A need heard on a visit, and the case that was made of it in the same step."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="needs")
    client_id = models.UUIDField(editable=False)
    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="heard_on")

    objects = ScopedManager(union="visit__union__path__startswith")

    class Meta:
        verbose_name = _("need heard")
        verbose_name_plural = _("needs heard")
        constraints = [models.UniqueConstraint(fields=["visit", "client_id"], name="visit_need_once")]

    def __str__(self) -> str:
        return str(self.public_id)
