"""What figures, wishes, stock, rosters and consultations put into the desk's navigation."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .outreach_rights import VIEW_REACH
from .wish_rights import VIEW_MEETINGS, VIEW_ROSTER, VIEW_STOCK, VIEW_WISHES

entries = [
    NavigationEntry(
        label=_("Figures of visits and cases"), url_name="cases:figures", right=VIEW_REACH, order=312, icon="chart"
    ),
    NavigationEntry(label=_("Wishes"), url_name="cases:desk_wishes", right=VIEW_WISHES, order=350, icon="inbox"),
    NavigationEntry(label=_("Stock"), url_name="cases:stock", right=VIEW_STOCK, order=352, icon="list"),
    NavigationEntry(
        label=_("Lawyers and mediators"), url_name="cases:roster", right=VIEW_ROSTER, order=354, icon="people"
    ),
    NavigationEntry(label=_("Consultations"), url_name="cases:meetings", right=VIEW_MEETINGS, order=356, icon="people"),
]
