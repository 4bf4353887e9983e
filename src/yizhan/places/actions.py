"""The acts of this room that the trail knows."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.audit import declare_action

PLACE_CREATED = declare_action("places.created", _("entered a place"))
PLACE_CHANGED = declare_action("places.changed", _("changed a place"))
PLACE_PUBLISHED = declare_action("places.published", _("published a place"))
PLACE_WITHDRAWN = declare_action("places.withdrawn", _("withdrew a place"))
PLACE_CLOSED = declare_action("places.closed", _("closed a place for good"))
PLACES_IMPORTED = declare_action("places.imported", _("imported places from a file"))
PLACES_EXPORTED = declare_action("places.exported", _("exported places"))
SAMPLE_MADE = declare_action("places.sample_made", _("made a sample city"))
