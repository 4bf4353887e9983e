"""Progress rolled up: a task with tasks below it has theirs; each leaf counts once, each visit counts once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

OPEN, DONE, CANCELLED = "open", "done", "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A task as its owner told it; whether it has others below it follows from their `parent`."""

    id: int
    parent: int | None = None
    state: str = OPEN
    weight: int = 1
    percent: int = 0
    target: int | None = None
    done_count: int = 0
    deadline: date | None = None
    visits: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A task's progress, with all below it.

    Attributes:
        percent: From 0 to 100, rounded down: a task is at 100 only when nothing is missing.
        state: `done` when all that was not called off is done.
        target: What the leaves count towards; None where nothing is counted.
        done_count: What the leaves counted.
        leaves: Tasks without others below, those called off left out.
        leaves_done: Those of them that are done.
        visits: Visits that prove any of it, each once.
    """

    percent: int
    state: str
    target: int | None
    done_count: int
    leaves: int
    leaves_done: int
    visits: Set[int]


def roll_up(tasks: Iterable[Leaf]) -> Mapping[int, Progress]:
    """The progress of each task by its number.

    A parent's percentage is the mean of its children's by weight; where it has a target of its own, it is what its
    leaves counted of that. Children that were called off count nowhere, and a parent all of whose children were called
    off stands as if it had none. Parents that are not among `tasks` are ignored, so that a branch rolls up alone.
    """
    every = {task.id: task for task in tasks}
    below: dict[int, list[Leaf]] = defaultdict(list)
    for task in every.values():
        if task.parent in every and task.state != CANCELLED:
            below[task.parent].append(task)
    exact: dict[int, Fraction] = {}
    found: dict[int, Progress] = {}
    for task in _children_first(every, below):
        parts = below[task.id]
        if task.state == CANCELLED or not parts:
            exact[task.id], found[task.id] = _alone(task)
            continue
        sums = [found[part.id] for part in parts]
        done_count = sum(part.done_count for part in sums)
        targets = [part.target for part in sums if part.target is not None]
        target = task.target if task.target is not None else (sum(targets) if targets else None)
        if task.target is not None:
            share = min(Fraction(1), Fraction(done_count, task.target))
        else:
            weights = sum(part.weight for part in parts)
            share = sum((exact[part.id] * part.weight for part in parts), Fraction()) / weights
        is_done = all(part.state == DONE for part in sums)
        exact[task.id] = share
        found[task.id] = Progress(
            percent=int(share * 100),
            state=DONE if is_done else OPEN,
            target=target,
            done_count=done_count,
            leaves=sum(part.leaves for part in sums),
            leaves_done=sum(part.leaves_done for part in sums),
            visits=task.visits.union(*(part.visits for part in sums)),
        )
    return found


def _alone(task: Leaf) -> tuple[Fraction, Progress]:
    counts = task.state != CANCELLED
    is_done = task.state == DONE
    share = Fraction(1) if is_done else Fraction(task.percent, 100)
    if task.target is not None and not is_done:
        share = min(Fraction(1), Fraction(task.done_count, task.target))
    return share, Progress(
        percent=int(share * 100),
        state=task.state,
        target=task.target if counts else None,
        done_count=task.done_count if counts else 0,
        leaves=int(counts),
        leaves_done=int(counts and is_done),
        visits=task.visits if counts else frozenset(),
    )


def _children_first(every: Mapping[int, Leaf], below: Mapping[int, list[Leaf]]) -> list[Leaf]:
    """Every task after all below it. The tree is at most four levels deep; a ring cannot be entered."""
    ordered: list[Leaf] = []
    level = [task for task in every.values() if task.parent not in every or task.state == CANCELLED]
    while level:
        ordered += level
        level = [part for task in level for part in below.get(task.id, []) if task.state != CANCELLED]
    ordered.reverse()
    # Children of a task that was called off hang at nothing now; they stand alone.
    reached = {task.id for task in ordered}
    stray = [task for task in every.values() if task.id not in reached]
    return [*_stray_first(stray, below), *ordered]


def _stray_first(stray: list[Leaf], below: Mapping[int, list[Leaf]]) -> list[Leaf]:
    ids = {task.id for task in stray}
    level = [task for task in stray if task.parent not in ids]
    ordered: list[Leaf] = []
    while level:
        ordered += level
        level = [part for task in level for part in below.get(task.id, []) if part.id in ids]
    return ordered[::-1]
