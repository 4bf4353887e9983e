"""What this room puts into the desk's navigation."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import Staff
from yizhan.unions.navigation import NavigationEntry
from yizhan.unions.rights import policy

from .models import SubsidyState
from .queries.board import waiting_for
from .queries.subsidies import subsidies_for
from .rights import PAY_SUBSIDIES, VIEW_RESCUE, VIEW_SUBSIDIES


def _waiting(staff: Staff) -> list[QuerySet[Any]]:
    return [waiting_for(staff)]


def _unpaid(staff: Staff) -> list[QuerySet[Any]]:
    if not policy.holds(staff, PAY_SUBSIDIES):
        return []
    return [subsidies_for(staff).filter(state=SubsidyState.REFUSED).order_by().select_related(None)]


entries = [
    NavigationEntry(
        label=_("Roadside rescue"),
        url_name="rescue:board",
        right=VIEW_RESCUE,
        order=250,
        icon="live",
        waiting=_waiting,
    ),
    NavigationEntry(
        label=_("Rescue subsidies"),
        url_name="rescue:subsidies",
        right=VIEW_SUBSIDIES,
        order=255,
        icon="money",
        waiting=_unpaid,
    ),
]
