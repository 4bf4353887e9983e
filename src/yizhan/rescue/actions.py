"""The acts of this room that the audit trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

CALL_STEP = declare_action("rescue.step", _("took a step in a call for help"))
CALL_ASSIGNED = declare_action("rescue.assigned", _("sent a rescuer to a call"))
RESCUER_CREATED = declare_action("rescue.rescuer_created", _("entered a rescuer"))
RESCUER_CHANGED = declare_action("rescue.rescuer_changed", _("changed a rescuer"))
CALL_PHONE_SEEN = declare_action("rescue.phone_seen", _("saw the phone number of a caller"))
BROADCAST_SENT = declare_action("rescue.broadcast", _("called all rescuers nearby"))
SUBSIDY_PAID = declare_action("rescue.subsidy_paid", _("paid a rescue subsidy by hand"))
SUBSIDY_TERMS_SET = declare_action("rescue.subsidy_terms", _("set what a rescue is paid"))
CALLS_EXPORTED = declare_action("rescue.exported", _("took the list of rescue calls home"))
SUBSIDIES_EXPORTED = declare_action("rescue.subsidies_exported", _("took the list of rescue subsidies home"))

declare_details({"rescuer": pgettext_lazy("trail", "rescuer")})
