"""How long it takes to assign all calls that wait, beside the full matrix; and how many calls a second are offered.

All is simulated: calls and rescuers stand at random in a square of 20 km, seeds are fixed. `assign` cases are in
seconds, so lower is better; the peer solves the same costs over all pairs with `scipy.optimize.linear_sum_assignment`
(and OR-tools' assignment, where it is installed). The gap says how much more our total costs, calls that nobody gets
included. `offers` asks the database: rounds of the dispatcher over calls that wait, everything written.

The database is a fresh one (`DATABASE_URL`, else the embedded one) and is dropped.
"""

import importlib
import importlib.util
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.report import Row, main

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
SEED = 20261124
WEST, SOUTH, SIDE = 113.55, 34.65, 0.2


def measure(quick: bool) -> Iterator[Row]:
    """Assign 2,000 calls to 5,000 rescuers, spread and in a burst at one spot; offer calls out of the database."""
    import django

    django.setup()  # the room's package is an application
    yield assign_row("assign-2000x5000", 2000, 5000, spread=True)
    yield assign_row("assign-2000x5000-scarce", 2000, 1500, spread=True)
    yield assign_row("assign-300x1000-burst", 300, 1000, spread=False)
    yield offers_row(calls=200 if quick else 1000)
    yield http_row(calls=60 if quick else 500, phones=120 if quick else 750)


def assign_row(case: str, calls: int, rescuers: int, *, spread: bool) -> Row:
    from yizhan.rescue.dispatch import Policy, assign, candidates
    from yizhan.rescue.road_time import StraightLine

    waiting, able = _crowd(calls, rescuers, spread=spread)
    policy, road = Policy(), StraightLine()
    not_now = np.maximum(0.0, policy.put_off_s - waiting.due_s) + policy.put_off_s

    def matrix() -> Any:
        """All pairs, and a column for each call that says "not now"."""
        pairs = candidates(waiting, able, now_s=0.0, road=road, policy=policy, most=rescuers)
        costs = np.full((calls, rescuers + calls), 1e7)
        costs[pairs.call, pairs.rescuer] = pairs.cost
        costs[np.arange(calls), rescuers + np.arange(calls)] = not_now
        return costs

    def full() -> float:
        costs = matrix()
        return float(costs[linear_sum_assignment(costs)].sum())

    assign(waiting, able, now_s=0.0)  # warm
    seconds, found = _best(lambda: assign(waiting, able, now_s=0.0))
    ours = float(found.cost.sum() + np.delete(not_now, found.call).sum())
    theirs_s, theirs = _best(full, repeats=1)
    peers, missing = {"scipy, full matrix": theirs_s}, {}
    if importlib.util.find_spec("ortools") is None:
        missing["OR-tools"] = "not installed"
    else:
        peers["OR-tools, full matrix"] = _ortools(matrix, calls)
    return Row(
        case=case,
        unit="s (lower is better)",
        ours=seconds,
        peers=peers,
        missing=missing,
        note=f"{len(found)} of {calls} calls got one of {rescuers} rescuers; total cost {ours:,.0f} s, the best is "
        f"{theirs:,.0f} s: gap {ours / theirs - 1:.2%}",
    )


def _ortools(matrix: Callable[[], Any], calls: int) -> float:
    solver = importlib.import_module("ortools.graph.python.linear_sum_assignment")

    begun = time.perf_counter()
    costs = matrix()
    square = np.full((costs.shape[1], costs.shape[1]), 0, np.int64)  # the solver wants as many rows as columns
    square[:calls] = np.rint(costs)
    rows, columns = np.indices(square.shape)
    problem = solver.SimpleLinearSumAssignment()
    problem.add_arcs_with_cost(rows.ravel(), columns.ravel(), square.ravel())
    problem.solve()
    return time.perf_counter() - begun


def _best(work: Callable[[], Any], *, repeats: int = 5) -> tuple[float, Any]:
    """The median seconds of `work`, and what it gave."""
    seconds, given = [], None
    for _turn in range(repeats):
        begun = time.perf_counter()
        given = work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), given


def _crowd(calls: int, rescuers: int, *, spread: bool) -> tuple[Any, Any]:
    from yizhan.rescue.dispatch import Calls, Rescuers

    chance = np.random.default_rng(SEED)
    lon = chance.uniform(WEST, WEST + SIDE, calls) if spread else chance.normal(WEST + SIDE / 2, 0.005, calls)
    lat = chance.uniform(SOUTH, SOUTH + SIDE, calls) if spread else chance.normal(SOUTH + SIDE / 2, 0.005, calls)
    waiting = Calls(
        lon=lon,
        lat=lat,
        problem=chance.choice([0, 1, 2, 3, 5], calls, p=[0.4, 0.3, 0.12, 0.08, 0.1]),
        due_s=chance.uniform(-900, 1200, calls),
        misses=np.zeros(calls, np.int64),
    )
    x, y = chance.uniform(WEST, WEST + SIDE, rescuers), chance.uniform(SOUTH, SOUTH + SIDE, rescuers)
    able = Rescuers(
        lon=x,
        lat=y,
        skills=chance.integers(1, 64, rescuers) | 1,
        speed=chance.choice([4.0, 5.0, 6.5], rescuers),
        base_lon=x,
        base_lat=y,
        reach_m=np.full(rescuers, 6000.0),
        batteries=chance.integers(0, 4, rescuers),
        held=np.zeros(rescuers, np.int64),
        lately=chance.integers(0, 5, rescuers),
    )
    return waiting, able


