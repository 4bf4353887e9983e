"""Whom to ask for which call: the assignment against an obviously right one, and the rules around it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from yizhan.rescue.dispatch import (
    PROBLEMS,
    Calls,
    Policy,
    Rescuers,
    assign,
    candidates,
    nearest_first,
    offers,
    skill_bits,
)
from yizhan.rescue.models import Problem
from yizhan.rescue.road_time import StraightLine

LAT = 34.75
ALL = skill_bits(list(PROBLEMS))


def calls(*metres: float, problem: int = 0, due_s: float | list[float] = 1200.0, misses: int = 0) -> Calls:
    count = len(metres)
    return Calls(
        lon=113.6 + np.array(metres, np.float64) / 91_400,
        lat=np.full(count, LAT),
        problem=np.full(count, problem),
        due_s=np.broadcast_to(np.array(due_s, np.float64), count).copy(),
        misses=np.full(count, misses),
    )


def rescuers(*metres: float, skills: int = ALL, reach_m: float = 50_000.0, **columns: Any) -> Rescuers:
    count = len(metres)
    lon = 113.6 + np.array(metres, np.float64) / 91_400
    lat = np.full(count, LAT)
    given = {"batteries": 1, "held": 0, "lately": 0, **columns}
    counts = {name: np.broadcast_to(np.array(value, np.int64), count).copy() for name, value in given.items()}
    return Rescuers(lon, lat, np.full(count, skills), np.full(count, 5.0), lon, lat, np.full(count, reach_m), **counts)


def test_the_problems_of_dispatch_are_those_of_the_calls() -> None:
    assert list(PROBLEMS) == list(Problem.values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 20_000), min_size=1, max_size=4),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=4),
    st.lists(st.integers(-3000, 3000), min_size=4, max_size=4),
)
def test_the_assignment_costs_no_more_than_the_best_of_all_permutations(
    where: list[int], stand: list[int], due: list[int]
) -> None:
    waiting, able = calls(*where, due_s=[float(each) for each in due[: len(where)]]), rescuers(*stand)
    policy, road = Policy(), StraightLine()
    pairs = candidates(waiting, able, now_s=0.0, road=road, policy=policy, most=len(able))
    cost = {(int(c), int(r)): float(k) for c, r, k in zip(pairs.call, pairs.rescuer, pairs.cost, strict=True)}
    not_now = np.maximum(0.0, policy.put_off_s - waiting.due_s) + policy.put_off_s

    def total(chosen: dict[int, int]) -> float:
        return sum(cost.get((c, chosen[c]), 1e9) if c in chosen else not_now[c] for c in range(len(waiting)))

    places = [*range(len(able)), *[-1] * len(waiting)]
    best = min(
        total({c: r for c, r in enumerate(choice) if r >= 0}) for choice in set(permutations(places, len(waiting)))
    )
    found = assign(waiting, able, now_s=0.0, policy=policy)
    ours = total({int(c): int(r) for c, r in zip(found.call, found.rescuer, strict=True)})
    assert ours == pytest.approx(best)
    assert len(set(found.rescuer.tolist())) == len(found)


def test_two_calls_and_two_rescuers_are_looked_at_together() -> None:
    """The nearest rescuer of the first call is the only one in time for the second."""
    waiting, able = calls(0.0, 3000.0, due_s=[5000.0, 900.0]), rescuers(1000.0, -3000.0)
    together = assign(waiting, able, now_s=0.0)
    assert dict(zip(together.call.tolist(), together.rescuer.tolist(), strict=True)) == {0: 1, 1: 0}
    one_by_one = nearest_first(waiting, able, now_s=0.0)
    assert dict(zip(one_by_one.call.tolist(), one_by_one.rescuer.tolist(), strict=True)) == {0: 0, 1: 1}


def test_only_who_can_mend_it_and_has_a_battery_is_asked() -> None:
    battery = PROBLEMS.index("battery")
    assert len(assign(calls(0.0, problem=battery), rescuers(100.0, batteries=0), now_s=0.0)) == 0
    assert len(assign(calls(0.0, problem=battery), rescuers(100.0, skills=skill_bits(["chain"])), now_s=0.0)) == 0
    assert len(assign(calls(0.0, problem=battery), rescuers(100.0), now_s=0.0)) == 1


def test_the_reach_grows_with_each_miss() -> None:
    far = rescuers(6000.0, reach_m=5000.0)
    assert len(assign(calls(0.0), far, now_s=0.0)) == 0
    assert len(assign(calls(0.0, misses=1), far, now_s=0.0)) == 1


def test_of_two_as_near_the_one_who_had_fewer_calls_goes_and_nobody_who_was_asked() -> None:
    able = rescuers(500.0, -500.0, lately=[4, 0])
    assert assign(calls(0.0), able, now_s=0.0).rescuer.tolist() == [1]
    waiting = calls(0.0)
    waiting.asked[0] = {1}
    assert assign(waiting, able, now_s=0.0).rescuer.tolist() == [0]


def test_a_call_that_is_late_already_does_not_starve() -> None:
    """One rescuer, two calls as near: whoever waits longer is not put off for being late anyway."""
    waiting = calls(0.0, 10.0, due_s=[-7200.0, 1200.0])
    assert assign(waiting, rescuers(2000.0), now_s=0.0).call.tolist() == [0]


def test_after_misses_several_are_asked_at_once_and_each_only_one_thing() -> None:
    waiting, able = calls(0.0, 5000.0, misses=2), rescuers(*(float(metres) for metres in range(0, 6000, 500)))
    pairs = offers(waiting, able, now_s=0.0)
    assert np.bincount(pairs.call).tolist() == [3, 3]
    assert len(set(pairs.rescuer.tolist())) == 6
    assert len(offers(calls(0.0), able, now_s=0.0)) == 1


def test_a_burst_is_served_as_far_as_there_are_rescuers() -> None:
    chance = np.random.default_rng(1)
    waiting = calls(*chance.uniform(0, 500, 400))
    pairs = assign(waiting, rescuers(*chance.uniform(0, 20_000, 300)), now_s=0.0)
    assert len(pairs) == 300
