"""Keeping the audit trail as long as needed, and no longer."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry
from yizhan.unions.models.trail import PURGE_SETTING
from yizhan.unions.rights import OPERATOR


@transaction.atomic
def purge_trail(*, keep_days: int | None = None) -> int:
    """Remove entries older than `keep_days` (default: `settings.AUDIT_RETENTION_DAYS`); the purge itself is recorded.

    Returns:
        How many entries were removed.

    Raises:
        RuleBroken: fewer days than the installation must keep.
    """
    least = settings.AUDIT_RETENTION_DAYS
    days = least if keep_days is None else keep_days
    if days < least:
        raise RuleBroken.at(
            "keep_days", days, _("The audit trail is kept for at least %(days)s days.") % {"days": least}, "too_few"
        )
    before = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [PURGE_SETTING])
        cursor.execute(f"DELETE FROM {AuditEntry._meta.db_table} WHERE at < %s", [before])  # noqa: S608
        removed = int(cursor.rowcount)
        cursor.execute("SELECT set_config(%s, 'off', true)", [PURGE_SETTING])
    if removed:
        record(OPERATOR, actions.TRAIL_PURGED, union=None, details={"removed": removed, "before": before.isoformat()})
    return removed
