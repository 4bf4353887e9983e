"""Who signs in, who serves and who is served."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.encryption import BlindIndexField, EncryptedTextField, blind_index
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.personal_data import mask_identity_number, mask_phone
from yizhan.unions.rights import Role

from .tree import Union


class UserManager(BaseUserManager["User"]):
    """Makes people who sign in, and finds them."""

    def create_user(self, username: str | None = None, password: str | None = None, **fields: Any) -> User:
        """A new person; `password=None` makes one who cannot sign in by password."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def with_phone(self, phone: str) -> User | None:
        """Whoever has the number `phone`, given in E.164 form."""
        return self.filter(phone_index=blind_index("phone", phone)).first()


class User(PubliclyIdentified, AbstractBaseUser):
    """A person who signs in: workers by phone and one-time code, staff by user name, password and second factor."""

    username = models.CharField(_("user name"), max_length=60, unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=60, blank=True)
    phone = EncryptedTextField(_("phone"), null=True, blank=True)  # E.164
    phone_index = BlindIndexField(of="phone", unique=True)
    phone_verified = models.BooleanField(default=False)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.username or self.masked_phone or str(self.public_id)

    @property
    def masked_phone(self) -> str:
        """What a screen may show of the phone number."""
        return mask_phone(self.phone)


class Staff(PubliclyIdentified, models.Model):
    """工会干部 and others with a role at a union. A person may hold several posts and acts in one at a time."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="posts")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="staff")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        constraints = [
            models.UniqueConstraint(fields=["user", "union", "role"], name="staff_holds_a_post_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.union} · {self.get_role_display()}"


class Occupation(models.TextChoices):
    """What a worker does outdoors."""

    FOOD_RIDER = "food_rider", _("Food-delivery rider")
    COURIER = "courier", _("Parcel courier")
    RIDE_DRIVER = "ride_driver", _("Ride-hailing driver")
    TAXI_DRIVER = "taxi_driver", _("Taxi driver")
    TRUCK_DRIVER = "truck_driver", _("Truck driver")
    SANITATION = "sanitation", _("Sanitation worker")
    DOMESTIC = "domestic", _("Domestic worker")
    SECURITY = "security", _("Security guard")
    CONSTRUCTION = "construction", _("Construction worker")
    OTHER = "other", _("Other outdoor work")


class Membership(models.TextChoices):
    """Whether a worker has joined a union (入会)."""

    NONE = "none", _("Not a member")
    APPLIED = "applied", _("Applied")
    MEMBER = "member", _("Member")


class Worker(PubliclyIdentified, models.Model):
    """小哥, 司机, 骑手: who is served. Needs no union to be served; has one once it is known."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="worker")
    union = models.ForeignKey(Union, on_delete=models.PROTECT, null=True, blank=True, related_name="workers")
    occupation = models.CharField(_("occupation"), max_length=16, choices=Occupation, blank=True)
    platform_company = models.CharField(_("platform company"), max_length=60, blank=True)
    membership = models.CharField(_("membership"), max_length=8, choices=Membership, default=Membership.NONE)
    identity_number = EncryptedTextField(_("identity number"), null=True, blank=True)
    identity_number_index = BlindIndexField(of="identity_number", unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return str(self.user)

    @property
    def masked_identity_number(self) -> str:
        """What a screen may show of the identity number."""
        return mask_identity_number(self.identity_number)
