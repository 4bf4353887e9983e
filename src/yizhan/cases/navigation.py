"""What this room puts into the desk's navigation."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import Staff
from yizhan.unions.navigation import NavigationEntry

from . import outreach_navigation, wish_navigation
from .models import Case
from .queries.desk import open_cases, overdue
from .rights import MANAGE_INTAKE, VIEW_CASES


def _late(staff: Staff) -> list[QuerySet[Case]]:
    return [overdue(open_cases(staff, remembered=True))]


entries = [
    NavigationEntry(label=_("Cases"), url_name="cases:cases", right=VIEW_CASES, order=300, icon="case", waiting=_late),
    NavigationEntry(
        label=_("Problems and results"), url_name="cases:problems", right=VIEW_CASES, order=310, icon="chart"
    ),
    NavigationEntry(label=_("Kinds of cases"), url_name="cases:kinds", right=VIEW_CASES, order=380, icon="settings"),
    NavigationEntry(label=_("Ways in"), url_name="cases:intake", right=MANAGE_INTAKE, order=390, icon="qr"),
]
entries += outreach_navigation.entries
entries += wish_navigation.entries
