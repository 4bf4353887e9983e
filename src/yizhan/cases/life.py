"""The life of a case as its log tells it: where it stands, who owns it, what is due. Pure: no database, no clock.

`fold` reads the steps in their order; whoever adds a step asks `Life.may` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, Protocol

from .clocks import Span, due_with_pauses
from .models.case import By, CaseEventKind, CaseState, ClosedHow, PartyRole

_K = CaseEventKind
_S = CaseState
_WORKED_ON: Final = frozenset({_S.ACCEPTED, _S.ASSIGNED, _S.IN_PROGRESS})
_OPEN: Final = _WORKED_ON | {_S.SUBMITTED, _S.PROPOSED}
_ALL: Final = frozenset(CaseState)

# In which states a step may happen.
_WHEN: Final[dict[str, frozenset[CaseState]]] = {
    _K.ACCEPTED: frozenset({_S.SUBMITTED}),
    _K.REFUSED: frozenset({_S.SUBMITTED}),
    _K.ASSIGNED: _WORKED_ON,
    _K.STARTED: frozenset({_S.ACCEPTED, _S.ASSIGNED}),
    _K.PROGRESS: _WORKED_ON,
    _K.PAUSED: _WORKED_ON,
    _K.RESUMED: _WORKED_ON,
    _K.PROPOSED: _WORKED_ON,
    _K.CONFIRMED: frozenset({_S.PROPOSED, _S.CLOSED}),
    _K.REOPENED: frozenset({_S.PROPOSED, _S.CLOSED, _S.REFUSED}),
    _K.CLOSED_SILENT: frozenset({_S.PROPOSED}),
    _K.WITHDRAWN: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.TRANSFER_OFFERED: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.TRANSFER_ACCEPTED: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.TRANSFER_REFUSED: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.TRANSFER_CANCELLED: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.CO_HANDLER_ADDED: _OPEN,
    _K.CO_HANDLER_REMOVED: _ALL,
    _K.URGED: _OPEN - {_S.PROPOSED},
    _K.SUPERVISED: _OPEN - {_S.PROPOSED},
    _K.OVERDUE: _OPEN - {_S.PROPOSED},
    _K.ESCALATED: _OPEN - {_S.PROPOSED},
    _K.MERGED: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.ABSORBED: _OPEN,
    _K.SPLIT_OFF: frozenset({_S.SUBMITTED, *_WORKED_ON}),
    _K.EDITED: _OPEN,
    _K.NOTED: _ALL,
    _K.ADDED: _OPEN,
    _K.PUBLISHED: frozenset({_S.CLOSED}),
    _K.UNPUBLISHED: _ALL,
}
_BECOMES: Final[dict[str, CaseState]] = {
    _K.SUBMITTED: _S.SUBMITTED,
    _K.ACCEPTED: _S.ACCEPTED,
    _K.REFUSED: _S.REFUSED,
    _K.STARTED: _S.IN_PROGRESS,
    _K.PROGRESS: _S.IN_PROGRESS,
    _K.PROPOSED: _S.PROPOSED,
    _K.CONFIRMED: _S.CLOSED,
    _K.CLOSED_SILENT: _S.CLOSED,
    _K.WITHDRAWN: _S.WITHDRAWN,
    _K.MERGED: _S.MERGED,
}
_TRANSFER_ENDS: Final = frozenset({_K.TRANSFER_ACCEPTED, _K.TRANSFER_REFUSED, _K.TRANSFER_CANCELLED})
MOST_REOPENED: Final = 3


class Days(Protocol):
    """The working days of a kind."""

    @property
    def answer_days(self) -> int: ...
    @property
    def progress_days(self) -> int: ...
    @property
    def result_days(self) -> int: ...
    @property
    def verdict_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """A step as the fold needs it. Posts and unions are row numbers."""

    kind: str
    at: datetime
    number: int
    by: str = By.STAFF
    data: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """One deadline: when it began, when it ends or ended, and by when it had to."""

    name: str
    begin: datetime
    due_at: datetime | None
    stopped_at: datetime | None = None

    def was_late(self, at: datetime) -> bool:
        """Whether it was stopped late, or runs and is late at `at`."""
        return self.due_at is not None and self.due_at <= (self.stopped_at or at)


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that follows from the log of one case."""

    state: CaseState = CaseState.SUBMITTED
    owner: int = 0
    offered_to: int | None = None
    handler: int | None = None
    version: int = 0
    parties: frozenset[tuple[int, int | None, str]] = frozenset()  # union, post or None, role
    clocks: tuple[Clock, ...] = ()
    pauses: tuple[Span, ...] = ()
    answered_at: datetime | None = None
    proposed_at: datetime | None = None
    closed_at: datetime | None = None
    closed_how: str = ""
    times_reopened: int = 0
    is_supervised: bool = False
    stars: int | None = None
    merged_into: int | None = None
    published_title: str = ""
    published_words: str = ""

    @property
    def is_paused(self) -> bool:
        """Whether the clocks stand."""
        return bool(self.pauses) and self.pauses[-1].end is None

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in _OPEN

    def running(self, name: str) -> Clock | None:
        """The clock of that name, if it runs."""
        return next((clock for clock in self.clocks if clock.name == name and clock.stopped_at is None), None)

    def due(self, name: str) -> datetime | None:
        """When that clock is due; None when it does not run or stands."""
        clock = self.running(name)
        return clock.due_at if clock else None

    @property
    def due_at(self) -> datetime | None:
        """When we owe something next: an answer, news or a result."""
        return min((due for name in ("answer", "progress", "result") if (due := self.due(name))), default=None)

    def may(self, kind: str) -> bool:
        """Whether that step may happen now."""
        if kind not in _WHEN:
            return kind != _K.SUBMITTED and self.version > 0
        if self.state not in _WHEN[kind]:
            return False
        if kind == _K.PAUSED:
            return not self.is_paused
        if kind == _K.RESUMED:
            return self.is_paused
        if kind in _TRANSFER_ENDS:
            return self.offered_to is not None
        if kind in {_K.TRANSFER_OFFERED, _K.MERGED, _K.PROPOSED, _K.ACCEPTED, _K.REFUSED, _K.ASSIGNED}:
            return self.offered_to is None
        if kind == _K.CONFIRMED:
            # What a cadre noted on the telephone gives way to the worker's own word.
            return self.state == _S.PROPOSED or self.closed_how == ClosedHow.TELEPHONE
        if kind == _K.REOPENED:
            return self.times_reopened < MOST_REOPENED
        if kind == _K.PUBLISHED:
            return not self.published_words
        if kind == _K.UNPUBLISHED:
            return bool(self.published_words)
        return True


