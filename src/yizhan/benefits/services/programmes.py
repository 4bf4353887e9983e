"""Drafting, changing, opening, pausing and ending programmes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.benefits.actions import PROGRAMME_CHANGED, PROGRAMME_CREATED, PROGRAMME_STEPPED
from yizhan.benefits.models import Allotment, BenefitOffer, Period, PlaceDay, Programme, ProgrammeKind, ProgrammeState
from yizhan.benefits.models.programme import EVERY_DAY, MINUTES_OF_A_DAY
from yizhan.benefits.rights import MANAGE_PROGRAMMES
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Membership, Occupation, Staff, Union
from yizhan.unions.rights import Operator, policy

_QUOTAS = ("quota_period", "quota_day", "quota_month", "place_quota_day")
_MOST_OF_A_QUOTA = 30_000
_STEPS = {
    ProgrammeState.OPEN: (ProgrammeState.DRAFT, ProgrammeState.PAUSED),
    ProgrammeState.PAUSED: (ProgrammeState.OPEN,),
    ProgrammeState.ENDED: (ProgrammeState.DRAFT, ProgrammeState.OPEN, ProgrammeState.PAUSED),
}


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """午餐 630-840: minutes after midnight in Shanghai, the end excluded; beyond 1440 it goes past midnight."""

    name: str
    starts_minute: int
    ends_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFacts:
    """What staff say of a programme; see the model for what each means."""

    name: str
    kind: str = ProgrammeKind.MEAL
    summary: str = ""
    starts_on: date
    ends_on: date | None = None
    weekdays: Sequence[int] = tuple(EVERY_DAY)
    periods: Sequence[PeriodFacts] = ()
    occupations: Sequence[str] = ()
    companies: Sequence[str] = ()
    memberships: Sequence[str] = ()
    unions: Sequence[Union] = field(default=())
    quota_period: int | None = None
    quota_day: int | None = None
    quota_month: int | None = None
    place_quota_day: int | None = None
    allotment: str = Allotment.FIRST_COME
    takes_paper: bool = False
    void_minutes: int = 30
    refund_days: int = 30

    @classmethod
    def of(cls, programme: Programme) -> ProgrammeFacts:
        """What a programme says now."""
        known = {each.name: getattr(programme, each.name) for each in fields(cls) if each.name not in _ROWS}
        periods = [PeriodFacts(row.name, row.starts_minute, row.ends_minute) for row in periods_of(programme)]
        return cls(**known, periods=periods, unions=list(programme.unions.all()))


_ROWS = ("periods", "unions")


class ChangedMeanwhile(RuleBroken):
    """Someone else changed the programme after the asker had read it."""

    def __init__(self, programme: Programme, seen: int) -> None:
        message = _("Someone changed “%(name)s” in the meantime; look at the new state and enter your change again.")
        super().__init__(Problem("revision", seen, message % {"name": programme.name}, "changed_meanwhile"))


@transaction.atomic
def create_programme(facts: ProgrammeFacts, *, union: Union, actor: Staff | Operator) -> Programme:
    """Draft a programme of `union`.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        RuleBroken: every value that breaks a rule.
    """
    policy.require(actor, MANAGE_PROGRAMMES, union)
    _check(facts, union=union, programme=None)
    made = Programme(union=union, created_by=actor if isinstance(actor, Staff) else None)
    _set(made, facts)
    made.save()
    _set_rows(made, facts)
    record(actor, PROGRAMME_CREATED, union=union, target=made)
    return made


@transaction.atomic
def change_programme(
    programme: Programme, facts: ProgrammeFacts, *, revision: int, actor: Staff | Operator
) -> Programme:
    """Give a programme new rules, which hold from the next redemption on. A change that changes nothing writes nothing.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        ChangedMeanwhile: it has another revision than the `revision` that the asker saw.
        RuleBroken: values that break rules, or the programme has ended.
    """
    current = locked(programme)
    policy.require(actor, MANAGE_PROGRAMMES, current.union)
    if current.revision != revision:
        raise ChangedMeanwhile(current, revision)
    if current.state == ProgrammeState.ENDED:
        raise RuleBroken.at("", None, _("A programme that has ended stays as it is."), "ended")
    _check(facts, union=current.union, programme=current)
    before = ProgrammeFacts.of(current)
    changed = [each.name for each in fields(facts) if not _same(getattr(before, each.name), getattr(facts, each.name))]
    if not changed:
        return current
    _set(current, facts)
    current.revision += 1
    current.save()
    _set_rows(current, facts)
    if "place_quota_day" in changed:  # days begin to count anew, with what was redeemed so far
        PlaceDay.objects.with_scopes_disabled().filter(programme=current).delete()
    record(actor, PROGRAMME_CHANGED, union=current.union, target=current, details={"fields": changed})
    return current


@transaction.atomic
def step_programme(
    programme: Programme, state: ProgrammeState, *, actor: Staff | Operator, reason: str = ""
) -> Programme:
    """Open, pause or end a programme. Pausing and ending need a reason, which workers read.

    Raises:
        NotAllowed: `actor` may not manage programmes of this union.
        RuleBroken: not from this state; nothing is on offer yet; no reason.
    """
    current = locked(programme)
    policy.require(actor, MANAGE_PROGRAMMES, current.union)
    if current.state == state:
        return current
    reason = " ".join(reason.split())[:200]
    if current.state not in _STEPS.get(state, ()):
        raise RuleBroken.at(
            "state",
            current.state,
            _("“%(name)s” is in the state “%(state)s”; this step is not possible from there.")
            % {"name": current.name, "state": current.get_state_display()},
            "wrong_state",
        )
    offers = BenefitOffer.objects.with_scopes_disabled().filter(programme=current, is_active=True)
    if state == ProgrammeState.OPEN and not offers.exists():
        raise RuleBroken.at("state", state, _("Nothing is on offer yet: add an offer at a place first."), "no_offer")
    if state != ProgrammeState.OPEN and not reason:
        raise RuleBroken.at("reason", reason, _("Say why; workers read it."), "required")
    earlier, current.state = current.state, state
    current.state_note = "" if state == ProgrammeState.OPEN else reason
    current.revision += 1
    current.save(update_fields=["state", "state_note", "revision", "changed_at"])
    details = {"from": earlier, "to": str(state)} | ({"reason": reason} if reason else {})
    record(actor, PROGRAMME_STEPPED, union=current.union, target=current, details=details)
    return current


def locked(programme: Programme) -> Programme:
    """The row as it is now, locked for this transaction."""
    found: Programme = (
        Programme.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union")
        .get(pk=programme.pk)
    )
    return found


def periods_of(programme: Programme) -> list[Period]:
    """Its periods, the earliest first."""
    return list(Period.objects.with_scopes_disabled().filter(programme=programme).order_by("starts_minute"))


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, (list, tuple)) and not isinstance(now, str):
        return list(before) == list(now)
    return bool(before == now)


def _set(programme: Programme, facts: ProgrammeFacts) -> None:
    for each in fields(facts):
        if each.name not in _ROWS:
            value = getattr(facts, each.name)
            setattr(programme, each.name, list(value) if isinstance(value, (list, tuple)) else value)
    programme.name = " ".join(facts.name.split())
    programme.summary = " ".join(facts.summary.split())


def _set_rows(programme: Programme, facts: ProgrammeFacts) -> None:
    """Periods keep their rows by name: redemptions of this period go on counting."""
    kept = {row.name: row for row in periods_of(programme)}
    wanted = {period.name.strip(): period for period in facts.periods}
    for name, row in kept.items():
        if name not in wanted:
            row.delete()
    for name, period in wanted.items():
        row = kept.get(name) or Period(programme=programme, name=name)
        row.starts_minute, row.ends_minute = period.starts_minute, period.ends_minute
        row.save()
    programme.unions.set(facts.unions)


def _check(facts: ProgrammeFacts, *, union: Union, programme: Programme | None) -> None:
    """Raise with every problem."""
    name = " ".join(facts.name.split())
    twins = Programme.objects.with_scopes_disabled().filter(union=union, name=name)
    taken = twins.exclude(pk=programme.pk if programme else None).exists()
    over = facts.ends_on is not None and programme is None and facts.ends_on < timezone.localdate()
    unknown = _("There is no such choice.")
    rules: list[tuple[bool, str, Any, str, str]] = [
        (2 <= len(name) <= 80, "name", facts.name, _("A name has 2 to 80 characters."), "required"),
        (not taken, "name", name, _("This union has another programme of this name."), "taken"),
        (facts.kind in ProgrammeKind.values, "kind", facts.kind, unknown, "unknown"),
        (facts.allotment in Allotment.values, "allotment", facts.allotment, unknown, "unknown"),
        (set(facts.occupations) <= set(Occupation.values), "occupations", list(facts.occupations), unknown, "unknown"),
        (set(facts.memberships) <= set(Membership.values), "memberships", list(facts.memberships), unknown, "unknown"),
        (
            facts.ends_on is None or facts.ends_on >= facts.starts_on,
            "ends_on",
            facts.ends_on,
            _("The last day lies before the first."),
            "invalid",
        ),
        (not over, "ends_on", facts.ends_on, _("The last day is past already."), "past"),
        (
            bool(facts.weekdays) and set(facts.weekdays) <= set(EVERY_DAY),
            "weekdays",
            list(facts.weekdays),
            _("Choose at least one day of the week."),
            "required",
        ),
        (
            all(1 <= len(company) <= 60 for company in facts.companies),
            "companies",
            list(facts.companies),
            _("A company's name has 1 to 60 characters."),
            "invalid",
        ),
        (
            facts.quota_period is None or bool(facts.periods),
            "quota_period",
            facts.quota_period,
            _("A limit for each period needs periods."),
            "needs_periods",
        ),
        *(
            (
                getattr(facts, quota) is None or 1 <= getattr(facts, quota) <= _MOST_OF_A_QUOTA,
                quota,
                getattr(facts, quota),
                _("A limit is at least 1; leave it empty for none."),
                "out_of_range",
            )
            for quota in _QUOTAS
        ),
    ]
    problems = [Problem(at, value, message, code) for holds, at, value, message, code in rules if not holds]
    problems += _period_problems(facts.periods)
    if problems:
        raise RuleBroken(problems)


def _period_problems(periods: Iterable[PeriodFacts]) -> list[Problem]:
    found = []
    ordered = sorted(periods, key=lambda period: period.starts_minute)
    for period in ordered:
        whole = 0 <= period.starts_minute < MINUTES_OF_A_DAY
        if not whole or not 0 < period.ends_minute - period.starts_minute <= MINUTES_OF_A_DAY:
            found.append(Problem("periods", period.name, _("A period ends after it begins, within a day."), "invalid"))
        if not 1 <= len(period.name.strip()) <= 20:
            found.append(
                Problem("periods", period.name, _("A period has a name of at most 20 characters."), "required")
            )
    if len({period.name.strip() for period in ordered}) < len(ordered):
        found.append(Problem("periods", None, _("Two periods have the same name."), "twice"))
    following = [*ordered[1:], *ordered[:1]]
    for place, (period, after) in enumerate(zip(ordered, following, strict=True)):
        begins = after.starts_minute + (MINUTES_OF_A_DAY if place == len(ordered) - 1 else 0)
        if period.ends_minute > begins:
            message = _("“%(one)s” and “%(other)s” overlap.") % {"one": period.name, "other": after.name}
            found.append(Problem("periods", None, message, "overlap"))
    return found
