"""Commands of this room: the dispatcher, one round of it, and a simulation of policies."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import numpy as np
import structlog
import typer
from django.db import OperationalError, close_old_connections, connection
from rich.console import Console
from rich.table import Table

from . import simulation
from .services.calls import WAKE
from .services.dispatching import run_round

app = typer.Typer(name="rescue", help="Roadside rescue: dispatch, simulate.", no_args_is_help=True)
out = Console()
log = structlog.get_logger("yizhan.rescue")

LONGEST_SLEEP_S = 1.0
# Calls that come within this time are looked at together.
GATHER_S = 0.3


@app.callback()
def rescue() -> None:
    """Roadside rescue: dispatch, simulate."""


@app.command("round")
def one_round() -> None:
    """Do one round of dispatch now and say what it did."""
    done = run_round()
    if done is None:
        out.print("another dispatcher is at it", highlight=False)
        return
    out.print(
        f"{done.waiting} waiting, {done.lapsed} offers lapsed, {done.offered} made, {done.escalated} sent to the desk",
        highlight=False,
    )


@app.command()
def subsidies() -> None:
    """Pay what riders confirmed and is not paid yet, and say how all subsidies stand. The worker does so by itself."""
    from django.db.models import Count

    from .models import Subsidy
    from .reasons import words_for
    from .services.subsidies import pay_due

    out.print(f"{pay_due()} paid now", highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("State", "Number", "Why not"):
        table.add_column(heading, justify="right" if heading == "Number" else "left")
    rows = Subsidy.objects.with_scopes_disabled().order_by().values_list("state", "reason").annotate(n=Count("pk"))
    for state, reason, number in sorted(rows):
        table.add_row(state, str(number), words_for(reason))
    out.print(table)


@app.command()
def simulate(
    roads: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Edges of a road graph, CSV.")],
    trips: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Trips as demand, CSV, WGS-84.")],
    calls: Annotated[list[int] | None, typer.Option(help="Calls a day; may be said several times.")] = None,
    fixed: Annotated[int, typer.Option(help="Rescuers at fixed points.")] = 8,
    mobile: Annotated[int, typer.Option(help="Mobile rescuers.")] = 12,
    seeds: Annotated[int, typer.Option(help="Days, each with a seed of its own.")] = 5,
    chart_file: Annotated[Path | None, typer.Option("--chart", help="Also draw the heaviest load as SVG.")] = None,
) -> None:
    """Compare policies of dispatch on a real road graph: response times and cost. Nothing is stored."""
    from yizhan.passage.roads import read_roads
    from yizhan.passage.simulation.trips import read_trips

    graph = read_roads(roads)
    town = simulation.Town(graph)
    begun = read_trips(trips)
    east, north = graph.frame.metres([trip.start[0] for trip in begun], [trip.start[1] for trip in begun])
    node, away = graph.nearest_node(east, north)
    near = away <= 300
    at_s = np.array([trip.start_s for trip in begun])
    out.print(f"detour of these roads: {town.detour():.2f}; {int(near.sum())} trips begin on them", highlight=False)
    table = Table(title=f"{seeds} simulated days, seeds 1 to {seeds}")
    for heading in ("calls a day", "policy", "p50 min", "p90 min", "p90 of single days", "late", "yuan a call"):
        table.add_column(heading, justify="left" if heading == "policy" else "right")
    bars: list[tuple[str, float, float]] = []
    verdicts = []
    for count in calls or [200, 500, 700]:
        bars = []
        by_day: dict[str, list[float]] = {}
        for setting in simulation.settings_of(fixed=fixed, mobile=mobile):
            days = []
            for seed in range(1, seeds + 1):
                demand = simulation.demand_of(town, node[near], at_s[near], calls=count, seed=seed)
                days.append(simulation.simulate(town, demand, setting, seed=seed))
            whole = simulation.Outcome(
                np.concatenate([day.response_s for day in days]), sum(day.cost_yuan for day in days)
            )
            p50, p90 = whole.minutes(50), whole.minutes(90)
            single = by_day[setting.name] = [day.minutes(90) for day in days]
            bars.append((setting.name, p50, p90))
            table.add_row(
                str(count), setting.name, f"{p50:.1f}", f"{p90:.1f}", f"{min(single):.1f}–{max(single):.1f}",
                f"{whole.late:.1%}", f"{whole.cost_yuan / (count * seeds):.1f}",
            )  # fmt: skip
        one_by_one, together = (by_day[name] for name in ("nearest first", "batched"))
        better = sum(ours < theirs for ours, theirs in zip(together, one_by_one, strict=True))
        verdicts.append(f"{count} calls a day: batched has the lower p90 on {better} of {seeds} days")
    out.print(table)
    out.print("\n".join(verdicts), highlight=False)
    if chart_file is not None:
        chart_file.write_text(simulation.chart(bars), encoding="utf-8")


@app.command()
def calibrate(
    days: Annotated[int, typer.Option(min=1, help="Ways of so many days.")] = 90,
    least: Annotated[int, typer.Option(min=2, help="Say nothing of a vehicle with fewer ways than this.")] = 20,
    roads: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Edges of a road graph, CSV.")] = None,
) -> None:
    """Learn from finished calls how quick rescuers really are, and print the settings that say so. Nothing is changed.

    A way is from "I set out" to "I am there". The detour comes from the road graph, if one is given: ways tell only how
    long a kilometre of straight line takes, so detour and speed are told apart by the roads.
    """
    from .calibration import learned
    from .providers import speeds, straight_line
    from .queries.ways import finished_ways

    detour = straight_line().detour
    if roads is not None:
        from yizhan.passage.roads import read_roads

        detour = simulation.Town(read_roads(roads)).detour()
    found = learned(finished_ways(days=days), detour=detour, least=least)
    table = Table(title=f"ways of {days} days, detour {detour:.2f}")
    for heading in ("vehicle", "ways", "m/s now", "m/s learned", "off by now, min", "off by then, min"):
        table.add_column(heading, justify="left" if heading == "vehicle" else "right")
    for vehicle, each in found.items():
        now = speeds()[vehicle]
        table.add_row(
            vehicle, str(each.ways), f"{now:.1f}", f"{each.speed:.1f}" if each.speed else "too few ways",
            f"{each.error_min(now, straight_line().detour):.1f}",
            f"{each.error_min(each.speed, detour):.1f}" if each.speed else "",
        )  # fmt: skip
    out.print(table)
    known = {vehicle: round(each.speed, 2) for vehicle, each in found.items() if each.speed}
    if known:
        out.print(f"YIZHAN_ROAD_DETOUR={detour:.2f}", highlight=False)
        out.print(f"YIZHAN_ROAD_SPEEDS='{json.dumps(known)}'", highlight=False, soft_wrap=True)
    else:
        out.print(f"Nothing was learned: no vehicle has {least} ways yet.", highlight=False)


@app.command()
def dispatch(
    rounds: Annotated[int, typer.Option(help="Stop after so many rounds; 0 goes on until it is stopped.")] = 0,
) -> None:
    """Offer calls to rescuers until stopped: at once when a call comes, and every second for what ran out.

    Any number may run; one does the work at a time. One that is killed loses nothing: the next round goes on from what
    is stored.
    """
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    done = 0
    while not stopping and not (rounds and done >= rounds):
        try:
            _listen()
            told = run_round()
            if told and (told.offered or told.lapsed or told.escalated):
                log.info(
                    "rescue.round", waiting=told.waiting, offered=told.offered, lapsed=told.lapsed,
                    escalated=told.escalated,
                )  # fmt: skip
            _sleep()
        except OperationalError as away:  # the database restarts: it is asked again
            log.warning("rescue.database_away", error=str(away).splitlines()[0] if str(away) else "")
            connection.close()
            time.sleep(LONGEST_SLEEP_S)
        done += 1
    close_old_connections()


def _listen() -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {WAKE}")


def _sleep() -> None:
    """Until a call comes, but no longer than a second; then a moment more, for those that come with it."""
    raw = connection.connection
    for _notice in raw.notifies(timeout=LONGEST_SLEEP_S, stop_after=1):
        time.sleep(GATHER_S)
    for _notice in raw.notifies(timeout=0):  # they all meant the same
        pass
