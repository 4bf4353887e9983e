"""Draws as a worker sees them: which they may enter, with which ticket they take part, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from yizhan.benefits.models import Lottery, LotteryTicket, Programme, ProgrammeState
from yizhan.unions.models import Worker

_SHOWN_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw for one worker; `ticket` is theirs, None while they have not entered."""

    lottery: Lottery
    ticket: LotteryTicket | None
    tickets: int
    takes_entries: bool


def draws_for(worker: Worker, *, at: datetime | None = None) -> list[Draw]:
    """Draws of open programmes whose rules admit the worker: those that take entries first.

    A draw stays in the list until a month after the last day for which it holds.
    """
    now = at or timezone.now()
    since = timezone.localdate(now) - _SHOWN_AFTER
    found = _lotteries(worker).filter(programme__state=ProgrammeState.OPEN, valid_until__gte=since)
    drawn = [_draw(lottery, now) for lottery in found[:200] if _admits(lottery.programme, worker)]
    return sorted(drawn, key=lambda one: (not one.takes_entries, one.lottery.closes_at))


def draw_for(worker: Worker, public_id: UUID, *, at: datetime | None = None) -> Draw | None:
    """One of them; None where there is no such draw for this worker."""
    now = at or timezone.now()
    lottery = _lotteries(worker).filter(public_id=public_id, programme__state=ProgrammeState.OPEN).first()
    return _draw(lottery, now) if lottery is not None and _admits(lottery.programme, worker) else None


def _lotteries(worker: Worker) -> QuerySet[Lottery]:
    own = LotteryTicket.objects.with_scopes_disabled().filter(worker=worker)
    found: QuerySet[Lottery] = (
        Lottery.objects.with_scopes_disabled()
        .select_related("programme__union")
        .prefetch_related(Prefetch("tickets", queryset=own, to_attr="own"), "programme__unions")
        .annotate(tickets_count=Count("tickets"))
        .order_by("closes_at", "pk")
    )
    return found


def _draw(lottery: Lottery, now: datetime) -> Draw:
    own: list[LotteryTicket] = getattr(lottery, "own", [])
    takes = lottery.drawn_at is None and now < lottery.closes_at
    return Draw(lottery, own[0] if own else None, int(getattr(lottery, "tickets_count", 0)), takes)


def _admits(programme: Programme, worker: Worker) -> bool:
    """Whether the programme is for such workers at all; days, quotas and budgets are asked at the counter."""
    unions, path = list(programme.unions.all()), worker.union.path if worker.union is not None else ""
    return (
        (not programme.occupations or worker.occupation in programme.occupations)
        and (not programme.companies or worker.platform_company in programme.companies)
        and (not programme.memberships or worker.membership in programme.memberships)
        and (not unions or any(path.startswith(union.path) for union in unions))
    )
