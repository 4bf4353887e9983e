"""What this room puts into the desk's navigation."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import Staff
from yizhan.unions.navigation import NavigationEntry

from .queries.board import waiting_for
from .rights import VIEW_RESCUE


def _waiting(staff: Staff) -> list[QuerySet[Any]]:
    return [waiting_for(staff)]


entries = [
    NavigationEntry(
        label=_("Roadside rescue"),
        url_name="rescue:board",
        right=VIEW_RESCUE,
        order=250,
        icon="live",
        waiting=_waiting,
    ),
]
