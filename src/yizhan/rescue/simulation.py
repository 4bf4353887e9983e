"""A day of calls on a real road graph, dispatched by several policies: what each does to waiting and cost. No Django.

Calls begin where and when real trips begin. Rescuers ride at a constant speed along the shortest roads; dispatch itself
reckons with the straight line and its detour, as it does without a map. A fixed point's rescuer rides home after each
call, a mobile one stays where the last call was. Whoever is asked accepts with `accepts`, else half a minute is lost.
All is simulated, and the same seed gives the same day for every policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from yizhan.passage.roads import RoadGraph

from .dispatch import PROBLEMS, Calls, Pairs, Policy, Rescuers, assign, nearest_first, skill_bits
from .road_time import SET_OUT_S, SPEEDS, StraightLine

Floats = NDArray[np.float64]
PROMISE_S: Final = 1200.0
OFFER_S: Final = 30.0
_SHARES: Final = {"flat_tyre": 0.45, "battery": 0.3, "chain": 0.12, "brakes": 0.05, "other": 0.08}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One way to run rescue.

    Attributes:
        name: What the table calls it.
        batched: Calls that wait are assigned together; else the earliest call gets whoever is nearest.
        fixed, mobile: How many rescuers at fixed points, and on the road.
        every_s: Seconds between two rounds of dispatch.
        accepts: The share of offers that are accepted.
    """

    name: str
    batched: bool
    fixed: int
    mobile: int
    every_s: float = 10.0
    accepts: float = 0.85


