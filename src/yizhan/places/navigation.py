"""What this room puts into the desk's navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .rights import IMPORT_PLACES, PRINT_PLATES, VIEW_PLACES, VIEW_REPORTS

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from yizhan.unions.models import Staff


def _unanswered(staff: Staff) -> list[QuerySet[Any]]:
    from .reports.queries import unanswered

    return [unanswered(for_staff=staff)]


entries = [
    NavigationEntry(label=_("Places"), url_name="places:places", right=VIEW_PLACES, order=100, icon="place"),
    NavigationEntry(label=_("Import places"), url_name="places:import", right=IMPORT_PLACES, order=110, icon="import"),
    NavigationEntry(
        label=_("Reports"), url_name="places:reports", right=VIEW_REPORTS, order=105, icon="case", waiting=_unanswered
    ),
    NavigationEntry(label=_("Door plates"), url_name="places:plates", right=PRINT_PLATES, order=115, icon="qr"),
]
