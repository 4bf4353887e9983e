"""The acts around money that the trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

CUT_OFF = declare_action("benefits.cut_off", _("made the statements of a cut-off"))
STATEMENT_CONFIRMED = declare_action("benefits.statement_confirmed", _("confirmed a statement"))
LINE_DISPUTED = declare_action("benefits.line_disputed", _("disputed a line of a statement"))
DISPUTE_ANSWERED = declare_action("benefits.dispute_answered", _("answered a disputed line"))
STATEMENT_APPROVED = declare_action("benefits.statement_approved", _("approved a statement"))
STATEMENT_TAKEN_HOME = declare_action("benefits.statement_taken_home", _("downloaded a statement"))
ACCOUNT_CHANGED = declare_action("benefits.account_changed", _("changed where a merchant receives money"))
PAYOUT_MADE = declare_action("benefits.payout_made", _("made a payout"))
PAYOUT_TAKEN_HOME = declare_action("benefits.payout_taken_home", _("downloaded a payout with account numbers"))
PAYOUT_PAID = declare_action("benefits.payout_paid", _("marked a payout as paid"))
PAYOUT_CANCELLED = declare_action("benefits.payout_cancelled", _("cancelled a payout"))
RECONCILED = declare_action("benefits.reconciled", _("compared redemptions, ledger and statements"))
DIFFERENCE_RESOLVED = declare_action("benefits.difference_resolved", _("resolved a difference"))
SIGNAL_REVIEWED = declare_action("benefits.signal_reviewed", _("looked into a signal"))
SIGNAL_RULES_SET = declare_action("benefits.signal_rules_set", _("set the limits of signals"))
MONEY_EXPORTED = declare_action("benefits.money_exported", _("exported redemptions"))

declare_details(
    {
        "day": pgettext_lazy("trail", "day"),
        "statements": pgettext_lazy("trail", "statements"),
        "redemptions": pgettext_lazy("trail", "redemptions"),
        "corrections": pgettext_lazy("trail", "corrections"),
        "payable_yuan": pgettext_lazy("trail", "payable in yuan"),
        "words": pgettext_lazy("trail", "words"),
        "taken_back": pgettext_lazy("trail", "taken back"),
        "bank_reference": pgettext_lazy("trail", "bank's reference"),
        "differences": pgettext_lazy("trail", "differences"),
        "outcome": pgettext_lazy("trail", "outcome"),
        "number": pgettext_lazy("trail", "number"),
    }
)