def offers_row(*, calls: int) -> Row:
    """Calls offered a second by rounds of the dispatcher, with twice as many rescuers on duty."""
    from yizhan.rescue.services.dispatching import run_round

    with database(calls, 2 * calls):
        begun = time.perf_counter()
        rounds = made = 0
        while made < calls and rounds < 20:
            done = run_round()
            rounds += 1
            made += done.offered if done else 0
            if not done or not done.offered:
                break
        seconds = time.perf_counter() - begun
    return Row(
        case="offers",
        unit="calls/s",
        ours=made / seconds,
        note=f"{made} of {calls} waiting calls offered to {2 * calls} rescuers on duty in {rounds} rounds, "
        f"{seconds:.2f} s in all; the rounds end when nobody can be asked any more",
    )


def http_row(*, calls: int, phones: int) -> Row:
    """Seconds from call to offer on the phone, through HTTP and with positions streaming: p50 is the figure."""
    from benchmarks import dispatch_http as http
    from yizhan.rescue.live_tokens import make_token
    from yizhan.rescue.models import Duty

    waiting, _able = _crowd(calls, phones, spread=True)
    with database(0, phones), http.serving() as port:
        duties = Duty.objects.with_scopes_disabled().order_by("pk").values_list("rescuer", "lon", "lat")
        plan = http.Plan(
            port=port,
            phones=[(make_token("rescuer", rescuer), lon, lat) for rescuer, lon, lat in duties],
            riders=list(zip(waiting.lon.tolist(), waiting.lat.tolist(), strict=True)),
        )
        seen = http.run(plan)
        delays = http.delays_of(seen)
    p50, p99 = http.cuts(delays)
    took50, took99 = http.cuts(seen.accepted_s)
    told50, told99 = http.cuts(seen.positions_s)
    return Row(
        case="http-500-calls" if calls == 500 else f"http-{calls}-calls",
        unit="s to the offer, p99 (lower is better)",
        ours=p99,
        note=f"{len(delays)} of {calls} calls offered, from call to phone p50 {p50:.2f} s, p99 {p99:.2f} s; all called "
        f"at once, answered after p50 {took50:.2f} s, p99 {took99:.2f} s; {phones} phones told "
        f"{len(seen.positions_s) / seen.lasted_s:,.0f} positions/s, answered after p50 {told50 * 1000:.0f} ms, p99 "
        f"{told99 * 1000:.0f} ms; {len(seen.refused)} refused {sorted(set(seen.refused))[:3]}",
    )


@contextmanager
def database(calls: int, rescuers: int) -> Iterator[None]:
    """A fresh database with calls that wait and rescuers on duty."""
    from django.db import connection

    logging.disable(logging.INFO)
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        _fill(calls, rescuers)
        yield
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _fill(calls: int, rescuers: int) -> None:
    from yizhan.rescue.models import CallEvent, Duty, RescueCall, Rescuer
    from yizhan.rescue.services.calls import THERE_WITHIN
    from yizhan.rescue.services.log import database_now
    from yizhan.unions.models import Level, Union, User

    now = database_now()
    waiting, able = _crowd(calls, rescuers, spread=True)
    city = Union.add_root(name="测试市总工会", level=Level.CITY, division_code="4101")
    users = User.objects.bulk_create([User(name=f"师傅{number}") for number in range(rescuers)])
    entered = Rescuer.objects.with_scopes_disabled().bulk_create(
        Rescuer(
            union=city,
            kind="mobile",
            name=f"师傅{number}",
            user=user,
            skills=["flat_tyre", "battery", "chain", "brakes", "accident", "other"],
            spare_batteries=2,
            base_lon=able.lon[number],
            base_lat=able.lat[number],
            reach_m=6000,
        )
        for number, user in enumerate(users)
    )
    Duty.objects.with_scopes_disabled().bulk_create(
        Duty(rescuer=rescuer, began_at=now, lon=rescuer.base_lon, lat=rescuer.base_lat, position_at=now, batteries=2)
        for rescuer in entered
    )
    problems = ["flat_tyre", "battery", "chain", "brakes", "accident", "other"]
    made = RescueCall.objects.with_scopes_disabled().bulk_create(
        RescueCall(
            request_id=uuid4(),
            token_digest=uuid4().hex,
            union=city,
            problem=problems[waiting.problem[number]],
            lon=waiting.lon[number],
            lat=waiting.lat[number],
            version=1,
            received_at=now,
            waiting_since=now,
            due_at=now + THERE_WITHIN,
        )
        for number in range(calls)
    )
    CallEvent.objects.with_scopes_disabled().bulk_create(
        CallEvent(call=call, number=1, kind="submitted", at=now, by="rider") for call in made
    )


if __name__ == "__main__":
    main("dispatch", measure)
