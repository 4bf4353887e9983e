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
REPORT_ANSWERED = declare_action("places.report_answered", _("answered a report"))
REPORT_VERIFIED = declare_action("places.report_verified", _("verified that a fault is gone"))
REPORTS_EXPORTED = declare_action("places.reports_exported", _("exported reports"))
REPORT_RULES_SET = declare_action("places.report_rules_set", _("set the rules of reports"))
STARS_TAKEN = declare_action("places.stars_taken", _("took stars off for overdue reports"))
STARS_GIVEN_BACK = declare_action("places.stars_given_back", _("gave stars back for settled reports"))
PLATES_PRINTED = declare_action("places.plates_printed", _("made plates to print"))
VISITS_EXPORTED = declare_action("places.visits_exported", _("exported visits by plate"))