def fold(facts: Iterable[Fact], days: Days) -> Life:
    """The life that follows from the steps, in their order."""
    life = Life()
    for fact in facts:
        life = after(life, fact, days)
    return life


def after(life: Life, fact: Fact, days: Days) -> Life:
    """The life one step later."""
    kind = fact.kind
    changes: dict[str, Any] = {}
    if kind not in {_K.OVERDUE, _K.ESCALATED}:
        changes["version"] = fact.number
    if kind in _BECOMES:
        changes["state"] = _BECOMES[kind]
    if effect := _EFFECTS.get(kind):
        changes |= effect(life, fact)
    later = replace(life, **changes)
    return replace(later, clocks=_clocks(life, later, fact, days))


def _with_party(life: Life, fact: Fact, role: PartyRole) -> frozenset[tuple[int, int | None, str]]:
    return life.parties | {(fact.data["union"], fact.data.get("staff"), role.value)}


def _submitted(life: Life, fact: Fact) -> dict[str, Any]:
    parties = life.parties
    if fact.data.get("staff"):
        parties = _with_party(life, fact, PartyRole.TAKER)
    return {"owner": fact.data["union"], "parties": parties}


def _answered(life: Life, fact: Fact) -> dict[str, Any]:
    changes: dict[str, Any] = {"answered_at": life.answered_at or fact.at}
    return changes | {"closed_at": fact.at} if fact.kind == _K.REFUSED else changes


def _assigned(life: Life, fact: Fact) -> dict[str, Any]:
    state = _S.IN_PROGRESS if life.state == _S.IN_PROGRESS else _S.ASSIGNED
    return {"handler": fact.data["handler"], "state": state}


def _closed(life: Life, fact: Fact) -> dict[str, Any]:
    how = ClosedHow.CONFIRMED if fact.kind == _K.CONFIRMED else ClosedHow.SILENT
    if "called_at" in fact.data:
        how = ClosedHow.TELEPHONE
    return {"closed_at": life.closed_at or fact.at, "closed_how": how.value, "stars": fact.data.get("stars")}


def _left(life: Life, fact: Fact) -> dict[str, Any]:
    return {"closed_at": fact.at, "offered_to": None, "merged_into": fact.data.get("into")}


def _without_helper(life: Life, fact: Fact) -> dict[str, Any]:
    return {"parties": life.parties - {(fact.data["union"], fact.data.get("staff"), PartyRole.CO_HANDLER.value)}}


def _supervised(life: Life, fact: Fact) -> dict[str, Any]:
    return {"is_supervised": True, "parties": _with_party(life, fact, PartyRole.SUPERVISOR)}


def _ended(pauses: tuple[Span, ...], at: datetime) -> tuple[Span, ...]:
    if pauses and pauses[-1].end is None:
        return (*pauses[:-1], Span(pauses[-1].begin, max(at, pauses[-1].begin)))
    return pauses


def _reopened(life: Life, fact: Fact) -> dict[str, Any]:
    back = _S.SUBMITTED if life.state == _S.REFUSED else (_S.IN_PROGRESS if life.handler else _S.ACCEPTED)
    return {
        "state": back,
        "times_reopened": life.times_reopened + 1,
        "closed_at": None,
        "closed_how": "",
        "stars": None,
        "proposed_at": None,
        "published_title": "",
        "published_words": "",
    }


