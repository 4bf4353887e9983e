"""Reading the audit trail."""

from __future__ import annotations

from django.db.models import QuerySet

from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import READ_AUDIT, policy


def entries(*, for_staff: Staff) -> QuerySet[AuditEntry]:
    """What was done at the acting post's union and below, newest first.

    Raises:
        NotAllowed: the post may not read the trail.
    """
    policy.require(for_staff, READ_AUDIT, for_staff.union)
    found: QuerySet[AuditEntry] = (
        AuditEntry.objects.with_scopes_disabled()
        .filter(union__path__startswith=for_staff.union.path)
        .select_related("person", "post__union", "union")
        .order_by("-at", "-pk")
    )
    return found
