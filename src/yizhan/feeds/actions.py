"""The acts of this room that the audit trail knows."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

PARTNER_CREATED = declare_action("feeds.partner_created", _("created a partner"))
PARTNER_CHANGED = declare_action("feeds.partner_changed", _("changed a partner"))
PARTNER_KEY_ROTATED = declare_action("feeds.partner_key_rotated", _("gave a partner a new key"))
PARTNER_SECRET_ROTATED = declare_action("feeds.partner_secret_rotated", _("gave a partner a new signing secret"))
PARTNER_PAUSED = declare_action("feeds.partner_paused", _("paused the pushes to a partner"))
PARTNER_RESUMED = declare_action("feeds.partner_resumed", _("let the pushes to a partner go on"))
PARTNER_TESTED = declare_action("feeds.partner_tested", _("sent a test to a partner"))
EVERYTHING_SENT_AGAIN = declare_action("feeds.everything_sent_again", _("sent a partner everything again"))
DEAD_LETTERS_REPLAYED = declare_action("feeds.dead_letters_replayed", _("sent a partner's dead letters again"))
EXPORT_COMPARED = declare_action("feeds.export_compared", _("compared a partner's export with the directory"))
LISTINGS_EXPORTED = declare_action("feeds.listings_exported", _("exported what partners show"))
TAKEN_DOWN = declare_action("feeds.taken_down", _("noted that a partner took a place down"))

declare_details(
    {
        "places": pgettext_lazy("trail", "places"),
        "carrier": pgettext_lazy("trail", "way"),
        "preset": pgettext_lazy("trail", "preset"),
        "host": pgettext_lazy("trail", "server"),
        "outcome": pgettext_lazy("trail", "outcome"),
        "findings": pgettext_lazy("trail", "findings"),
        "ends_at": pgettext_lazy("trail", "earlier key ends"),
    }
)
