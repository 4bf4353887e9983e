"""The acts of this room that the audit trail knows."""

from django.utils.translation import gettext_lazy as _

from yizhan.unions.audit import declare_action

SETTINGS_CHANGED = declare_action("passage.settings_changed", _("changed the rules of passing reminders"))
SETTINGS_INHERITED = declare_action("passage.settings_inherited", _("went back to the rules of the union above"))
SOURCE_CREATED = declare_action("passage.source_created", _("created a source of pings"))
SOURCE_KEY_ROTATED = declare_action("passage.source_key_rotated", _("gave a source of pings a new key"))
SOURCE_LIMITED = declare_action("passage.source_limited", _("changed how many pings a source may send"))
SOURCE_REVOKED = declare_action("passage.source_revoked", _("revoked a source of pings"))
REMINDERS_EXPORTED = declare_action("passage.reminders_exported", _("exported passing reminders"))
WEBHOOK_CHANGED = declare_action("passage.webhook_changed", _("changed where a source's reminders are delivered to"))
WEBHOOK_SECRET_ROTATED = declare_action("passage.webhook_secret_rotated", _("gave a source a new signing secret"))
DELIVERIES_REPLAYED = declare_action("passage.deliveries_replayed", _("sent dead letters of a source again"))
COUNTS_KEPT = declare_action("passage.counts_kept", _("let vehicles of a source be counted by square and hour"))
COUNTS_ENDED = declare_action("passage.counts_ended", _("ended counting vehicles of a source"))
COUNTS_EXPORTED = declare_action("passage.counts_exported", _("exported counts of vehicles"))
DAY_PLAYED_BACK = declare_action("passage.day_played_back", _("played a day of positions back"))
