"""Messages to staff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from yizhan.unions.models import InboxMessage, Staff, Union
from yizhan.unions.rights import Right, Role, policy


@transaction.atomic
def send(
    *,
    title: Any,
    body: Any = "",
    link: str = "",
    posts: Iterable[Staff] = (),
    union: Union | None = None,
    roles: Iterable[Role] = (),
    right: Right | None = None,
) -> list[InboxMessage]:
    """Put a message into the inbox of `posts` and of those who hold `roles` (or the roles of `right`) at `union`.

    Where nobody at `union` holds such a role, the nearest union above where someone does gets the message, so that
    it is read by somebody. Each receiver gets it once, in their own language when title and body are lazy.

    Args:
        title: One line; a string or a lazy translation.
        body: More text; the same.
        link: Path of the page to go to, such as `/desk/places/…/`.

    Returns:
        One message a receiver; none when nobody can receive it.
    """
    if link and (not link.startswith("/") or link.startswith("//")):
        msg = "a message links to a page of this site: a path that begins with /"
        raise ValueError(msg)
    wanted = {*roles, *(policy.roles(right) if right else ())}
    receivers = {post.pk: post for post in posts if post.is_active}
    if union is not None and wanted:
        receivers |= {post.pk: post for post in _nearest_holders(union, wanted)}
    messages = []
    for post in receivers.values():
        with translation.override(post.user.language or settings.LANGUAGE_CODE):
            messages.append(InboxMessage(post=post, title=str(title)[:200], body=str(body), link=link))
    return InboxMessage.objects.bulk_create(messages)


def _nearest_holders(union: Union, roles: set[Role]) -> list[Staff]:
    # Messages travel up the tree whoever acts, so this looks past the scope of the acting post.
    steps = range(len(union.path), 0, -Union.steplen)
    holders = list(
        Staff.objects.with_scopes_disabled()
        .filter(union__path__in=[union.path[:step] for step in steps], role__in=roles)
        .filter(is_active=True, user__is_active=True, union__is_active=True)
        .select_related("user", "union")
    )
    nearest = max((len(post.union.path) for post in holders), default=0)
    return [post for post in holders if len(post.union.path) == nearest]


@transaction.atomic
def mark_read(*, reader: Staff, public_ids: Iterable[Any] | None = None) -> int:
    """Mark the reader's unread messages as read: those named, or all; says how many there were."""
    unread = InboxMessage.objects.with_scopes_disabled().filter(post=reader, read_at=None)
    if public_ids is not None:
        unread = unread.filter(public_id__in=list(public_ids))
    return int(unread.update(read_at=timezone.now()))
