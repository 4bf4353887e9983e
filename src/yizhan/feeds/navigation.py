"""What this room puts into the desk's navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .rights import VIEW_PARTNERS

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from yizhan.unions.models import Staff


def _still_on_a_map(staff: Staff) -> list[QuerySet[Any]]:
    from .queries.partners import red_list

    return [red_list(for_staff=staff)]


entries = [
    NavigationEntry(label=_("Partners"), url_name="feeds:partners", right=VIEW_PARTNERS, order=150, icon="export"),
    NavigationEntry(label=_("On which maps"), url_name="feeds:coverage", right=VIEW_PARTNERS, order=152, icon="map"),
    NavigationEntry(
        label=_("Closed, still on a map"),
        url_name="feeds:red_list",
        right=VIEW_PARTNERS,
        order=154,
        icon="case",
        waiting=_still_on_a_map,
    ),
]