@dataclass(frozen=True, slots=True)
class Demand:
    """Calls of one day: node of the road graph, problem (index), seconds since midnight, seconds of mending."""

    node: NDArray[np.int64]
    problem: NDArray[np.int64]
    at_s: Floats
    mending_s: Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a setting did to a day: seconds from call to arrival for each call, and what it cost in yuan."""

    response_s: Floats
    cost_yuan: float

    def minutes(self, share: float) -> float:
        """So many minutes for this share of the calls, in percent."""
        return float(np.percentile(self.response_s, share) / 60)

    @property
    def late(self) -> float:
        """The share of calls where nobody was there as promised."""
        return float((self.response_s > PROMISE_S).mean())


class Town:
    """A road graph with all its ways: metres from node to node, and where the nodes are in degrees."""

    def __init__(self, graph: RoadGraph) -> None:
        count = len(graph.nodes)
        pairs = np.array([(edge.source, edge.target) for edge in graph.edges], np.int64)
        metres = np.array([float(np.hypot(*np.diff(edge.line, axis=0).T).sum()) for edge in graph.edges])
        order = np.argsort(-metres, kind="stable")  # of two roads between the same nodes the shorter is kept
        roads: dict[tuple[int, int], float] = {}
        for at in order:
            roads[int(pairs[at, 0]), int(pairs[at, 1])] = float(metres[at])
        ends = np.array(list(roads), np.int64)
        self.metres: Floats = dijkstra(
            csr_matrix((list(roads.values()), (ends[:, 0], ends[:, 1])), shape=(count, count))
        )
        self.nodes = graph.nodes
        self.lon, self.lat = graph.frame.degrees(graph.nodes[:, 0], graph.nodes[:, 1])

    def detour(self) -> float:
        """How much longer ways by road are than the straight line: the median over pairs at least 500 m apart."""
        straight = np.hypot(*(self.nodes[:, None, :] - self.nodes[None, :, :]).transpose(2, 0, 1))
        far = straight >= 500.0
        return float(np.median(self.metres[far] / straight[far]))


def demand_of(town: Town, nodes: NDArray[np.int64], at_s: Floats, *, calls: int, seed: int) -> Demand:
    """`calls` calls, drawn with `seed` from where and when trips begin."""
    chance = np.random.default_rng(seed)
    drawn = np.sort(chance.choice(len(nodes), calls, replace=calls > len(nodes)))
    order = np.argsort(at_s[drawn], kind="stable")
    rows = drawn[order]
    problems = chance.choice(len(_SHARES), calls, p=list(_SHARES.values()))
    number = np.array([PROBLEMS.index(name) for name in _SHARES], np.int64)
    return Demand(nodes[rows], number[problems], at_s[rows], chance.lognormal(np.log(900.0), 0.4, calls))


def simulate(town: Town, demand: Demand, setting: Setting, *, seed: int) -> Outcome:
    """One day under one setting."""
    chance = np.random.default_rng(seed)
    count = setting.fixed + setting.mobile
    # The first places are the same in every setting: more mobile ones are added, fixed ones taken away.
    homes = np.random.default_rng(seed + 1).integers(0, len(town.nodes), (2, max(setting.fixed, setting.mobile, 200)))
    home = np.concatenate([homes[0, : setting.fixed], homes[1, : setting.mobile]])
    place, free_at, ridden = home.copy(), np.zeros(count), 0.0
    speed = np.where(np.arange(count) < setting.fixed, SPEEDS["tricycle"], SPEEDS["e_bike"])
    lately, response = np.zeros(count, np.int64), np.full(len(demand.at_s), np.nan)
    road, policy = StraightLine(), Policy()
    ready = demand.at_s.copy()  # when a call can be looked at (again)
    asked: dict[int, set[int]] = {}
    now = float(demand.at_s[0])
    while np.isnan(response).any():
        waiting = np.flatnonzero(np.isnan(response) & (ready <= now))
        able = np.flatnonzero(free_at <= now)
        if len(waiting) and len(able):
            calls = Calls(
                town.lon[demand.node[waiting]], town.lat[demand.node[waiting]], demand.problem[waiting],
                demand.at_s[waiting] + PROMISE_S, np.zeros(len(waiting), np.int64), _rows(asked, waiting, able),
            )  # fmt: skip
            chosen = _choose(calls, _columns(town, place, speed, lately, able), now, setting, road, policy)
            for row, column in zip(chosen.call.tolist(), chosen.rescuer.tolist(), strict=True):
                call, who = int(waiting[row]), int(able[column])
                if chance.random() > setting.accepts:
                    asked.setdefault(call, set()).add(who)
                    ready[call] = now + OFFER_S
                    free_at[who] = now + OFFER_S
                    continue
                metres = float(town.metres[place[who], demand.node[call]])
                arrival = now + SET_OUT_S + metres / speed[who]
                response[call] = arrival - demand.at_s[call]
                place[who], lately[who] = demand.node[call], lately[who] + 1
                free_at[who] = arrival + demand.mending_s[call]
                ridden += metres
                if who < setting.fixed:
                    back = float(town.metres[place[who], home[who]])
                    free_at[who] += back / speed[who]
                    ridden += back
                    place[who] = home[who]
        elif len(waiting) and asked and len(able) == count:
            asked.clear()  # all are there and nobody wants to: they are asked again
        now += setting.every_s
    hours = (now - float(demand.at_s[0])) / 3600
    cost = hours * (setting.fixed * 12.0 + setting.mobile * 25.0) + ridden / 1000 * 0.3
    return Outcome(response, cost)


def _choose(calls: Calls, able: Rescuers, now: float, setting: Setting, road: StraightLine, policy: Policy) -> Pairs:
    choose = assign if setting.batched else nearest_first
    return choose(calls, able, now_s=now, road=road, policy=policy)


def _rows(asked: dict[int, set[int]], waiting: Any, able: Any) -> dict[int, set[int]]:
    row = {int(who): number for number, who in enumerate(able)}
    return {
        number: {row[who] for who in asked[int(call)] if who in row}
        for number, call in enumerate(waiting)
        if int(call) in asked
    }


def _columns(town: Town, place: Any, speed: Floats, lately: Any, able: Any) -> Rescuers:
    lon, lat = town.lon[place[able]], town.lat[place[able]]
    count = len(able)
    everything = skill_bits(list(_SHARES))
    return Rescuers(
        lon, lat, np.full(count, everything), speed[able], lon, lat, np.full(count, 1e6), np.full(count, 9),
        np.zeros(count, np.int64), lately[able],
    )  # fmt: skip


def settings_of(*, fixed: int, mobile: int) -> list[Setting]:
    """What is compared: nearest first; batched; and batched with more mobile or with fewer fixed rescuers."""
    batched = Setting(name="batched", batched=True, fixed=fixed, mobile=mobile)
    return [
        replace(batched, name="nearest first", batched=False),
        batched,
        replace(batched, name="batched, more mobile", mobile=mobile + mobile // 2),
        replace(batched, name="batched, fewer fixed", fixed=fixed // 2),
    ]


def chart(rows: Sequence[tuple[str, float, float]]) -> str:
    """Bars as SVG: a name, and the minutes within which half and nine of ten calls were reached."""
    width, line = 640, 44
    most = max(p90 for _name, _p50, p90 in rows) or 1.0
    size = f'viewBox="0 0 {width} {line * len(rows) + 30}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="13" {size}>',
        '<text x="0" y="14">minutes from call to arrival: p50 (dark), p90 (light)</text>',
    ]
    for number, (name, p50, p90) in enumerate(rows):
        top = 26 + number * line
        for value, colour in ((p90, "#e9a9a5"), (p50, "#b3211b")):
            bar = value / most * (width - 290)
            parts.append(f'<rect x="200" y="{top}" width="{bar:.1f}" height="24" fill="{colour}"/>')
        parts.append(f'<text x="0" y="{top + 17}">{name}</text>')
        parts.append(f'<text x="{206 + p90 / most * (width - 290):.1f}" y="{top + 17}">{p50:.1f} / {p90:.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])
