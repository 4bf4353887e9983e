"""Reading one's inbox."""

from __future__ import annotations

from django.db.models import QuerySet

from yizhan.unions.models import InboxMessage, Staff


def messages(*, for_staff: Staff, unread_only: bool = False) -> QuerySet[InboxMessage]:
    """The messages of one post, newest first. Nobody reads another's inbox, not even from above."""
    found: QuerySet[InboxMessage] = (
        InboxMessage.objects.with_scopes_disabled().filter(post=for_staff).order_by("-sent_at", "-pk")
    )
    return found.filter(read_at=None) if unread_only else found


def unread_count(*, for_staff: Staff) -> int:
    """How many messages of the post are unread."""
    return messages(for_staff=for_staff, unread_only=True).count()
