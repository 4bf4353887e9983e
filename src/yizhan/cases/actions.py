"""The acts of this room that the audit trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

CASE_SUBMITTED = declare_action("cases.submitted", _("took down a case"))
CASE_STEP = declare_action("cases.step", _("took a step in a case"))
CASE_OPENED = declare_action("cases.opened", _("opened a confidential case"))
FILE_OPENED = declare_action("cases.file_opened", _("opened a document of a confidential case"))
CASES_EXPORTED = declare_action("cases.exported", _("exported cases"))
CASES_IMPORTED = declare_action("cases.imported", _("imported cases"))
KIND_CHANGED = declare_action("cases.kind_changed", _("changed the rules of a kind of case"))
CIRCLE_CHANGED = declare_action("cases.circle_changed", _("changed who handles confidential cases"))
CODE_MADE = declare_action("cases.code_made", _("made a QR code for cases"))
CLIENT_CREATED = declare_action("cases.client_created", _("let another system file cases"))
CLIENT_REVOKED = declare_action("cases.client_revoked", _("no longer lets another system file cases"))
CASES_REBUILT = declare_action("cases.rebuilt", _("rebuilt cases from their steps"))

declare_details({"step": pgettext_lazy("trail", "step"), "source": pgettext_lazy("trail", "how it came in")})

from . import (  # noqa: E402
    outreach_actions,  # noqa: F401 - links, visits and the task ledger
    wish_actions,  # noqa: F401 - figures, wishes, stock, rosters, consultations
)
