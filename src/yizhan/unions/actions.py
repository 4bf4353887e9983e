"""The acts of this room that the trail knows."""

from django.utils.translation import gettext_lazy as _

from .audit import declare_action

SIGNED_IN = declare_action("people.signed_in", _("signed in"))
SIGN_IN_FAILED = declare_action("people.sign_in_failed", _("failed to sign in"))
SIGNED_OUT = declare_action("people.signed_out", _("signed out"))
SECOND_FACTOR_ADDED = declare_action("people.second_factor_added", _("added a second factor"))
SECOND_FACTOR_REMOVED = declare_action("people.second_factor_removed", _("removed a second factor"))
PASSWORD_CHANGED = declare_action("people.password_changed", _("changed the password"))
POST_CREATED = declare_action("people.post_created", _("gave a post"))
POST_CHANGED = declare_action("people.post_changed", _("changed the role of a post"))
POST_DEACTIVATED = declare_action("people.post_deactivated", _("took a post away"))
POST_REACTIVATED = declare_action("people.post_reactivated", _("gave a post back"))
PASSWORD_GIVEN = declare_action("people.password_given", _("gave a new one-time password"))
POST_CHOSEN = declare_action("people.post_chosen", _("went on in another post"))
POSTS_EXPORTED = declare_action("people.posts_exported", _("exported the list of posts"))
WORKERS_EXPORTED = declare_action("people.workers_exported", _("exported the list of workers"))
WORKER_REGISTERED = declare_action("people.worker_registered", _("registered as a worker"))
WORKER_CHANGED = declare_action("people.worker_changed", _("changed a worker"))
WORKERS_LISTED = declare_action("people.workers_listed", _("looked through the workers"))
UNMASKED = declare_action("people.unmasked", _("saw personal data in full"))
UNION_CREATED = declare_action("unions.created", _("created a union"))
UNION_RENAMED = declare_action("unions.renamed", _("renamed a union"))
UNION_MOVED = declare_action("unions.moved", _("moved a union"))
UNION_DEACTIVATED = declare_action("unions.deactivated", _("deactivated a union"))
UNION_REACTIVATED = declare_action("unions.reactivated", _("reactivated a union"))
DIVISIONS_LOADED = declare_action("unions.divisions_loaded", _("loaded the administrative divisions"))
KEYS_ROTATED = declare_action("people.keys_rotated", _("re-encrypted personal data with the newest key"))
TRAIL_READ = declare_action("audit.read", _("read the audit trail"))
TRAIL_EXPORTED = declare_action("audit.exported", _("exported the audit trail"))
TRAIL_PURGED = declare_action("audit.purged", _("removed entries past their retention from the audit trail"))
