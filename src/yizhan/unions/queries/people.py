"""Reading posts and workers. All is scoped to the acting post's union and below."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from yizhan.unions.encryption import blind_index
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.personal_data import normal_identity_number, normal_phone


def posts(*, for_staff: Staff) -> QuerySet[Staff]:
    """Posts at and below the acting post's union."""
    found: QuerySet[Staff] = (
        Staff.objects.with_scopes_disabled()
        .filter(union__path__startswith=for_staff.union.path)
        .select_related("user", "union")
        .order_by("union__path", "role", "user__name", "pk")
    )
    return found


def workers(*, for_staff: Staff) -> QuerySet[Worker]:
    """Workers of the acting post's union and below."""
    found: QuerySet[Worker] = (
        Worker.objects.with_scopes_disabled()
        .filter(union__path__startswith=for_staff.union.path)
        .select_related("user", "union")
        .order_by("union__path", "user__name", "pk")
    )
    return found


def matching(found: QuerySet[Worker], text: str) -> QuerySet[Worker]:
    """Workers by part of the name, or by the whole phone or identity number: parts of those cannot be searched."""
    text = text.strip()
    if not text:
        return found
    try:
        return found.filter(user__phone_index=blind_index("phone", normal_phone(text)))
    except RuleBroken:
        pass
    try:
        return found.filter(identity_number_index=blind_index("identity_number", normal_identity_number(text)))
    except RuleBroken:
        return found.filter(user__name__icontains=text)


def one_called(text: str, *, among: QuerySet[Worker]) -> Worker | None:
    """The one of these workers with that whole phone or identity number, or with that identifier; None if not one."""
    text = text.strip()
    try:
        return among.filter(public_id=UUID(text)).first()
    except ValueError:
        pass
    if not any(character.isdigit() for character in text):
        return None
    found = list(matching(among, text)[:2])
    return found[0] if len(found) == 1 else None


def posts_of(staff: Staff) -> QuerySet[Staff]:
    """All posts in which the same person may act."""
    return posts_held_by(staff.user)


def posts_held_by(user: User) -> QuerySet[Staff]:
    """All posts in which this person may act, the first one first."""
    found: QuerySet[Staff] = (
        Staff.objects.with_scopes_disabled()
        .filter(user=user.pk, is_active=True, union__is_active=True)
        .select_related("union", "user")
        .order_by("pk")
    )
    return found


def worker_of(user: User) -> Worker | None:
    """What is known of this person as a worker."""
    found: Worker | None = (
        Worker.objects.with_scopes_disabled().filter(user=user.pk).select_related("user", "union").first()
    )
    return found
