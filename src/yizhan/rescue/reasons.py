"""Why a subsidy is not paid, or was taken back: stable codes and what the desk reads."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NO_PHOTO: Final = "no_photo"
NO_POSITION: Final = "no_position"
TOO_FAR: Final = "too_far"
NO_WORD: Final = "no_word"
UNKNOWN_RIDER: Final = "unknown_rider"
OWN_CALL: Final = "own_call"
NO_PROGRAMME: Final = "no_programme"
OTHER_PROBLEM: Final = "other_problem"
NOBODY_TO_PAY: Final = "nobody_to_pay"
POINT_ELSEWHERE: Final = "point_elsewhere"
BEFORE_START: Final = "before_start"
OPENED_AGAIN: Final = "opened_again"
FALSE_CALL: Final = "false_call"

_NOT_FOR_RIDER: Final[Any] = gettext_lazy("The rider does not belong to those whom the programme is for.")
WORDS: Final[dict[str, Any]] = {
    NO_PHOTO: gettext_lazy("The rescuer sent no photo of this rescue."),
    NO_POSITION: gettext_lazy("The rescuer's phone told no position at the place of the call."),
    TOO_FAR: gettext_lazy("The rescuer was too far from the rider's mark."),
    NO_WORD: gettext_lazy("The rider has not confirmed that it is mended."),
    UNKNOWN_RIDER: gettext_lazy(
        "Who called was not signed in. Ring the number; if a worker has signed in with it, pay by hand."
    ),
    OWN_CALL: gettext_lazy("Rescuer and rider are the same person."),
    NO_PROGRAMME: gettext_lazy("No subsidy programme of this union or one above it is open."),
    OTHER_PROBLEM: gettext_lazy("The programme does not pay for what was broken."),
    NOBODY_TO_PAY: gettext_lazy("The rescuer has no repair point that is paid: name one in the list of rescuers."),
    POINT_ELSEWHERE: gettext_lazy("The rescuer's repair point does not belong to the union of the programme."),
    BEFORE_START: gettext_lazy("The rescue was before the programme's first day."),
    OPENED_AGAIN: gettext_lazy("The call was opened again."),
    FALSE_CALL: gettext_lazy("The desk found it to be a false call."),
    # What the programme itself refuses, in words for the desk.
    "budget": gettext_lazy("The programme's budget is spent: raise its cap, or pay when it begins anew."),
    "quota_period": gettext_lazy("The rider has had all that the programme gives in this period."),
    "quota_day": gettext_lazy("The rider has had all that the programme gives in a day."),
    "quota_month": gettext_lazy("The rider has had all that the programme gives in a month."),
    "place_quota": gettext_lazy("The repair point has had all that the programme gives in a day."),
    "programme_not_open": gettext_lazy("The programme is not open."),
    "after_end": gettext_lazy("The rescue was after the programme's last day."),
    "wrong_weekday": gettext_lazy("The programme does not run on that day of the week."),
    "outside_periods": gettext_lazy("It was outside of the programme's hours."),
    "place_not_open": gettext_lazy("The repair point is not published in the directory."),
    "offer_not_available": gettext_lazy("The programme's offer at this repair point was taken off."),
    "occupation": _NOT_FOR_RIDER,
    "company": _NOT_FOR_RIDER,
    "membership": _NOT_FOR_RIDER,
    "union": _NOT_FOR_RIDER,
    "excluded": gettext_lazy("The rider is kept from the programme."),
    "not_drawn": _NOT_FOR_RIDER,
}


def words_for(code: str) -> str:
    """What the desk reads for a code; empty for none."""
    if not code:
        return ""
    return str(WORDS[code]) if code in WORDS else _("The programme refuses it (%(code)s).") % {"code": code}
