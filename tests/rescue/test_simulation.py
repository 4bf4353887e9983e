"""The simulator: the same seed gives the same day, every call is reached, and its chart is a picture."""

from __future__ import annotations

import numpy as np
import pytest

from yizhan.passage.roads import street_grid
from yizhan.rescue.simulation import Demand, Setting, Town, chart, demand_of, settings_of, simulate


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(street_grid(113.65, 34.75, half_side=2400, seed=1))


@pytest.fixture(scope="module")
def demand(town: Town) -> Demand:
    chance = np.random.default_rng(3)
    nodes = chance.integers(0, len(town.nodes), 200)
    return demand_of(town, nodes, np.sort(chance.uniform(30_000, 40_000, 200)), calls=60, seed=5)


def test_a_grid_of_streets_is_a_third_longer_than_the_straight_line(town: Town) -> None:
    assert 1.1 < town.detour() < 1.5


def test_the_same_seed_gives_the_same_day_and_every_call_is_reached(town: Town, demand: Demand) -> None:
    for setting in settings_of(fixed=4, mobile=6):
        first, again = (simulate(town, demand, setting, seed=7) for _turn in range(2))
        assert np.array_equal(first.response_s, again.response_s)
        assert np.isfinite(first.response_s).all()
        assert first.response_s.min() > 0
        assert first.cost_yuan == again.cost_yuan


def test_more_rescuers_wait_less_and_cost_more(town: Town, demand: Demand) -> None:
    few = simulate(town, demand, Setting(name="few", batched=True, fixed=2, mobile=2), seed=1)
    many = simulate(town, demand, Setting(name="many", batched=True, fixed=2, mobile=12), seed=1)
    assert many.minutes(90) < few.minutes(90)
    assert many.late <= few.late


def test_the_chart_names_each_policy() -> None:
    drawn = chart([("nearest first", 4.0, 12.0), ("batched", 4.1, 10.0)])
    assert drawn.startswith("<svg")
    assert "batched" in drawn
