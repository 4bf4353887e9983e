"""Which step may follow which: the states of a call and what leads from one to another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .models.call import ACTIVE_STATES, OVER_STATES, WAITING_STATES, CallEventKind, CallState

_ALL = frozenset(CallState)
_OPEN = _ALL - frozenset(OVER_STATES)
_WAITING, _HELD = frozenset(WAITING_STATES), frozenset(ACTIVE_STATES)


@dataclass(frozen=True, slots=True)
class Step:
    """A step may be taken in the states `since` and leads to `to`; None leaves the state as it is."""

    since: frozenset[CallState]
    to: CallState | None


STEPS: Final[dict[CallEventKind, Step]] = {
    CallEventKind.OFFERED: Step(_WAITING, None),
    CallEventKind.DECLINED: Step(_WAITING, None),
    CallEventKind.LAPSED: Step(_WAITING, None),
    CallEventKind.ESCALATED: Step(_WAITING, CallState.ESCALATED),
    CallEventKind.ACCEPTED: Step(_WAITING, CallState.ACCEPTED),
    CallEventKind.ASSIGNED: Step(_WAITING | _HELD, CallState.ACCEPTED),
    CallEventKind.GIVEN_BACK: Step(_HELD, CallState.SUBMITTED),
    CallEventKind.NOT_COME: Step(_HELD, CallState.SUBMITTED),
    CallEventKind.ON_WAY: Step(frozenset({CallState.ACCEPTED}), CallState.ON_WAY),
    CallEventKind.ARRIVED: Step(frozenset({CallState.ACCEPTED, CallState.ON_WAY}), CallState.ARRIVED),
    CallEventKind.DONE: Step(frozenset({CallState.ARRIVED}), CallState.DONE),
    CallEventKind.CONFIRMED: Step(frozenset({CallState.DONE}), CallState.CONFIRMED),
    CallEventKind.REOPENED: Step(
        frozenset({CallState.DONE, CallState.CONFIRMED, CallState.NO_SHOW, CallState.FALSE_CALL}), CallState.SUBMITTED
    ),
    CallEventKind.MOVED: Step(_OPEN - {CallState.ARRIVED}, None),
    CallEventKind.UNSAFE: Step(_WAITING | _HELD, CallState.UNSAFE),
    CallEventKind.SAFE: Step(frozenset({CallState.UNSAFE}), CallState.SUBMITTED),
    CallEventKind.CANCELLED: Step(_OPEN, CallState.CANCELLED),
    CallEventKind.NO_SHOW: Step(frozenset({CallState.ARRIVED}), CallState.NO_SHOW),
    # Also of what was mended and paid for: found out later, it is taken back.
    CallEventKind.FALSE_CALL: Step(
        _OPEN | {CallState.NO_SHOW, CallState.DONE, CallState.CONFIRMED}, CallState.FALSE_CALL
    ),
}


def may(state: str, kind: CallEventKind) -> bool:
    """Whether a step can be taken in a state."""
    return kind in STEPS and CallState(state) in STEPS[kind].since


def follows(state: str, kind: CallEventKind) -> CallState:
    """The state after a step that `may` be taken."""
    return STEPS[kind].to or CallState(state)
