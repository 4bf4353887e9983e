"""What unions set: kinds of cases, who handles confidential ones, how cases may come in."""

from __future__ import annotations

import secrets
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.places.models import Place
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

# What a union may set, in working days: (least, most).
DAY_LIMITS: Final[dict[str, tuple[int, int]]] = {
    "answer_days": (1, 30),
    "progress_days": (1, 60),
    "result_days": (1, 180),
    "verdict_days": (3, 60),
    "escalate_days": (1, 30),
}


class UnscopedManager(models.Manager):  # type: ignore[type-arg]
    """Rows of every union, under a name that says so; views never use it."""


class CaseKind(models.Model):
    """How a union wants a kind of case; what is empty comes from the nearest union above, at last from `kinds.toml`."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="case_kinds")
    code = models.CharField(_("kind"), max_length=24)
    answer_days = models.PositiveSmallIntegerField(_("First answer: working days"), null=True, blank=True)
    progress_days = models.PositiveSmallIntegerField(_("News of progress: working days"), null=True, blank=True)
    result_days = models.PositiveSmallIntegerField(_("Result: working days"), null=True, blank=True)
    verdict_days = models.PositiveSmallIntegerField(_("Closes after silence: working days"), null=True, blank=True)
    escalate_days = models.PositiveSmallIntegerField(
        _("Union above is told after so many working days overdue"), null=True, blank=True
    )
    fields = models.JSONField(_("fields"), null=True, blank=True)
    is_offered = models.BooleanField(_("offered to workers"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")
    # Rules reach down the tree: whoever applies them reads those of unions above the scope, too.
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("kind of case")
        verbose_name_plural = _("kinds of cases")
        constraints = [
            models.UniqueConstraint(fields=["union", "code"], name="case_kind_once_per_union"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__range": limits}),
                    name=f"case_kind_{field}",
                )
                for field, limits in DAY_LIMITS.items()
            ),
        ]

    def __str__(self) -> str:
        return f"{self.union} {self.code}"


class CircleSeat(models.Model):
    """A post that handles the confidential cases of its union; without any, its administrators do."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="circle_seats")
    kind = models.CharField(_("kind"), max_length=24)
    given_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="staff__union__path__startswith")
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("seat in the circle of handlers")
        verbose_name_plural = _("seats in circles of handlers")
        constraints = [models.UniqueConstraint(fields=["staff", "kind"], name="circle_seat_once")]

    def __str__(self) -> str:
        return f"{self.staff} {self.kind}"


def new_code() -> str:
    """Ten letters and digits that cannot be mistaken for one another."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _n in range(10))


class IntakeCode(PubliclyIdentified, models.Model):
    """A printed QR code by which people bring cases to a union, or to the union of a place."""

    code = models.CharField(_("code"), max_length=10, unique=True, default=new_code, editable=False)
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="intake_codes")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="intake_codes")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("QR code for cases")
        verbose_name_plural = _("QR codes for cases")
        constraints = [
            models.UniqueConstraint(fields=["union", "place"], name="intake_code_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.code


class IntakeClient(PubliclyIdentified, models.Model):
    """Another system that files cases for workers through Open311; its key is kept as a digest only."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="intake_clients")
    name = models.CharField(_("name"), max_length=60)
    key_digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("system that files cases")
        verbose_name_plural = _("systems that file cases")

    def __str__(self) -> str:
        return self.name


class SavedFilter(PubliclyIdentified, models.Model):
    """A way of narrowing the list that a post uses again and again."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="case_filters")
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="staff__union__path__startswith")

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints = [models.UniqueConstraint(fields=["staff", "name"], name="case_filter_name_once")]

    def __str__(self) -> str:
        return self.name


class MailDigest(models.Model):
    """Where a post wants its daily list of open cases sent."""

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, related_name="case_digest")
    address = models.EmailField(_("mail address"), max_length=120)
    last_sent_on = models.DateField(null=True, blank=True)

    objects = ScopedManager(union="staff__union__path__startswith")

    class Meta:
        verbose_name = _("mail digest")
        verbose_name_plural = _("mail digests")

    def __str__(self) -> str:
        return str(self.staff)
