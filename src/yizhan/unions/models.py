"""The union tree and its people."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from treebeard.mp_tree import MP_Node, MP_NodeManager

from .identity import PubliclyIdentified
from .rights import Role


class Level(models.TextChoices):
    """Where a union stands: the four levels of the federation, and those that hang anywhere."""

    NATION = "nation", _("National federation")
    PROVINCE = "province", _("Province")
    CITY = "city", _("City")
    DISTRICT = "district", _("District or county")
    STREET = "street", _("Street or town")
    ENTERPRISE = "enterprise", _("Enterprise")
    SECTOR = "sector", _("Sector or industry")


class Union(PubliclyIdentified, MP_Node):
    """工会: a node of the union tree. Names and places in the tree are public; what belongs to a union is not."""

    name = models.CharField(_("name"), max_length=120)
    level = models.CharField(_("level"), max_length=12, choices=Level)
    division_code = models.CharField(_("division code"), max_length=12, null=True, blank=True, unique=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    node_order_by: ClassVar[list[str]] = []
    objects = MP_NodeManager()
    # Only those at or below the acting union; raises outside of a scope.
    scoped = ScopedManager(_manager_class=MP_NodeManager, union="path__startswith")

    class Meta:
        verbose_name = _("union")
        verbose_name_plural = _("unions")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes people who sign in."""

    def create_user(self, username: str | None = None, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(PubliclyIdentified, AbstractBaseUser):
    """A person who signs in: workers by phone and one-time code, staff by user name, password and second factor."""

    username = models.CharField(_("user name"), max_length=60, unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=60, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.username or str(self.public_id)


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
