"""Progress rolled up through the levels: against a slow twin that is obviously right."""

from __future__ import annotations

import os
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from yizhan.cases.ledger.rollup import CANCELLED, DONE, OPEN, Leaf, roll_up


@st.composite
def forests(draw: st.DrawFn) -> list[Leaf]:
    size = draw(st.integers(1, 14))
    tasks: list[Leaf] = []
    levels: list[int] = []
    for number in range(size):
        above = draw(st.one_of(st.none(), st.sampled_from([i for i in range(number) if levels[i] < 4] or [None])))
        levels.append(1 if above is None else levels[above] + 1)
        tasks.append(
            Leaf(
                id=number,
                parent=above,
                state=draw(st.sampled_from([OPEN, OPEN, DONE, CANCELLED])),
                weight=draw(st.integers(1, 5)),
                percent=draw(st.integers(0, 100)),
                target=draw(st.one_of(st.none(), st.integers(1, 50))),
                done_count=draw(st.integers(0, 60)),
                visits=frozenset(draw(st.sets(st.integers(1, 6), max_size=3))),
            )
        )
    return draw(st.permutations(tasks))


def parts_of(tasks: list[Leaf], task: Leaf) -> list[Leaf]:
    return [each for each in tasks if each.parent == task.id and each.state != CANCELLED]


def leaves_below(tasks: list[Leaf], task: Leaf) -> list[Leaf]:
    parts = [] if task.state == CANCELLED else parts_of(tasks, task)
    if not parts:
        return [task] if task.state != CANCELLED else []
    return [leaf for part in parts for leaf in leaves_below(tasks, part)]


def share(tasks: list[Leaf], task: Leaf) -> Fraction:
    parts = [] if task.state == CANCELLED else parts_of(tasks, task)
    if not parts:
        if task.state == DONE:
            return Fraction(1)
        return min(Fraction(1), Fraction(task.done_count, task.target)) if task.target else Fraction(task.percent, 100)
    if task.target:
        return min(Fraction(1), Fraction(sum(leaf.done_count for leaf in leaves_below(tasks, task)), task.target))
    return sum((share(tasks, part) * part.weight for part in parts), Fraction()) / sum(part.weight for part in parts)


def visits_below(tasks: list[Leaf], task: Leaf) -> set[int]:
    if task.state == CANCELLED:
        return set()
    return set(task.visits).union(*(visits_below(tasks, part) for part in parts_of(tasks, task)))


@settings(max_examples=int(os.environ.get("YIZHAN_TEST_ROLLUP", "120")), deadline=None)
@given(forests())
def test_progress_equals_the_slow_twin_and_counts_leaves_and_visits_once(tasks: list[Leaf]) -> None:
    found = roll_up(tasks)
    assert set(found) == {task.id for task in tasks}
    for task in tasks:
        mine = found[task.id]
        below = leaves_below(tasks, task)
        assert mine.percent == int(share(tasks, task) * 100)
        assert 0 <= mine.percent <= 100
        assert mine.leaves == len(below)
        assert mine.leaves_done == sum(leaf.state == DONE for leaf in below)
        assert mine.done_count == sum(leaf.done_count for leaf in below)
        assert set(mine.visits) == visits_below(tasks, task)
        if task.state != CANCELLED and parts_of(tasks, task):
            assert (mine.state == DONE) == all(found[part.id].state == DONE for part in parts_of(tasks, task))


def test_a_parent_is_at_100_only_when_nothing_is_missing() -> None:
    parts = [Leaf(id=2, parent=1, percent=99), *(Leaf(id=n, parent=1, state=DONE) for n in range(3, 200))]
    assert roll_up([Leaf(id=1), *parts])[1].percent == 99
