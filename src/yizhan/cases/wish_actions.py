"""Acts around figures, wishes, stock, rosters and consultations that the trail knows; `actions.py` makes them known."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yizhan.unions.audit import declare_action, declare_details

FIGURES_EXPORTED = declare_action("figures.exported", _("exported the figures of visits and cases"))
SPONSOR_SAVED = declare_action("wishes.sponsor_saved", _("entered a sponsor"))
SPONSOR_LINK = declare_action("wishes.sponsor_link", _("made a sponsor's earlier links worthless"))
SPONSOR_SEEN = declare_action("wishes.sponsor_seen", _("saw whom to call at a sponsor"))
WISH_PUBLISHED = declare_action("wishes.published", _("put a wish on the public wall"))
WISH_WITHDRAWN = declare_action("wishes.withdrawn", _("took a wish off the wall"))
WISH_CLAIMED = declare_action("wishes.claimed", _("claimed a wish"))
WISH_FREED = declare_action("wishes.freed", _("ended the claim of a wish"))
WISH_DELIVERED = declare_action("wishes.delivered", _("said that a wish was handed over"))
THANKS_WRITTEN = declare_action("wishes.thanked", _("thanked for a wish"))
THANKS_PUBLISHED = declare_action("wishes.thanks_published", _("published thanks for a wish"))
STOCK_ITEM = declare_action("stock.item", _("entered a thing in stock"))
STOCK_MOVED = declare_action("stock.moved", _("changed how much is in stock"))
STOCK_ISSUED = declare_action("stock.issued", _("gave something out"))
STOCK_RETURNED = declare_action("stock.returned", _("took something back"))
STOCK_EXPORTED = declare_action("stock.exported", _("exported what is given out"))
HELPER_SAVED = declare_action("roster.saved", _("changed the roster of lawyers and mediators"))
MESSAGES_READ = declare_action("rights.messages_read", _("read the messages of a confidential case"))
MESSAGE_WRITTEN = declare_action("rights.message_written", _("wrote a message about a confidential case"))
APPOINTMENT_BOOKED = declare_action("rights.appointment_booked", _("booked an appointment"))
APPOINTMENT_ENDED = declare_action("rights.appointment_ended", _("said what became of an appointment"))
MEETING_SAVED = declare_action("meetings.saved", _("prepared a consultation"))
MEETING_ITEM = declare_action("meetings.item", _("changed the agenda of a consultation"))
MEETING_AGREED = declare_action("meetings.agreed", _("wrote down what a consultation agreed"))
MEETING_FOLLOWED = declare_action("meetings.followed", _("made a task of what was agreed"))
MEETING_CLOSED = declare_action("meetings.closed", _("closed a consultation"))
MEETING_EXPORTED = declare_action("meetings.exported", _("exported a consultation"))

declare_details(
    {
        "sponsor": pgettext_lazy("trail", "sponsor"),
        "how": pgettext_lazy("trail", "how"),
        "change": pgettext_lazy("trail", "change"),
        "left": pgettext_lazy("trail", "left"),
        "outcome": pgettext_lazy("trail", "outcome"),
    }
)
