"""Whom to ask for which call. Pure: columns in, pairs out; no database, no clock.

All calls that wait are looked at together. Each call gets the rescuers that are soonest there as candidates; the
assignment of least total lateness among all candidate pairs is found by SciPy's sparse solver (LAPJVsp). What a pair
costs, in seconds:

    how late the call would be when this rescuer gets there
    + a tenth of the way (of two that are both in time the nearer goes)
    + a little for each call the rescuer had lately (fairness)

A call that nobody gets now costs what it would if it were served `put_off_s` later, so that of calls that are late
already none starves for being late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from .road_time import RoadTime, StraightLine

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The order is that of the bits of `skills`.
PROBLEMS: Final = ("flat_tyre", "battery", "chain", "brakes", "accident", "other")
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls are offered.

    Attributes:
        offer_s: How long a rescuer may think.
        several_after: After so many offers without answer, several rescuers are asked at once.
        several: How many at once.
        escalate_after: After so many offers without answer the duty desk is called.
        escalate_s: A call for which nobody could be asked for so long goes to the duty desk, too.
        widen: The reach of rescuers grows by this share with each miss.
        candidates: How many rescuers are considered for a call at first.
        put_off_s: What it costs to leave a call for later.
        way_weight, fairness_s: The two small terms of a pair's cost: share of the way, seconds a call of late.
        load_s: Seconds that are added for each call that a rescuer holds already: they come after that one.
    """

    offer_s: float = 30.0
    several_after: int = 2
    several: int = 3
    escalate_after: int = 4
    escalate_s: float = 90.0
    widen: float = 0.5
    candidates: int = 24
    put_off_s: float = 3600.0
    way_weight: float = 0.1
    fairness_s: float = 20.0
    load_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that wait, a row each. Positions are WGS-84 degrees; `due_s` is on the same clock as `now_s`.

    `problem` is an index into `PROBLEMS`; `asked[i]` holds the rows of rescuers that call i may not be offered to.
    """

    lon: Floats
    lat: Floats
    problem: Ints
    due_s: Floats
    misses: Ints
    asked: dict[int, set[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lon)

    def taken(self, rows: Ints) -> Calls:
        """Some of the calls; who was asked is not carried along."""
        return Calls(self.lon[rows], self.lat[rows], self.problem[rows], self.due_s[rows], self.misses[rows])


@dataclass(frozen=True, slots=True)
class Rescuers:
    """Rescuers who can be asked now, a row each: where they are, what they can mend (a bit each), how fast they go.

    `base_lon`, `base_lat`, `reach_m`: their area. `batteries`: spare ones left. `held`, `lately`: calls in hand, and
    calls of the last hours.
    """

    lon: Floats
    lat: Floats
    skills: Ints
    speed: Floats
    base_lon: Floats
    base_lat: Floats
    reach_m: Floats
    batteries: Ints
    held: Ints
    lately: Ints

    def __len__(self) -> int:
        return len(self.lon)

    def taken(self, rows: Ints) -> Rescuers:
        """Some of the rescuers."""
        return Rescuers(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Calls and rescuers by row, the seconds of the way, and what the pair costs."""

    call: Ints
    rescuer: Ints
    travel_s: Floats
    cost: Floats

    def __len__(self) -> int:
        return len(self.call)

    def taken(self, rows: NDArray[np.bool_] | Ints) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.call[rows], self.rescuer[rows], self.travel_s[rows], self.cost[rows])


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Pairs of several rounds, one after the other."""
    if not parts:
        none = np.empty(0, np.int64)
        return Pairs(none, none, np.empty(0), np.empty(0))
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Pairs.__slots__))


def skill_bits(problems: list[str] | tuple[str, ...] | set[str]) -> int:
    """What someone can mend, as bits in the order of `PROBLEMS`."""
    return sum(1 << number for number, problem in enumerate(PROBLEMS) if problem in problems)


def candidates(
    calls: Calls,
    rescuers: Rescuers,
    *,
    now_s: float,
    road: RoadTime,
    policy: Policy,
    most: int | None = None,
) -> Pairs:
    """For each call the rescuers that may be asked, at most `most` of the nearest that can mend what is broken."""
    most = most or policy.candidates
    scale = np.array([np.cos(np.radians(calls.lat.mean())) if len(calls) else 1.0, 1.0]) * _METRES_PER_DEGREE
    at = np.column_stack([calls.lon, calls.lat]) * scale
    stand = np.column_stack([rescuers.lon, rescuers.lat]) * scale
    found: list[tuple[Ints, Ints]] = []
    for number, problem in enumerate(PROBLEMS):
        here = np.flatnonzero(calls.problem == number)
        able = (rescuers.skills >> number & 1).astype(bool)
        if problem == "battery":
            able &= rescuers.batteries > 0
        who = np.flatnonzero(able)
        if not len(here) or not len(who):
            continue
        count = min(most, len(who))
        _far, nearest = cKDTree(stand[who]).query(at[here], k=count)
        found.append((np.repeat(here, count), who[np.asarray(nearest).reshape(-1)]))
    if not found:
        return joined([])
    call = np.concatenate([pair[0] for pair in found])
    rescuer = np.concatenate([pair[1] for pair in found])
    base = np.column_stack([rescuers.base_lon, rescuers.base_lat]) * scale
    reach = rescuers.reach_m[rescuer] * (1.0 + policy.widen * calls.misses[call])
    fits = np.hypot(*(at[call] - base[rescuer]).T) <= reach
    if calls.asked:
        fits &= np.array(
            [int(who) not in calls.asked.get(int(which), ()) for which, who in zip(call, rescuer, strict=True)], bool
        )
    call, rescuer = call[fits], rescuer[fits]
    travel = road.seconds(
        rescuers.lon[rescuer], rescuers.lat[rescuer], calls.lon[call], calls.lat[call], rescuers.speed[rescuer]
    )
    travel = travel + policy.load_s * rescuers.held[rescuer]
    late = np.maximum(0.0, now_s + travel - calls.due_s[call])
    cost = late + policy.way_weight * travel + policy.way_weight * policy.fairness_s * rescuers.lately[rescuer]
    return Pairs(call, rescuer, travel, cost)


def assign(
    calls: Calls,
    rescuers: Rescuers,
    *,
    now_s: float,
    road: RoadTime | None = None,
    policy: Policy | None = None,
) -> Pairs:
    """Each call at most one rescuer, each rescuer at most one call: the pairs of least total cost among candidates.

    Where candidates do not suffice there are more of them, as long as the pairs stay few enough for a second. Calls
    for which nobody was left even so are assigned among the rescuers that are left: a burst of thousands at one spot is
    then served within a second, not in the very best way; all its pairs at once take half a minute.
    """
    road, policy = road or StraightLine(), policy or Policy()
    open_calls, free = np.arange(len(calls)), np.arange(len(rescuers))
    rounds: list[Pairs] = []
    while len(open_calls) and len(free):
        some, who = calls.taken(open_calls), rescuers.taken(free)
        asked = _rows_of(calls.asked, open_calls, free) if calls.asked else {}
        some, most = replace(some, asked=asked), policy.candidates
        while True:
            pairs = candidates(some, who, now_s=now_s, road=road, policy=policy, most=most)
            chosen = _matched(pairs, some, len(who), now_s, policy)
            if len(chosen) == len(some) or most >= len(who) or 4 * most * len(some) > _MOST_PAIRS:
                break
            most *= 4
        if not len(chosen):
            break
        rounds.append(replace(chosen, call=open_calls[chosen.call], rescuer=free[chosen.rescuer]))
        open_calls = np.delete(open_calls, chosen.call)
        free = np.delete(free, chosen.rescuer)
    return joined(rounds)


_MOST_PAIRS: Final = 200_000


def _rows_of(asked: dict[int, set[int]], calls: Ints, rescuers: Ints) -> dict[int, set[int]]:
    """Who was asked, by the rows of a part of the columns."""
    row = {int(old): new for new, old in enumerate(rescuers)}
    return {
        new: {row[who] for who in asked[int(old)] if who in row} for new, old in enumerate(calls) if int(old) in asked
    }


def _matched(pairs: Pairs, calls: Calls, rescuers: int, now_s: float, policy: Policy) -> Pairs:
    if not len(pairs):
        return pairs
    count = len(calls)
    # One column for each call says "not now".
    not_now = np.maximum(0.0, now_s + policy.put_off_s - calls.due_s) + policy.put_off_s
    rows = np.concatenate([pairs.call, np.arange(count)])
    columns = np.concatenate([pairs.rescuer, rescuers + np.arange(count)])
    # The solver takes a zero for "no pair".
    weights = np.concatenate([pairs.cost, not_now]) + 1.0
    matrix = csr_matrix((weights, (rows, columns)), shape=(count, rescuers + count))
    row, column = min_weight_full_bipartite_matching(matrix)
    real = column < rescuers
    row, column = row[real].astype(np.int64), column[real].astype(np.int64)
    keys = pairs.call * rescuers + pairs.rescuer
    by_key = np.argsort(keys)
    return pairs.taken(by_key[np.searchsorted(keys, row * rescuers + column, sorter=by_key)])


def nearest_first(
    calls: Calls,
    rescuers: Rescuers,
    *,
    now_s: float,
    road: RoadTime | None = None,
    policy: Policy | None = None,
) -> Pairs:
    """The simple way, to compare with: in the order of the calls each gets the rescuer who is soonest there."""
    road, policy = road or StraightLine(), policy or Policy()
    pairs = candidates(calls, rescuers, now_s=now_s, road=road, policy=policy, most=min(len(rescuers), 400) or 1)
    order = np.lexsort((pairs.travel_s, pairs.call))
    served: set[int] = set()
    used: set[int] = set()
    kept = []
    for at in order:
        call, who = int(pairs.call[at]), int(pairs.rescuer[at])
        if call not in served and who not in used:
            served.add(call)
            used.add(who)
            kept.append(at)
    return pairs.taken(np.array(kept, np.int64))


def offers(
    calls: Calls,
    rescuers: Rescuers,
    *,
    now_s: float,
    road: RoadTime | None = None,
    policy: Policy | None = None,
) -> Pairs:
    """Whom to ask now: the assignment, and for calls that were missed `several_after` times further rescuers at once.

    A rescuer is in at most one pair.
    """
    road, policy = road or StraightLine(), policy or Policy()
    chosen = assign(calls, rescuers, now_s=now_s, road=road, policy=policy)
    pressing = np.flatnonzero(calls.misses >= policy.several_after)
    if not len(pressing) or not len(chosen):
        return chosen
    pairs = candidates(calls, rescuers, now_s=now_s, road=road, policy=policy)
    used = set(chosen.rescuer.tolist())
    asked = np.bincount(chosen.call, minlength=len(calls))
    more = []
    for at in np.lexsort((pairs.cost, -calls.misses[pairs.call])):
        call, who = int(pairs.call[at]), int(pairs.rescuer[at])
        if calls.misses[call] >= policy.several_after and asked[call] < policy.several and who not in used:
            used.add(who)
            asked[call] += 1
            more.append(at)
    return joined([chosen, pairs.taken(np.array(more, np.int64))])
