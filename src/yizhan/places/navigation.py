"""What this room puts into the desk's navigation."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .rights import IMPORT_PLACES, VIEW_PLACES

entries = [
    NavigationEntry(label=_("Places"), url_name="places:places", right=VIEW_PLACES, order=100, icon="place"),
    NavigationEntry(label=_("Import places"), url_name="places:import", right=IMPORT_PLACES, order=110, icon="import"),
]
