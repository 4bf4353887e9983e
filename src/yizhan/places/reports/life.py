"""The life of a report, computed from its events: its state, its deadline, and when it was overdue.

A pure fold: the same events give the same life in whatever order they are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from yizhan.places.models.reports import UNANSWERED, EventKind, ReportState

_RUNNING = tuple(UNANSWERED)
_ANSWERED = (ReportState.FIXED, ReportState.NOT_A_FAULT)

# From which states something may happen, and to which it leads. What is not here changes no state.
STEPS: dict[EventKind, tuple[tuple[ReportState, ...], ReportState]] = {
    EventKind.FIXED: (_RUNNING, ReportState.FIXED),
    EventKind.NOT_A_FAULT: (_RUNNING, ReportState.NOT_A_FAULT),
    EventKind.PROMISED: (_RUNNING, ReportState.PROMISED),
    EventKind.SAID_FIXED: ((*_RUNNING, *_ANSWERED), ReportState.SETTLED),
    EventKind.SAID_NOT_FIXED: (_ANSWERED, ReportState.OPEN),
    EventKind.VERIFIED: (_ANSWERED, ReportState.SETTLED),
    EventKind.WITHDRAWN: ((ReportState.OPEN,), ReportState.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as the fold needs it. `sequence` orders events of one moment."""

    kind: EventKind
    at: datetime
    sequence: int
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the keeper's clock ran: from `start` until just before `end`; None: it still runs."""

    start: datetime
    end: datetime | None
    due_at: datetime

    def overdue_since(self, at: datetime) -> datetime | None:
        """When it became overdue, as seen at `at`; None when it was answered in time or is not due yet."""
        # Half-open: overdue from the deadline on, until just before the answer.
        since = max(self.start, self.due_at)
        if self.end is None or at < self.end:
            return since if since <= at else None
        return since if since < self.end else None


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a report."""

    state: ReportState
    stretches: tuple[Stretch, ...] = ()
    times_reported: int = 0
    times_reopened: int = 0
    promises: int = 0
    answered_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether the keeper owes an answer."""
        return self.state in UNANSWERED

    @property
    def due_at(self) -> datetime | None:
        """When the answer is due; None when none is owed."""
        return self.stretches[-1].due_at if self.is_running and self.stretches else None

    def is_overdue(self, at: datetime) -> bool:
        """Whether an answer is owed and late."""
        return self.due_at is not None and self.due_at <= at

    def first_overdue(self, at: datetime) -> datetime | None:
        """When it was overdue for the first time, up to `at`."""
        late = [since for stretch in self.stretches if (since := stretch.overdue_since(at)) is not None]
        return min(late, default=None)

    def may(self, kind: EventKind) -> bool:
        """Whether this can happen now."""
        return kind not in STEPS or self.state in STEPS[kind][0]


def life_of(facts: Iterable[Fact]) -> Life:
    """The life that the events tell; those that make no sense where they stand change nothing."""
    state: ReportState | None = None
    stretches: list[Stretch] = []
    reported = reopened = promises = 0
    answered_at = settled_at = None
    for fact in sorted(facts, key=lambda fact: (fact.at, fact.sequence)):
        before = state
        if fact.kind is EventKind.REPORTED:
            reported += 1
            if state is None or state in _ANSWERED:
                state = ReportState.OPEN
        elif fact.kind in STEPS and state in STEPS[fact.kind][0]:
            state = STEPS[fact.kind][1]
        else:
            continue
        promised = fact.kind is EventKind.PROMISED
        ran, runs = before in UNANSWERED, state in UNANSWERED
        if ran and (promised or not runs):
            stretches[-1] = Stretch(stretches[-1].start, fact.at, stretches[-1].due_at)
        if runs and (promised or not ran):
            stretches.append(Stretch(fact.at, None, fact.due_at or fact.at))
        promises += promised
        reopened += runs and before in _ANSWERED
        if state in _ANSWERED:
            answered_at = fact.at
        if state in {ReportState.SETTLED, ReportState.WITHDRAWN} and before is not state:
            settled_at = fact.at
    return Life(state or ReportState.OPEN, tuple(stretches), reported, reopened, promises, answered_at, settled_at)
