"""The pure rules of reports: deadlines by the calendar, the life of a report, and the stars it costs."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.places.conftest import shanghai
from yizhan.places.models import EventKind, ReportState
from yizhan.places.reports.deadlines import due_after, end_of, is_working_day, last_day
from yizhan.places.reports.life import STEPS, Fact, Life, life_of
from yizhan.places.reports.stars import toll

START = datetime(2026, 3, 2, 2, tzinfo=UTC)
UNANSWERED = {ReportState.OPEN, ReportState.PROMISED}


@pytest.mark.parametrize(
    ("at", "days", "until"),
    [
        (shanghai(2026, 11, 24, 9), 1, date(2026, 11, 25)),  # Tuesday
        (shanghai(2026, 11, 27, 23, 59), 1, date(2026, 11, 30)),  # Friday night: Monday
        (shanghai(2026, 11, 28, 0, 1), 1, date(2026, 11, 30)),  # Saturday: Monday
        (shanghai(2026, 9, 30, 12), 1, date(2026, 10, 8)),  # the week of the National Day is free
        (shanghai(2026, 10, 9, 12), 1, date(2026, 10, 10)),  # Friday: the Saturday is worked
        (shanghai(2026, 11, 24, 9), 5, date(2026, 12, 1)),
    ],
)
def test_a_deadline_counts_working_days_of_the_public_calendar(at: datetime, days: int, until: date) -> None:
    due = due_after(at, days)
    assert last_day(due) == until
    assert due == end_of(until)


@given(st.integers(-400, 450), st.integers(0, 23), st.integers(1, 20))
def test_between_report_and_deadline_lie_exactly_so_many_working_days(day: int, hour: int, days: int) -> None:
    at = START + timedelta(days=day, hours=hour)
    first = last_day(at + timedelta(microseconds=1))
    last = last_day(due_after(at, days))
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(is_working_day(day) for day in between) == days
    assert is_working_day(last)


def facts(*told: tuple[EventKind, int, int | None]) -> list[Fact]:
    """Kind, hour after the start, and the hour of the deadline."""
    return [
        Fact(kind, START + timedelta(hours=at), number, None if due is None else START + timedelta(hours=due))
        for number, (kind, at, due) in enumerate(told)
    ]


def test_an_answer_in_time_is_never_overdue() -> None:
    life = life_of(facts((EventKind.REPORTED, 0, 10), (EventKind.FIXED, 9, None)))
    assert life.state is ReportState.FIXED
    assert life.first_overdue(START + timedelta(days=100)) is None


def test_a_promise_after_the_deadline_does_not_undo_the_lateness() -> None:
    life = life_of(facts((EventKind.REPORTED, 0, 10), (EventKind.PROMISED, 12, 50), (EventKind.FIXED, 20, None)))
    assert life.first_overdue(START + timedelta(days=1)) == START + timedelta(hours=10)
    assert [stretch.end for stretch in life.stretches] == [START + timedelta(hours=12), START + timedelta(hours=20)]


def test_a_report_is_overdue_from_the_very_moment_of_its_deadline() -> None:
    life = life_of(facts((EventKind.REPORTED, 0, 10)))
    due = START + timedelta(hours=10)
    assert life.is_overdue(due)
    assert life.first_overdue(due) == due
    assert life.first_overdue(due - timedelta(microseconds=1)) is None


def test_not_fixed_and_reported_again_reopen_with_a_new_deadline() -> None:
    life = life_of(
        facts(
            (EventKind.REPORTED, 0, 10),
            (EventKind.FIXED, 5, None),
            (EventKind.SAID_NOT_FIXED, 20, 30),
            (EventKind.NOT_A_FAULT, 25, None),
            (EventKind.REPORTED, 40, 60),
        )
    )
    assert (life.state, life.times_reopened, life.times_reported) == (ReportState.OPEN, 2, 2)
    assert life.due_at == START + timedelta(hours=60)


kinds = st.sampled_from(list(EventKind))
events = st.lists(
    st.tuples(kinds, st.integers(0, 400), st.integers(1, 100)).map(lambda told: (told[0], told[1], told[1] + told[2])),
    max_size=25,
)


@given(events, st.randoms(use_true_random=False))
def test_the_order_in_which_events_are_read_changes_nothing(
    told: list[tuple[EventKind, int, int | None]], chance: random.Random
) -> None:
    log = facts((EventKind.REPORTED, -1, 24), *told)
    mixed = log.copy()
    chance.shuffle(mixed)
    assert life_of(mixed) == life_of(log)


@given(events)
def test_stretches_are_half_open_in_order_and_end_where_the_answer_is(
    told: list[tuple[EventKind, int, int | None]],
) -> None:
    life = life_of(facts((EventKind.REPORTED, -1, 24), *told))
    for earlier, later in zip(life.stretches, life.stretches[1:], strict=False):
        assert earlier.end is not None
        assert earlier.start <= earlier.end <= later.start
    assert (life.stretches[-1].end is None) == life.is_running
    assert life.is_running == (life.state in UNANSWERED)


def late(hour: int, *, settled: bool = False) -> Life:
    """A report that was overdue from an hour on, and was repaired and verified if `settled`."""
    told: list[tuple[EventKind, int, int | None]] = [(EventKind.REPORTED, hour - 1, hour)]
    if settled:
        told += [(EventKind.FIXED, hour + 5, None), (EventKind.VERIFIED, hour + 6, None)]
    return life_of(facts(*told))


AT = START + timedelta(days=400)


@pytest.mark.parametrize(
    ("lives", "after", "days", "taken"),
    [
        ([late(0)], 2, 30, 0),
        ([late(0), late(24)], 2, 30, 1),
        ([late(0), late(24 * 30)], 2, 30, 0),  # exactly 30 days apart: no longer within
        ([late(0), late(24 * 30 - 1)], 2, 30, 1),
        ([late(0), late(24, settled=True)], 2, 30, 0),  # repaired and verified brings it back
        ([late(0), late(1), late(2), late(3)], 2, 30, 2),
        ([late(0), late(1), late(2)], 2, 30, 1),
        ([late(0), late(24)], 0, 30, 0),
    ],
)
def test_so_many_overdue_reports_within_so_many_days_take_one_star(
    lives: list[Life], after: int, days: int, taken: int
) -> None:
    assert toll(lives, star_after=after, window_days=days, at=AT).taken == taken


@given(st.lists(events, max_size=6), st.integers(0, 5), st.integers(1, 60), st.randoms(use_true_random=False))
def test_replaying_the_log_in_any_order_takes_the_same_stars(
    logs: list[list[tuple[EventKind, int, int | None]]], after: int, days: int, chance: random.Random
) -> None:
    told = [facts((EventKind.REPORTED, -1, 24), *log) for log in logs]
    straight = toll([life_of(log) for log in told], star_after=after, window_days=days, at=AT)
    mixed = [chance.sample(log, len(log)) for log in told]
    chance.shuffle(mixed)
    assert toll([life_of(log) for log in mixed], star_after=after, window_days=days, at=AT) == straight
    assert straight.taken * after <= straight.strikes


class LifeOfAReport(RuleBasedStateMachine):
    """Whatever people do in whatever order, the fold agrees with a machine that is obviously right."""

    def __init__(self) -> None:
        super().__init__()
        self.hour = 0
        self.log = facts((EventKind.REPORTED, 0, 24))
        self.state = ReportState.OPEN

    def happen(self, kind: EventKind, *, due: int | None = None) -> None:
        self.hour += 1
        due_at = None if due is None else START + timedelta(hours=self.hour + due)
        self.log.append(Fact(kind, START + timedelta(hours=self.hour), len(self.log), due_at))

    @property
    def life(self) -> Life:
        return life_of(self.log)

    @rule(due=st.integers(1, 100))
    def reported_again(self, due: int) -> None:
        self.happen(EventKind.REPORTED, due=due)
        if self.state in {ReportState.FIXED, ReportState.NOT_A_FAULT}:
            self.state = ReportState.OPEN

    @precondition(lambda self: self.state in UNANSWERED)
    @rule(kind=st.sampled_from([EventKind.FIXED, EventKind.NOT_A_FAULT, EventKind.PROMISED]), due=st.integers(1, 100))
    def answered(self, kind: EventKind, due: int) -> None:
        self.happen(kind, due=due if kind is EventKind.PROMISED else None)
        self.state = ReportState(kind.value)

    @rule(kind=st.sampled_from([EventKind.SAID_FIXED, EventKind.VERIFIED, EventKind.SAID_NOT_FIXED]))
    def judged(self, kind: EventKind) -> None:
        allowed = self.life.may(kind)
        self.happen(kind, due=24 if kind is EventKind.SAID_NOT_FIXED else None)
        if allowed:
            self.state = STEPS[kind][1]

    @invariant()
    def the_fold_knows_the_state(self) -> None:
        assert self.life.state is self.state
        assert (self.life.due_at is not None) == (self.state in UNANSWERED)

    @invariant()
    def what_is_settled_stays_settled(self) -> None:
        if self.state is ReportState.SETTLED:
            assert not any(self.life.may(kind) for kind in STEPS)


TestLifeOfAReport = LifeOfAReport.TestCase
