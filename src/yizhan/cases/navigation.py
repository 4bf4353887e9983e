"""What this room puts into the desk's navigation."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.models import Staff
from yizhan.unions.navigation import NavigationEntry

from . import outreach_navigation, wish_navigation
from .queries.desk import counts
from .rights import MANAGE_INTAKE, VIEW_CASES


def _late(staff: Staff) -> int:
    return counts(staff, remembered=True).overdue


entries = [
    NavigationEntry(label=_("Cases"), url_name="cases:cases", right=VIEW_CASES, order=300, icon="case", count=_late),
    NavigationEntry(
        label=_("Problems and results"), url_name="cases:problems", right=VIEW_CASES, order=310, icon="chart"
    ),
    NavigationEntry(label=_("Kinds of cases"), url_name="cases:kinds", right=VIEW_CASES, order=380, icon="settings"),
    NavigationEntry(label=_("Ways in"), url_name="cases:intake", right=MANAGE_INTAKE, order=390, icon="qr"),
]
entries += outreach_navigation.entries
entries += wish_navigation.entries
