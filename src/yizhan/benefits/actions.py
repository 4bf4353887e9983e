"""The acts of this room that the trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

from . import counter_actions as counter_actions  # those of the counter
from . import finance_actions as finance_actions  # those around money

# The engine: programmes, redemptions, budgets. A redemption is its own record: who, when, where, by which device.
PROGRAMME_CREATED = declare_action("benefits.programme_created", _("drafted a programme"))
PROGRAMME_CHANGED = declare_action("benefits.programme_changed", _("changed a programme"))
PROGRAMME_STEPPED = declare_action("benefits.programme_stepped", _("opened, paused or ended a programme"))
PROGRAMMES_EXPORTED = declare_action("benefits.programmes_exported", _("exported programmes"))
OFFER_CHANGED = declare_action("benefits.offer_changed", _("changed an offer or its split"))
BUDGET_SET = declare_action("benefits.budget_set", _("set a budget"))
WORKER_EXCLUDED = declare_action("benefits.worker_excluded", _("kept a worker from a programme"))
EXCLUSION_LIFTED = declare_action("benefits.exclusion_lifted", _("let a worker take part again"))
APPEALED = declare_action("benefits.appealed", _("appealed against being kept from a programme"))
APPEAL_ANSWERED = declare_action("benefits.appeal_answered", _("answered an appeal"))
LOTTERY_OPENED = declare_action("benefits.lottery_opened", _("opened a lottery"))
LOTTERY_DRAWN = declare_action("benefits.lottery_drawn", _("drew a lottery"))
REDEMPTION_VOIDED = declare_action("benefits.redemption_voided", _("voided a redemption"))
REDEMPTION_REFUNDED = declare_action("benefits.redemption_refunded", _("refunded a redemption"))
EXCEPTION_DECIDED = declare_action("benefits.exception_decided", _("decided on a redemption made offline"))

declare_details(
    {
        "cap_yuan": pgettext_lazy("trail", "cap in yuan"),
        "offer": pgettext_lazy("trail", "offer"),
        "price_yuan": pgettext_lazy("trail", "list price in yuan"),
        "places_won": pgettext_lazy("trail of a lottery", "places"),
        "tickets": pgettext_lazy("trail", "tickets"),
        "accepted": pgettext_lazy("trail", "accepted"),
    }
)
