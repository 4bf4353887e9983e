"""Who did, and who saw, what."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified

from .people import Staff, User
from .tree import Union

# A purge sets this for its own transaction; see services/trail.py. Everyone else is refused by the database.
PURGE_SETTING = "yizhan.purging_audit"


class AuditEntry(PubliclyIdentified, models.Model):
    """One act. The database itself refuses to change or remove a row, save for the logged retention purge."""

    at = models.DateTimeField(_("time"), auto_now_add=True)
    action = models.CharField(_("action"), max_length=60)
    person = models.ForeignKey(User, verbose_name=_("person"), on_delete=models.PROTECT, null=True, related_name="+")
    post = models.ForeignKey(Staff, verbose_name=_("post"), on_delete=models.PROTECT, null=True, related_name="+")
    union = models.ForeignKey(Union, verbose_name=_("union"), on_delete=models.PROTECT, null=True, related_name="+")
    target_kind = models.CharField(_("kind of target"), max_length=60, blank=True)
    target_id = models.CharField(_("target"), max_length=40, blank=True)
    target_label = models.CharField(_("name of target"), max_length=200, blank=True)
    details = models.JSONField(_("details"), default=dict)
    address = models.GenericIPAddressField(_("network address"), null=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["union", "-at"], name="audit_union_at"),
            models.Index(fields=["person", "-at"], name="audit_person_at"),
            models.Index(fields=["target_kind", "target_id"], name="audit_target"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="audit_is_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=(
                    "IF TG_OP = 'DELETE' AND current_setting('" + PURGE_SETTING + "', true) = 'on' THEN "
                    "RETURN OLD; END IF; "
                    "RAISE EXCEPTION 'the audit trail is append-only';"
                ),
            ),
            pgtrigger.Trigger(
                name="audit_is_not_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'the audit trail is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.target_label}"
