"""微心愿: what stands on the public wall, who claims it, and that exactly one sponsor does."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union

from .case import Case, CaseState, ClosedHow
from .kinds import UnscopedManager


class Sponsor(PubliclyIdentified, models.Model):
    """爱心企业: who makes wishes come true. Its name is public; whom to call is not.

    `link_number` is part of the signed link under which it claims: a higher one makes earlier links worthless.
    """

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="sponsors", verbose_name=_("union"))
    name = models.CharField(_("name"), max_length=80)
    contact_name = EncryptedTextField(_("contact person"), blank=True, default="")
    contact_phone = EncryptedTextField(_("phone"), blank=True, default="")
    note = models.CharField(_("remark"), max_length=200, blank=True)
    is_active = models.BooleanField(_("takes part"), default=True)
    link_number = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")
    rules = UnscopedManager()

    class Meta:
        verbose_name = _("sponsor")
        verbose_name_plural = _("sponsors")
        constraints = [models.UniqueConstraint(fields=["union", "name"], name="sponsor_has_its_own_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cases:sponsor", args=[self.public_id])


class WishState(models.TextChoices):
    """Where a published wish stands; whether the worker confirmed it follows from the case."""

    PUBLISHED = "published", _("On the wall")
    CLAIMED = "claimed", _("Claimed")
    DELIVERED = "delivered", _("Handed over")
    WITHDRAWN = "withdrawn", _("Taken off the wall")


class Wish(PubliclyIdentified, models.Model):
    """The public side of a wish case: words in which nobody can be recognised, reviewed before they stand here."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="wish")
    title = models.CharField(_("wish"), max_length=60)
    words = models.CharField(_("words"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=WishState, default=WishState.PUBLISHED)
    claim_until = models.DateTimeField(_("to be handed over by"), null=True)
    delivered_at = models.DateTimeField(null=True)
    thanks = EncryptedTextField(_("thanks"), null=True)  # as the worker wrote them, before anyone reviewed them
    thanks_public = models.CharField(_("published thanks"), max_length=300, blank=True)
    published_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    objects = ScopedManager(union="case__union__path__startswith")

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        indexes = [
            models.Index(fields=["state", "-published_at"], name="wish_wall"),
            models.Index(fields=["-published_at", "-id"], include=["case", "state"], name="wish_newest"),
            models.Index(
                fields=["-delivered_at", "-id"], name="wish_come_true", condition=Q(state=WishState.DELIVERED)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=WishState.values), name="wish_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=WishState.CLAIMED, claim_until__isnull=False)
                | (~Q(state=WishState.CLAIMED) & Q(claim_until=None)),
                name="wish_claimed_until_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("cases:wish", args=[self.public_id])

    @property
    def is_confirmed(self) -> bool:
        """Whether the worker said that it came true."""
        return (
            self.state == WishState.DELIVERED
            and self.case.state == CaseState.CLOSED
            and self.case.closed_how in {ClosedHow.CONFIRMED, ClosedHow.TELEPHONE}
        )


class ClaimEnd(models.TextChoices):
    """How a claim ended."""

    DELIVERED = "delivered", _("handed over")
    GIVEN_UP = "given_up", _("given up by the sponsor")
    TAKEN_BACK = "taken_back", _("taken back by the union")
    LAPSED = "lapsed", _("its time ran out")


class WishClaim(PubliclyIdentified, models.Model):
    """One sponsor's claim. The database lets one stand at a time, so that of two at once exactly one wins."""

    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, related_name="claims")
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, related_name="claims")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")  # None: by the signed link
    claimed_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_how = models.CharField(max_length=12, choices=ClaimEnd, blank=True)
    words = models.CharField(max_length=300, blank=True)

    objects = ScopedManager(union="wish__case__union__path__startswith")

    class Meta:
        verbose_name = _("claim of a wish")
        verbose_name_plural = _("claims of wishes")
        constraints = [
            models.UniqueConstraint(
                fields=["wish"],
                condition=Q(ended_at=None) | Q(ended_how=ClaimEnd.DELIVERED),
                name="wish_has_one_sponsor",
            ),
            models.CheckConstraint(condition=Q(until__gt=F("claimed_at")), name="wish_claim_has_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_how="") | (Q(ended_at__isnull=False) & ~Q(ended_how="")),
                name="wish_claim_ends_somehow",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sponsor} → {self.wish}"
