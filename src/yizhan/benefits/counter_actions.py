"""What the trail knows of counters, codes and vouchers."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

CODE_KEY_MADE = declare_action("benefits.code_key_made", _("made a new key for workers' codes"))
CODE_KEY_RETIRED = declare_action("benefits.code_key_retired", _("retired a key for workers' codes"))
PHONE_CERTIFIED = declare_action("benefits.phone_certified", _("set up a phone for codes"))
PHONE_BLOCKED = declare_action("benefits.phone_blocked", _("blocked a phone for codes"))
COUNTER_JOINED = declare_action("benefits.counter_joined", _("gave someone a post at a counter"))
COUNTER_LEFT = declare_action("benefits.counter_left", _("took a post at a counter away"))
VOUCHERS_MADE = declare_action("benefits.vouchers_made", _("made paper vouchers to print"))
VOUCHERS_BLOCKED = declare_action("benefits.vouchers_blocked", _("blocked paper vouchers"))
UPLOAD_DECIDED = declare_action("benefits.upload_decided", _("decided on a redemption made offline"))

declare_details(
    {
        "vouchers": pgettext_lazy("trail", "vouchers"),
        "sheet": pgettext_lazy("trail", "sheet"),
    }
)
