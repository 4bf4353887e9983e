"""The union tree."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager
from treebeard.mp_tree import MP_Node, MP_NodeManager

from yizhan.unions.identity import PubliclyIdentified


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
    # Unions deactivated by one act share its time, so that they can be brought back together.
    deactivated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    node_order_by: ClassVar[list[str]] = []
    objects = MP_NodeManager()
    # Only those at or below the acting union; raises outside of a scope.
    scoped = ScopedManager(_manager_class=MP_NodeManager, union="path__startswith")

    class Meta:
        verbose_name = _("union")
        verbose_name_plural = _("unions")
        indexes = [
            # Few are; every answer of the directory asks whether one more is.
            models.Index(fields=["deactivated_at"], name="union_inactive", condition=models.Q(is_active=False)),
        ]

    def __str__(self) -> str:
        return self.name
