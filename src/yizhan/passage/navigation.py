"""What this room puts into the desk's navigation."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .rights import MANAGE_SOURCES, PLAY_BACK, VIEW_REMINDERS, WATCH_LIVE

entries = [
    NavigationEntry(
        label=_("Reminders"), url_name="passage:reminders", right=VIEW_REMINDERS, order=200, icon="reminder"
    ),
    NavigationEntry(label=_("Live map"), url_name="passage:live", right=WATCH_LIVE, order=210, icon="live"),
    NavigationEntry(
        label=_("Where vehicles are"), url_name="passage:counts", right=VIEW_REMINDERS, order=212, icon="chart"
    ),
    NavigationEntry(label=_("Play a day back"), url_name="passage:playback", right=PLAY_BACK, order=215, icon="audit"),
    NavigationEntry(
        label=_("Rules of reminding"), url_name="passage:rules", right=VIEW_REMINDERS, order=220, icon="settings"
    ),
    NavigationEntry(
        label=_("Sources of pings"), url_name="passage:sources", right=MANAGE_SOURCES, order=230, icon="import"
    ),
]
