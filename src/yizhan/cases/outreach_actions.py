"""Acts around links, visits and the task ledger that the trail knows; `actions.py` makes them known."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.audit import declare_action, declare_details

LINK_MADE = declare_action("links.made", _("linked a post with a union, worker or group"))
LINK_COUNTED = declare_action("links.counted", _("counted a chat group anew"))
LINK_ENDED = declare_action("links.ended", _("ended a link"))
LINKS_LISTED = declare_action("links.listed", _("looked through the links"))
LINKS_EXPORTED = declare_action("links.exported", _("exported the list of links"))
COVERAGE_EXPORTED = declare_action("links.coverage_exported", _("exported the coverage"))
TARGET_SET = declare_action("links.target_set", _("set the target of links"))
CARD_SAVED = declare_action("links.card_saved", _("changed their contact card"))
MESSAGE_SENT = declare_action("links.message_sent", _("wrote to a worker"))
HAND_OVER_OFFERED = declare_action("links.hand_over_offered", _("offered links to a colleague"))
HAND_OVER_ACCEPTED = declare_action("links.hand_over_accepted", _("took links over"))
HAND_OVER_REFUSED = declare_action("links.hand_over_refused", _("refused to take links over"))
HAND_OVER_WITHDRAWN = declare_action("links.hand_over_withdrawn", _("took an offer of links back"))
VISIT_RECORDED = declare_action("visits.recorded", _("recorded a visit"))
VISIT_CHANGED = declare_action("visits.changed", _("changed a visit"))
VISIT_SET_ASIDE = declare_action("visits.set_aside", _("sent a visit that someone had changed meanwhile"))
VISIT_SETTLED = declare_action("visits.settled", _("settled two versions of a visit"))
VISIT_PHOTO_ADDED = declare_action("visits.photo_added", _("added a photo to a visit"))
VISITS_LISTED = declare_action("visits.listed", _("looked through the visits"))
VISITS_EXPORTED = declare_action("visits.exported", _("exported the list of visits"))
ROUND_PLANNED = declare_action("visits.round_planned", _("planned a round"))
ROUND_CHANGED = declare_action("visits.round_changed", _("changed a round"))
PROJECT_MADE = declare_action("ledger.project_made", _("began a project"))
PROJECT_CHANGED = declare_action("ledger.project_changed", _("changed a project"))
LIST_MADE = declare_action("ledger.list_made", _("added a list to a project"))
TASK_MADE = declare_action("ledger.task_made", _("added a task"))
TASK_CHANGED = declare_action("ledger.task_changed", _("changed a task"))
TASK_PROGRESS = declare_action("ledger.task_progress", _("told the progress of a task"))
TASK_OFFERED = declare_action("ledger.task_offered", _("passed a task down"))
TASK_ACCEPTED = declare_action("ledger.task_accepted", _("accepted a task from above"))
TASK_REFUSED = declare_action("ledger.task_refused", _("refused a task from above"))
TASK_WITHDRAWN = declare_action("ledger.task_withdrawn", _("took an offered task back"))
MILESTONE_MADE = declare_action("ledger.milestone_made", _("added a milestone"))
MILESTONE_REACHED = declare_action("ledger.milestone_reached", _("reached a milestone"))
EVIDENCE_ADDED = declare_action("ledger.evidence_added", _("added evidence to a task"))
LEDGER_EXPORTED = declare_action("ledger.exported", _("exported the task ledger"))
LEDGER_IMPORTED = declare_action("ledger.imported", _("imported tasks into the ledger"))

declare_details(
    {
        "links": _("links"),
        "moved": _("moved"),
        "size": _("members"),
        "needs": _("needs heard"),
        "people": _("people met"),
        "percent": _("percent"),
        "stops": _("stops"),
        "state": _("state"),
    }
)
