"""What the person whose case it is sees: their own cases, and each step as “heard, doing, done”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from yizhan.cases.models import By, Case, CaseEvent, CaseEventKind, CaseState
from yizhan.cases.numbers import digest
from yizhan.unions.models import Worker

from .visible import steps_of

# What is between colleagues: not shown to the worker.
_INSIDE: Final = frozenset(
    {
        CaseEventKind.NOTED,
        CaseEventKind.URGED,
        CaseEventKind.SUPERVISED,
        CaseEventKind.OVERDUE,
        CaseEventKind.TRANSFER_OFFERED,
        CaseEventKind.TRANSFER_REFUSED,
        CaseEventKind.TRANSFER_CANCELLED,
        CaseEventKind.CO_HANDLER_ADDED,
        CaseEventKind.CO_HANDLER_REMOVED,
        CaseEventKind.ABSORBED,
        CaseEventKind.PUBLISHED,
        CaseEventKind.UNPUBLISHED,
    }
)
# What is told without the words that were meant for colleagues.
_WITHOUT_WORDS: Final = frozenset(
    {
        CaseEventKind.ASSIGNED,
        CaseEventKind.TRANSFER_ACCEPTED,
        CaseEventKind.EDITED,
        CaseEventKind.ESCALATED,
        CaseEventKind.SPLIT_OFF,
        CaseEventKind.MERGED,
    }
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A station of the track: heard, doing, done."""

    name: str
    label: str
    reached_at: datetime | None
    is_now: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A step as the worker reads it."""

    event: CaseEvent
    title: str
    words: str


def own_cases(worker: Worker) -> QuerySet[Case]:
    """The cases of a worker, newest first."""
    found: QuerySet[Case] = Case.objects.with_scopes_disabled().filter(worker=worker)
    return found.select_related("union", "place", "merged_into__union").order_by("-submitted_at", "-pk")


def own_case(worker: Worker, public_id: UUID) -> Case:
    """One of them. Raises Case.DoesNotExist."""
    return own_cases(worker).get(public_id=public_id)


def case_by_token(token: str) -> Case:
    """The case that is followed under a secret link. Raises Case.DoesNotExist."""
    found: Case = (
        Case.objects.with_scopes_disabled()
        .select_related("union", "place", "merged_into__union")
        .get(token_digest=digest(token))
    )
    return found


def track_of(case: Case) -> list[Stage]:
    """Where the case is on its way."""
    state = CaseState(case.state)
    done = case.proposed_at or case.closed_at
    if state in {CaseState.REFUSED, CaseState.WITHDRAWN}:
        last = _("Not taken on") if state is CaseState.REFUSED else _("Taken back")
        return [
            Stage("heard", _("Heard"), case.submitted_at, is_now=False),
            Stage("ended", last, case.closed_at, is_now=True),
        ]
    doing = case.answered_at if state is not CaseState.SUBMITTED else None
    is_done = state in {CaseState.PROPOSED, CaseState.CLOSED}
    return [
        Stage("heard", _("Heard"), case.submitted_at, is_now=doing is None),
        Stage("doing", _("Doing"), doing, is_now=doing is not None and not is_done),
        Stage("done", _("Done"), done if is_done else None, is_now=is_done),
    ]


def told_to_worker(case: Case) -> list[Told]:
    """The steps of a case that its worker reads, newest first; posts are not named, only their union."""
    told = []
    for event in steps_of(case, for_worker=True):
        if event.kind in _INSIDE:
            continue
        words = "" if event.kind in _WITHOUT_WORDS else event.said
        told.append(Told(event, _title(event), words))
    return told[::-1]


def _title(event: CaseEvent) -> str:
    union = event.union.name if event.union else ""
    if "called_at" in event.data:
        called = {
            CaseEventKind.CONFIRMED: _("%(union)s noted from the telephone call with you: solved"),
            CaseEventKind.REOPENED: _("%(union)s noted from the telephone call with you: not solved"),
        }
        return called[CaseEventKind(event.kind)] % {"union": union or _("The union")}
    if event.by == By.WORKER:
        mine = {
            CaseEventKind.SUBMITTED: _("You told us"),
            CaseEventKind.CONFIRMED: _("You say: solved"),
            CaseEventKind.REOPENED: _("You say: not solved"),
            CaseEventKind.ADDED: _("You added something"),
            CaseEventKind.WITHDRAWN: _("You took it back"),
        }
        return mine.get(CaseEventKind(event.kind), str(CaseEventKind(event.kind).label))
    plain = {
        CaseEventKind.SUBMITTED: _("%(union)s took it down for you") if union else _("Taken down"),
        CaseEventKind.ACCEPTED: _("%(union)s took it on"),
        CaseEventKind.REFUSED: _("%(union)s cannot take it on"),
        CaseEventKind.ASSIGNED: _("%(union)s gave it to someone who sees to it"),
        CaseEventKind.STARTED: _("%(union)s began to work on it"),
        CaseEventKind.PROGRESS: _("News from %(union)s"),
        CaseEventKind.PAUSED: _("%(union)s waits for something"),
        CaseEventKind.RESUMED: _("%(union)s goes on"),
        CaseEventKind.PROPOSED: _("%(union)s says: done. What do you say?"),
        CaseEventKind.TRANSFER_ACCEPTED: _("%(union)s took it over"),
        CaseEventKind.CLOSED_SILENT: _("Closed, as you did not answer"),
        CaseEventKind.ESCALATED: _("The union above was told that it takes too long"),
        CaseEventKind.MERGED: _("Others told us the same; it goes on together"),
        CaseEventKind.SPLIT_OFF: _("A part of it became a case of its own"),
        CaseEventKind.EDITED: _("%(union)s corrected what was written"),
        CaseEventKind.CONFIRMED: _("Confirmed for you"),
        CaseEventKind.REOPENED: _("Reopened for you"),
        CaseEventKind.ADDED: _("Something was added"),
        CaseEventKind.WITHDRAWN: _("Taken back for you"),
    }
    return plain.get(CaseEventKind(event.kind), str(CaseEventKind(event.kind).label)) % {
        "union": union or _("The union")
    }