def _moved(life: Life, fact: Fact) -> dict[str, Any]:
    """The new owner accepts; who handled it before does no longer, and the earlier owner is kept."""
    state = life.state if life.state == _S.SUBMITTED else _S.ACCEPTED
    return {
        "owner": fact.data["union"],
        "offered_to": None,
        "handler": None,
        "state": state,
        "parties": life.parties | {(life.owner, None, PartyRole.EARLIER_OWNER.value)},
    }


_EFFECTS: Final[dict[str, Callable[[Life, Fact], dict[str, Any]]]] = {
    _K.SUBMITTED: _submitted,
    _K.ACCEPTED: _answered,
    _K.REFUSED: _answered,
    _K.ASSIGNED: _assigned,
    _K.PROPOSED: lambda life, fact: {"proposed_at": fact.at, "pauses": _ended(life.pauses, fact.at)},
    _K.PAUSED: lambda life, fact: {"pauses": (*life.pauses, Span(fact.at))},
    _K.RESUMED: lambda life, fact: {"pauses": _ended(life.pauses, fact.at)},
    _K.CONFIRMED: _closed,
    _K.CLOSED_SILENT: _closed,
    _K.WITHDRAWN: _left,
    _K.MERGED: _left,
    _K.REOPENED: _reopened,
    _K.TRANSFER_OFFERED: lambda life, fact: {"offered_to": fact.data["union"]},
    _K.TRANSFER_REFUSED: lambda life, fact: {"offered_to": None},
    _K.TRANSFER_CANCELLED: lambda life, fact: {"offered_to": None},
    _K.TRANSFER_ACCEPTED: _moved,
    _K.CO_HANDLER_ADDED: lambda life, fact: {"parties": _with_party(life, fact, PartyRole.CO_HANDLER)},
    _K.CO_HANDLER_REMOVED: _without_helper,
    _K.SUPERVISED: _supervised,
    _K.PUBLISHED: lambda life, fact: {"published_title": fact.data["title"], "published_words": fact.words},
    _K.UNPUBLISHED: lambda life, fact: {"published_title": "", "published_words": ""},
}

# Which clocks a step stops, and which it starts.
_STOPS: Final[dict[str, tuple[str, ...]]] = {
    _K.ACCEPTED: ("answer",),
    _K.PROPOSED: ("answer", "progress", "result"),
    _K.REOPENED: ("verdict",),
}
_STARTS: Final[dict[str, tuple[str, ...]]] = {
    _K.SUBMITTED: ("answer",),
    _K.ACCEPTED: ("result", "progress"),
    _K.PROGRESS: ("progress",),
    _K.PROPOSED: ("verdict",),
}
_ENDS: Final = frozenset({_K.REFUSED, _K.CONFIRMED, _K.CLOSED_SILENT, _K.WITHDRAWN, _K.MERGED, _K.REOPENED})
_EVERY_CLOCK: Final = ("answer", "progress", "result", "verdict")


def _clocks(before: Life, life: Life, fact: Fact, days: Days) -> tuple[Clock, ...]:
    """Stop what the step answers, start what it begins, and let pauses move what still runs."""
    starts = _STARTS.get(fact.kind, ())
    stops = _STOPS.get(fact.kind, ())
    if fact.kind == _K.REOPENED:
        starts = ("answer",) if life.state == _S.SUBMITTED else ("result", "progress")
    elif not life.is_open:
        stops = _EVERY_CLOCK
    stopped = {*stops, *starts}
    # What a clock was measured by when it stopped stays: later rules do not make an answer of last year late.
    kept = SimpleNamespace(**fact.data["days"]) if "days" in fact.data else days
    clocks = [
        replace(clock, stopped_at=fact.at, due_at=_due(clock, before, kept))
        if clock.name in stopped and clock.stopped_at is None
        else clock
        for clock in life.clocks
    ]
    clocks += [Clock(name, fact.at, None) for name in starts]
    stale = life.pauses != before.pauses
    return tuple(
        replace(clock, due_at=_due(clock, life, days))
        if clock.stopped_at is None and (clock.due_at is None or stale)
        else clock
        for clock in clocks
    )


def stops_clocks(kind: str) -> bool:
    """Whether a step stops a clock, so that the days by which it was measured are kept with it."""
    return kind in _STOPS or kind in _STARTS or kind in _ENDS


def _due(clock: Clock, life: Life, days: Any) -> datetime | None:
    # Nobody pauses what the worker was promised first, nor the worker's own time to answer.
    pauses = () if clock.name in {"answer", "verdict"} else life.pauses
    since = [pause for pause in pauses if pause.end is None or pause.end > clock.begin]
    length: int = getattr(days, f"{clock.name}_days")
    return due_with_pauses(clock.begin, length, since)


def was_late(life: Life, at: datetime) -> bool:
    """Whether an answer or a result was late, or is now. News of progress count for the list of what is due only."""
    return any(clock.was_late(at) for clock in life.clocks if clock.name in {"answer", "result"})
