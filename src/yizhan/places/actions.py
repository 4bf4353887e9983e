"""The acts of this room that the trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

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
PLACE_VERIFIED = declare_action("places.verified", _("verified a place on the spot"))
PLACE_RESUMED = declare_action("places.resumed", _("opened a suspended place again"))
EQUIPMENT_CHANGED = declare_action("places.equipment_changed", _("changed the equipment of a place"))
EQUIPMENT_EXPORTED = declare_action("places.equipment_exported", _("exported equipment that needs care"))
CLOSURE_MADE = declare_action("places.shut", _("shut a place for a while"))
CLOSURE_LIFTED = declare_action("places.closure_lifted", _("ended a temporary closure"))
PHOTO_ADDED = declare_action("places.photo_added", _("added a photo of a place"))
PHOTO_REMOVED = declare_action("places.photo_removed", _("took a photo of a place away"))
PHOTO_MOVED = declare_action("places.photo_moved", _("put the photos of a place in another order"))
WORD_CHANGED = declare_action("places.word_changed", _("changed the words for what places offer"))
CARE_RULES_SET = declare_action("places.care_rules_set", _("set how closely places are looked after"))

_LABELS = {
    "overdue": pgettext_lazy("trail", "overdue reports"),
    "off": pgettext_lazy("trail", "stars off"),
    "stars": pgettext_lazy("trail", "stars now"),
    "answer": pgettext_lazy("trail", "answer"),
    "until": pgettext_lazy("trail", "until"),
    "source": pgettext_lazy("trail", "source"),
    "created": pgettext_lazy("trail", "new"),
    "changed": pgettext_lazy("trail", "changed"),
    "unchanged": pgettext_lazy("trail", "unchanged"),
    "refused": pgettext_lazy("trail", "refused"),
    "flagged": pgettext_lazy("trail", "flagged"),
    "published": pgettext_lazy("trail", "published"),
    "datum": pgettext_lazy("trail", "datum"),
    "offers": pgettext_lazy("trail", "offers"),
    "equipment": pgettext_lazy("trail", "equipment"),
    "closure": pgettext_lazy("trail", "temporary closure"),
    "photo": pgettext_lazy("trail", "photo"),
    "cover": pgettext_lazy("trail", "cover"),
    "metres": pgettext_lazy("trail", "metres from the place"),
    "findings": pgettext_lazy("trail", "things looked at"),
    "problems": pgettext_lazy("trail", "of these wrong"),
}
_ANSWERS = {"fixed": _("Fixed"), "promised": _("Needs time"), "not_a_fault": _("Not a fault")}


def declare_words() -> None:
    """Tell the trail's page what our keys and codes mean; once the models are there."""
    from yizhan.unions.models import Occupation

    from .models import CareRules, Place, ReportRules
    from .vocabulary import WORDS

    rules = [*CareRules._meta.fields, *ReportRules._meta.fields]
    columns = {field.name: field for field in Place._meta.fields}
    labels = {name: field.verbose_name for name, field in columns.items() if name not in {"name", "kind", "union"}}
    codes = {name: dict(field.flatchoices) for name, field in columns.items() if field.flatchoices}
    declare_details(
        {field.name: field.verbose_name for field in rules if field.name not in {"id", "union"}} | labels | _LABELS,
        values={**codes, "answer": _ANSWERS, "offers": WORDS, "occupations": dict(Occupation.choices)},
    )
