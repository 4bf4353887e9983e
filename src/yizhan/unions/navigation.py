"""What rooms put into the desk's navigation.

Each room lists its entries in its own `navigation.py` as `entries`; the shell discovers them and shows those
whose right the acting post holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from .rights import BROWSE_UNIONS, READ_AUDIT, SEE_POSTS, SEE_WORKERS, Right

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .models import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationEntry:
    """One entry of the desk's navigation.

    Attributes:
        label: What it is called; lazy, so that it follows the reader's language.
        url_name: Name of the address, such as `unions:people`; takes no arguments.
        right: Whoever holds it at their own union sees the entry; None shows it to every post.
        order: Position, smallest first; rooms take hundreds (places 100-199, passage 200-299, unions 800-899).
        icon: Name of an icon of the design system.
        waiting: Gives the rows that wait for the post, such as its unread messages, as one or several queries; the
            shell asks for the numbers of all entries at once, and shows none where nothing waits.
    """

    label: Any
    url_name: str
    right: Right | None = None
    order: int = 500
    icon: str = "circle"
    waiting: Callable[[Staff], Sequence[QuerySet[Any]]] | None = None


def _unread(staff: Staff) -> list[QuerySet[Any]]:
    from .queries.inbox import messages

    return [messages(for_staff=staff, unread_only=True)]


entries = [
    NavigationEntry(label=_("Inbox"), url_name="unions:inbox", order=20, icon="inbox", waiting=_unread),
    NavigationEntry(label=_("Unions"), url_name="unions:unions", right=BROWSE_UNIONS, order=800, icon="tree"),
    NavigationEntry(label=_("Posts"), url_name="unions:posts", right=SEE_POSTS, order=810, icon="people"),
    NavigationEntry(label=_("Workers"), url_name="unions:workers", right=SEE_WORKERS, order=820, icon="people"),
    NavigationEntry(label=_("Audit trail"), url_name="unions:audit", right=READ_AUDIT, order=890, icon="list"),
]
