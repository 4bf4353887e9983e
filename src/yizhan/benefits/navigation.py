"""What this room puts into the desk's navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry
from yizhan.unions.rights import SEE_WORKERS

from .rights import EXCLUDE_WORKERS, MANAGE_PROGRAMMES, SEE_MERCHANT, VIEW_MONEY, VIEW_PROGRAMMES, VIEW_STATEMENTS

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from yizhan.unions.models import Staff


def _to_decide(staff: Staff) -> list[QuerySet[Any]]:
    from .queries.finance import exceptions, uploads_to_decide

    return [exceptions(for_staff=staff), uploads_to_decide(for_staff=staff)]


def _appeals(staff: Staff) -> list[QuerySet[Any]]:
    from .queries.programmes import appeals_waiting

    return [appeals_waiting(for_staff=staff)]


entries = [
    NavigationEntry(
        label=_("Programmes"), url_name="benefits:programmes", right=VIEW_PROGRAMMES, order=410, icon="money"
    ),
    NavigationEntry(
        label=_("Kept from programmes"),
        url_name="benefits:exclusions",
        right=EXCLUDE_WORKERS,
        order=432,
        icon="people",
        waiting=_appeals,
    ),
    NavigationEntry(label=_("Money"), url_name="benefits:money", right=VIEW_MONEY, order=440, icon="money"),
    NavigationEntry(
        label=_("Statements"), url_name="benefits:statements", right=VIEW_STATEMENTS, order=442, icon="list"
    ),
    NavigationEntry(
        label=_("Exceptions"),
        url_name="benefits:exceptions",
        right=VIEW_MONEY,
        order=444,
        icon="case",
        waiting=_to_decide,
    ),
    NavigationEntry(
        label=_("Reconciliation"), url_name="benefits:reconciliation", right=VIEW_MONEY, order=446, icon="chart"
    ),
    NavigationEntry(label=_("Signals"), url_name="benefits:signals", right=VIEW_MONEY, order=448, icon="search"),
    NavigationEntry(label=_("Merchants"), url_name="benefits:merchants", right=SEE_MERCHANT, order=420, icon="people"),
    NavigationEntry(
        label=_("Workers' phones"), url_name="benefits:worker_phones", right=SEE_WORKERS, order=434, icon="people"
    ),
    NavigationEntry(
        label=_("Paper vouchers"), url_name="benefits:vouchers", right=MANAGE_PROGRAMMES, order=430, icon="list"
    ),
]
