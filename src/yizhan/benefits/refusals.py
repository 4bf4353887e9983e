"""Why a redemption is refused: a stable code, a sentence for the worker, and what the cashier may know.

The cashier learns whether the worker is eligible now, never who they are or why not; sentences about the shop itself
(not on offer, the request is odd) are said to both.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

_NOT_NOW: Final = _("Not eligible just now; the worker's phone says why.")
_FOR_WORKER: Final[dict[str, Any]] = {
    "request_reused": _("This request was used for another redemption; begin anew."),
    "unknown_offer": _("This offer does not exist any more."),
    "paper_not_taken": _("Paper vouchers are not taken for this."),
    "programme_not_open": _("The programme is not running at the moment."),
    "offer_not_available": _("This is not on offer at the moment."),
    "place_not_open": _("This place does not take part at the moment."),
    "before_start": _("The programme has not begun yet."),
    "after_end": _("The programme is over."),
    "wrong_weekday": _("The programme does not run on this day of the week."),
    "outside_periods": _("It is outside of the hours of this programme."),
    "occupation": _("The programme is for other occupations than the one in your profile."),
    "company": _("The programme is for workers of other platform companies than yours."),
    "membership": _("The programme needs another union membership than yours; you can join in your profile."),
    "union": _("The programme is for workers of other unions than yours."),
    "excluded": _("You have been kept from this programme; the reason and how to appeal stand in your profile."),
    "not_drawn": _("Places in this programme are drawn by lot, and yours was not drawn for today."),
    "quota_period": _("You have had all that the programme gives in this period; come back in the next one."),
    "quota_day": _("You have had all that the programme gives today; come back tomorrow."),
    "quota_month": _("You have had all that the programme gives this month."),
    "place_quota": _("This place has given out all it has for today; another may have some left."),
    "budget": _("The programme's money is used up for now."),
    "wrong_time": _("The time of this redemption is in the future or more than a week ago."),
}
# What concerns the shop or the request, and tells nothing of the worker.
_FOR_BOTH: Final = {
    "request_reused",
    "unknown_offer",
    "paper_not_taken",
    "programme_not_open",
    "offer_not_available",
    "place_not_open",
    "before_start",
    "after_end",
    "wrong_weekday",
    "outside_periods",
    "place_quota",
    "wrong_time",
}
# Accepting what was redeemed offline waives rules, never these.
UNWAIVABLE: Final = frozenset({"request_reused", "unknown_offer", "budget"})

CODES: Final = tuple(_FOR_WORKER)


class Refused(Exception):
    """A rule refuses this redemption; nothing was written, and the request id is as good as new.

    Attributes:
        code: Stable reason, one of `CODES`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def for_worker(self) -> Any:
        """One sentence that tells the worker which rule it is; lazy."""
        return sentence(self.code)

    @property
    def for_cashier(self) -> Any:
        """One sentence without identity or reason; lazy."""
        return self.for_worker if self.code in _FOR_BOTH else _NOT_NOW


def sentence(code: str) -> Any:
    """What the worker is told for a code; lazy."""
    return _FOR_WORKER[code]
