"""What links, visits and the task ledger put into the desk's navigation."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import Staff
from yizhan.unions.navigation import NavigationEntry

from .outreach_rights import VIEW_COVERAGE, VIEW_LEDGER, VIEW_LINKS, VIEW_VISITS


def _to_answer(staff: Staff) -> list[QuerySet[Any]]:
    from .links.queries import waiting_for

    return [waiting_for(staff)]


def _offered(staff: Staff) -> list[QuerySet[Any]]:
    from .ledger.queries import waiting

    return [waiting(staff)]


entries = [
    NavigationEntry(label=_("Visits"), url_name="cases:visits", right=VIEW_VISITS, order=320, icon="home"),
    NavigationEntry(label=_("Rounds"), url_name="cases:rounds", right=VIEW_VISITS, order=322, icon="map"),
    NavigationEntry(
        label=_("Links"), url_name="cases:links", right=VIEW_LINKS, order=330, icon="people", waiting=_to_answer
    ),
    NavigationEntry(label=_("Coverage"), url_name="cases:coverage", right=VIEW_COVERAGE, order=332, icon="chart"),
    NavigationEntry(
        label=_("Task ledger"), url_name="cases:ledger", right=VIEW_LEDGER, order=340, icon="list", waiting=_offered
    ),
]
