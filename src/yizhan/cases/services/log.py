"""The log of cases as services write it: one step, one row, and the columns of the case brought into step with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases.actions import CASE_STEP
from yizhan.cases.circle import in_circle
from yizhan.cases.kinds import KindSpec, kind_of
from yizhan.cases.life import Fact, Life, after, fold, stops_clocks, was_late
from yizhan.cases.models import By, Case, CaseEvent, CaseEventKind, CaseParty
from yizhan.cases.models.case import NOTHING_DUE, QUIET_EVENTS
from yizhan.cases.queries.visible import visible_cases
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import NotAllowed, Operator, Right, policy
from yizhan.unions.words import clean_words as clean

from .text_messages import WORTH_TELLING

LONGEST_WORDS: Final = 1000
DAYS: Final = ("answer_days", "progress_days", "result_days", "verdict_days")

Actor = Staff | Operator


class ChangedMeanwhile(RuleBroken):
    """Someone took a step in the case that the acting person has not seen; nothing was written.

    Attributes:
        events: What happened meanwhile, oldest first.
    """

    def __init__(self, seen: int, events: list[CaseEvent]) -> None:
        super().__init__(
            Problem(
                "seen",
                seen,
                _("Something happened to this case meanwhile; look at it and decide again."),
                "changed_meanwhile",
            )
        )
        self.events = events


clean_words = partial(clean, longest=LONGEST_WORDS)


def needed_words(words: str, message: str, *, field: str = "words") -> str:
    """The same, where something must be said.

    Raises:
        RuleBroken: nothing is said, or too much.
    """
    said = clean_words(words, field=field)
    if not said:
        raise RuleBroken.at(field, "", message, "missing")
    return said


def locked(case: Case) -> Case:
    """The case as it is now, its row locked: all steps of one case wait for one another here."""
    found: Case = locked_row(Case.objects.with_scopes_disabled().filter(pk=case.pk), "union")
    return found


def begin(case: Case, *, actor: Actor, right: Right, seen: int | None, union: Union | None = None) -> Case:
    """Lock the case and make sure that `actor` may take a step in it and has seen all that happened.

    Args:
        union: Where the right is needed; the owner when None.

    Raises:
        NotAllowed: the right is lacking, or the case is confidential and the actor not of its circle.
        ChangedMeanwhile: others took steps after version `seen`.
    """
    current = locked(case)
    where = union or current.union
    if not policy.allows(actor, right, where):
        # It may have been theirs a moment ago: who saw it go reads that it went, not that they have no right.
        if seen is not None and visible_cases(actor).filter(pk=current.pk).exists():
            check_seen(current, seen)
        raise NotAllowed(right, where)
    if current.is_confidential and not in_circle(actor, current):
        raise NotAllowed(right, where)
    check_seen(current, seen)
    return current


def check_seen(case: Case, seen: int | None) -> None:
    """Raise ChangedMeanwhile when others took steps after version `seen`; None asks for no check."""
    if seen is not None and seen != case.version:
        later = CaseEvent.objects.with_scopes_disabled().filter(case=case, number__gt=seen)
        found = later.exclude(kind__in=QUIET_EVENTS).select_related("post__user").order_by("number")
        raise ChangedMeanwhile(seen, list(found))


def facts_of(events: Iterable[CaseEvent]) -> list[Fact]:
    """Events as the fold needs them."""
    return [Fact(event.kind, event.at, event.number, event.by, event.data, event.words) for event in events]


def events_of(case: Case) -> list[CaseEvent]:
    """All steps of a case in their order."""
    return list(CaseEvent.objects.with_scopes_disabled().filter(case=case).order_by("number"))


def life_now(case: Case, *, kind: KindSpec | None = None) -> Life:
    """The life of a case as its log tells it now."""
    return fold(facts_of(events_of(case)), kind or kind_of(case.kind, case.union))


def step(
    case: Case,
    kind: CaseEventKind,
    *,
    actor: Actor | None = None,
    by: By = By.STAFF,
    words: str = "",
    data: dict[str, Any] | None = None,
    key: str = "",
    at: datetime | None = None,
) -> CaseEvent:
    """Write one step of a locked case and bring its columns into step. Call it inside the transaction of the act.

    Args:
        case: As `locked` gave it.
        actor: The post that acts; None when the worker, another system or time does, as `by` says.
        words: Why; sealed when the case is confidential.
        data: Identifiers and choices, no personal data.
        key: With one, the step happens at most once.

    Raises:
        RuleBroken: the step is not possible in the case's present state.
    """
    moment = at or timezone.now()
    spec = kind_of(case.kind, case.union)
    events = events_of(case)
    life = fold(facts_of(events), spec)
    if events and not life.may(kind):
        raise RuleBroken.at(
            "state",
            case.state,
            _("This is not possible now: the case is “%(state)s”.") % {"state": case.get_state_display()},
            "wrong_state",
        )
    number = events[-1].number + 1 if events else 1
    if events and moment < events[-1].at:
        moment = events[-1].at  # clocks of two servers differ; the log never runs backwards
    if events and stops_clocks(kind):
        data = {**(data or {}), "days": {name: getattr(spec, name) for name in DAYS}}
    post = actor if isinstance(actor, Staff) else None
    event: CaseEvent = CaseEvent.objects.with_scopes_disabled().create(
        case=case,
        number=number,
        kind=kind,
        at=moment,
        by=By.STAFF if actor is not None else by,
        post=post,
        union=post.union if post else None,
        words="" if case.is_confidential else words,
        sealed_words=words if case.is_confidential and words else None,
        data=data or {},
        key=key,
    )
    later = after(life, facts_of([event])[0], spec)
    if events and later.owner != life.owner:
        # What still runs is measured by the rules of the new owner.
        later = fold(facts_of([*events, event]), kind_of(case.kind, Union.objects.get(pk=later.owner)))
    project(case, later, at=moment)
    if kind in WORTH_TELLING:
        _text_later(case.pk, kind)
    if actor is not None:
        record(actor, CASE_STEP, union=case.union, target=case, details={"step": str(kind)})
    return event


def _text_later(pk: int, kind: CaseEventKind) -> None:
    from yizhan.cases.tasks import text_worker  # a task imports services

    # The job is a row of this transaction: it leaves with the step, or not at all.
    text_worker.defer(case_id=pk, kind=str(kind))


def projection(life: Life, *, at: datetime) -> dict[str, Any]:
    """The columns of a case that follow from its log."""
    return {
        "union_id": life.owner,
        "offered_to_id": life.offered_to,
        "state": life.state.value,
        "handler_id": life.handler,
        "version": life.version,
        "is_paused": life.is_paused,
        "answer_due": life.due("answer"),
        "progress_due": life.due("progress"),
        "result_due": life.due("result"),
        "verdict_due": life.due("verdict"),
        "due_order": life.due_at or NOTHING_DUE,
        "answered_at": life.answered_at,
        "proposed_at": life.proposed_at,
        "closed_at": life.closed_at,
        "closed_how": life.closed_how,
        "times_reopened": life.times_reopened,
        # Whether a clock that was stopped was late; what is late now is seen from the columns of what is due.
        "was_late": was_late(life, life.clocks[0].begin if life.clocks else at),
        "is_supervised": life.is_supervised,
        "stars": life.stars,
        "merged_into_id": life.merged_into,
        "published_title": life.published_title,
        "published_words": life.published_words,
    }


def project(case: Case, life: Life, *, at: datetime) -> bool:
    """Bring the columns of a locked case into step with its life; says whether any was off."""
    columns = projection(life, at=at)
    changed = {name: value for name, value in columns.items() if getattr(case, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(case, name, value)
        Case.objects.with_scopes_disabled().filter(pk=case.pk).update(**changed)
        if {"union_id", "offered_to_id"} & set(changed):
            case.refresh_from_db(fields=["union", "offered_to"], from_queryset=Case.objects.with_scopes_disabled())
    return bool(_project_parties(case, life)) or bool(changed)


def _project_parties(case: Case, life: Life) -> bool:
    rows = CaseParty.objects.with_scopes_disabled().filter(case=case)
    kept = {(row.union_id, row.staff_id, row.role): row.pk for row in rows}
    gone = [pk for party, pk in kept.items() if party not in life.parties]
    fresh = life.parties - set(kept)
    if gone:
        rows.filter(pk__in=gone).delete()
    if fresh:
        CaseParty.objects.with_scopes_disabled().bulk_create(
            [
                CaseParty(case=case, union_id=union, staff_id=staff, role=role)
                for union, staff, role in sorted(fresh, key=str)
            ]
        )
    return bool(gone or fresh)


@transaction.atomic
def rebuild_case(case: Case, *, check: bool = False) -> list[str]:
    """Compute a case's columns from its log again.

    Args:
        check: Only say what is off; write nothing.

    Returns:
        The names of columns that were off.
    """
    current = locked(case)
    life = life_now(current)
    columns = projection(life, at=current.submitted_at)
    off = [name for name, value in columns.items() if getattr(current, name) != value]
    parties = CaseParty.objects.with_scopes_disabled().filter(case=current)
    if {(party.union_id, party.staff_id, party.role) for party in parties} != life.parties:
        off.append("parties")
    if off and not check:
        project(current, life, at=current.submitted_at)
    return off
