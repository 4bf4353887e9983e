"""Hypothesis lives cases: no owner is lost, no illegal step happens, and a deadline only ever moves later.

`YIZHAN_TEST_CASE_LIVES` sets how many lives."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.cases.case_makers import shanghai
from yizhan.cases.kinds import house_kinds
from yizhan.cases.life import MOST_REOPENED, Fact, Life, after, fold
from yizhan.cases.models import OPEN_STATES, By, CaseEventKind, CaseState

_K = CaseEventKind
_UNIONS = st.integers(1, 4)
_DATA: dict[str, Callable[[st.DataObject], dict[str, Any]]] = {
    _K.ASSIGNED: lambda draw: {"handler": draw.draw(st.integers(1, 3))},
    _K.TRANSFER_OFFERED: lambda draw: {"union": draw.draw(_UNIONS)},
    _K.CO_HANDLER_ADDED: lambda draw: {"union": draw.draw(_UNIONS)},
    _K.CO_HANDLER_REMOVED: lambda draw: {"union": draw.draw(_UNIONS)},
    _K.SUPERVISED: lambda draw: {"union": draw.draw(_UNIONS)},
    _K.CONFIRMED: lambda draw: {
        "stars": draw.draw(st.integers(1, 5)),
        **draw.draw(st.sampled_from([{}, {"called_at": "2026-01-05T09:00:00+08:00"}])),
    },
    _K.MERGED: lambda draw: {"into": 99},
    _K.PUBLISHED: lambda draw: {"title": "成效"},
}
# What may follow what, told once more and otherwise than the code does: states before, state after ("" stays).
_LEGAL: dict[str, tuple[set[str], set[str]]] = {
    _K.ACCEPTED: ({"submitted"}, {"accepted"}),
    _K.REFUSED: ({"submitted"}, {"refused"}),
    _K.ASSIGNED: ({"accepted", "assigned", "in_progress"}, {"assigned", "in_progress"}),
    _K.STARTED: ({"accepted", "assigned"}, {"in_progress"}),
    _K.PROGRESS: ({"accepted", "assigned", "in_progress"}, {"in_progress"}),
    _K.PROPOSED: ({"accepted", "assigned", "in_progress"}, {"proposed"}),
    _K.CONFIRMED: ({"proposed", "closed"}, {"closed"}),
    _K.CLOSED_SILENT: ({"proposed"}, {"closed"}),
    _K.REOPENED: ({"proposed", "closed", "refused"}, {"submitted", "accepted", "in_progress"}),
    _K.WITHDRAWN: ({"submitted", "accepted", "assigned", "in_progress"}, {"withdrawn"}),
    _K.MERGED: ({"submitted", "accepted", "assigned", "in_progress"}, {"merged"}),
}


class CaseLife(RuleBasedStateMachine):
    """One case, lived by chance."""

    @initialize(kind=st.sampled_from(sorted(house_kinds())))
    def submitted(self, kind: str) -> None:
        self.days = house_kinds()[kind]
        self.at: datetime = shanghai(2026, 1, 5, 9)
        self.log = [Fact(_K.SUBMITTED, self.at, 1, By.WORKER, {"union": 1})]
        self.life: Life = fold(self.log, self.days)
        self.owners = [1]

    @rule(hours=st.integers(0, 400))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule(kind=st.sampled_from([kind for kind in _K if kind != _K.SUBMITTED]), draw=st.data())
    def somebody_tries(self, kind: CaseEventKind, draw: st.DataObject) -> None:
        data = _DATA.get(kind, lambda _draw: {})(draw)
        if kind == _K.TRANSFER_ACCEPTED:
            data = {"union": self.life.offered_to}
        if kind == _K.TRANSFER_OFFERED and data["union"] == self.life.owner:
            return  # the service refuses it
        if not self.life.may(kind):
            return
        before = self.life
        fact = Fact(kind, self.at, len(self.log) + 1, By.STAFF, data, "因为")
        self.log.append(fact)
        self.life = after(before, fact, self.days)
        self._legal(before, kind)
        self._deadlines_are_monotone(before)
        if self.life.owner != before.owner:
            assert kind == _K.TRANSFER_ACCEPTED
            assert self.life.owner == before.offered_to
            self.owners.append(self.life.owner)

    def _legal(self, before: Life, kind: CaseEventKind) -> None:
        if kind in _LEGAL:
            froms, tos = _LEGAL[kind]
            assert before.state in froms
            if kind == _K.CONFIRMED and before.state == "closed":
                assert before.closed_how == "telephone"
            assert self.life.state in tos
        elif kind == _K.TRANSFER_ACCEPTED:
            assert self.life.state in {"submitted", "accepted"}
        else:
            assert self.life.state == before.state

    def _deadlines_are_monotone(self, before: Life) -> None:
        """A clock that runs on is never due earlier than it was; a stopped one never moves again."""
        for known, clock in zip(before.clocks, self.life.clocks, strict=False):
            assert (clock.name, clock.begin) == (known.name, known.begin)
            if known.due_at is None or clock.due_at is None:
                continue
            assert clock.due_at >= known.due_at
            if known.stopped_at is not None:
                assert clock == known

    @invariant()
    def there_is_one_owner_and_earlier_ones_are_kept(self) -> None:
        if not hasattr(self, "life"):
            return
        assert self.life.owner == self.owners[-1]
        kept = {union for union, _staff, role in self.life.parties if role == "earlier_owner"}
        assert set(self.owners[:-1]) <= kept | {self.life.owner}
        assert self.life.offered_to != self.life.owner

    @invariant()
    def open_cases_owe_something_or_stand_and_closed_ones_do_not(self) -> None:
        if not hasattr(self, "life"):
            return
        life = self.life
        running = [clock.name for clock in life.clocks if clock.stopped_at is None]
        assert len(running) == len(set(running))
        if life.state not in OPEN_STATES:
            assert not running
        elif life.state == CaseState.PROPOSED:
            assert running == ["verdict"]
            assert life.due("verdict") is not None
        else:
            assert life.is_paused or life.due_at is not None
        assert life.times_reopened <= MOST_REOPENED

    @invariant()
    def the_log_tells_the_same_again(self) -> None:
        if hasattr(self, "life"):
            assert fold(self.log, self.days) == self.life


def test_whatever_is_tried_a_case_stays_sound() -> None:
    lives = int(os.environ.get("YIZHAN_TEST_CASE_LIVES", "60"))
    run_state_machine_as_test(
        CaseLife,
        settings=settings(
            max_examples=lives, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
