"""What time does to cases: overdue ones are told, and told upwards; proposed results close in silence.

Run as often as you like, and twice at once: each thing is told once, as the log's keys see to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from yizhan.cases.clocks import due_after
from yizhan.cases.kinds import KindSpec, kind_of
from yizhan.cases.life import Clock, Life
from yizhan.cases.models import By, Case, CaseEvent, CaseEventKind, CaseState
from yizhan.cases.models.case import OPEN_STATES
from yizhan.cases.rights import SUPERVISE_CASES
from yizhan.unions.models import Union
from yizhan.unions.services.inbox import send

from .log import life_now, locked, project, step
from .notices import name_of, tell_handlers, tell_union, words_for

_MOST_AT_ONCE = 5000


def watch_cases(*, at: datetime | None = None) -> int:
    """Tell of deadlines that have passed and close what was left unanswered; says how many steps that took."""
    now = at or timezone.now()
    late = Case.objects.with_scopes_disabled().filter(state__in=OPEN_STATES, due_order__lte=now)
    silent = Case.objects.with_scopes_disabled().filter(state=CaseState.PROPOSED, verdict_due__lte=now)
    taken = 0
    for pk in list(silent.order_by("pk").values_list("pk", flat=True)[:_MOST_AT_ONCE]):
        taken += _close_silent(pk, now)
    for pk in list(late.order_by("due_order", "pk").values_list("pk", flat=True)[:_MOST_AT_ONCE]):
        taken += _watch(pk, now)
    return taken


@transaction.atomic
def _close_silent(pk: int, now: datetime) -> int:
    case = locked(Case(pk=pk))
    due = life_now(case).due("verdict")
    if due is None or due > now:
        return 0
    step(case, CaseEventKind.CLOSED_SILENT, by=By.SYSTEM, at=now)
    tell_handlers(case, words_for(gettext_noop("Closed: the worker did not answer within the time for it.")))
    return 1


@transaction.atomic
def _watch(pk: int, now: datetime) -> int:
    case = locked(Case(pk=pk))
    kind = kind_of(case.kind, case.union)
    life = life_now(case, kind=kind)
    taken = 0
    for clock in _late_clocks(life, now):
        if clock.due_at is None:
            continue
        taken += _told(case, CaseEventKind.OVERDUE, clock, 0, now)
        taken += _escalated(case, kind, clock, clock.due_at, now)
    return taken


def _late_clocks(life: Life, now: datetime) -> list[Clock]:
    return [
        clock
        for name in ("answer", "progress", "result")
        if (clock := life.running(name)) and clock.due_at is not None and clock.due_at <= now
    ]


def _escalated(case: Case, kind: KindSpec, clock: Clock, due_at: datetime, now: datetime) -> int:
    """Tell the union above, then the one above that, each after some more working days. News alone go no higher."""
    if clock.name == "progress":
        return 0
    taken, level, above = 0, 1, Union.objects.get_parent(case.union)
    while above is not None:
        if due_after(due_at - timedelta(microseconds=1), kind.escalate_days * level) > now:
            break
        taken += _told(case, CaseEventKind.ESCALATED, clock, level, now, above=above)
        level, above = level + 1, Union.objects.get_parent(above)
    return taken


def _told(
    case: Case, kind: CaseEventKind, clock: Clock, level: int, now: datetime, *, above: Union | None = None
) -> int:
    key = f"{kind}:{clock.name}:{level}:{clock.due_at:%Y%m%d%H%M}"
    if CaseEvent.objects.with_scopes_disabled().filter(case=case, key=key).exists():
        return 0
    data = {"clock": clock.name, "level": level, **({"union": above.pk} if above else {})}
    step(case, kind, by=By.SYSTEM, data=data, key=key, at=now)
    if above is None:
        tell_handlers(case, words_for(gettext_noop("Overdue: it waits longer than it should.")))
    elif case.is_confidential:
        # The union above learns that something is late, not what: the circle is not theirs.
        send(title=name_of(case), body=words_for(gettext_noop("A confidential case of %(union)s is overdue."),
             union=case.union.name), union=above, right=SUPERVISE_CASES)  # fmt: skip
    else:
        tell_union(case, words_for(gettext_noop("Overdue at %(union)s."), union=case.union.name), union=above)
    return 1


def recompute(cases: Iterable[int]) -> int:
    """Bring the columns of open cases into step after rules changed; says how many moved."""
    return sum(_recompute(pk) for pk in cases)


@transaction.atomic
def _recompute(pk: int) -> bool:
    case = locked(Case(pk=pk))
    return project(case, life_now(case), at=case.submitted_at)


def open_below(union: Union, kind: str) -> list[int]:
    """Row numbers of the open cases of a kind at a union and below."""
    found = Case.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, kind=kind, state__in=OPEN_STATES
    )
    return list(found.order_by("pk").values_list("pk", flat=True))
