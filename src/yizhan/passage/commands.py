"""`yizhan replay` and `yizhan simulate`: simulated vehicles along real trips, and at random."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from yizhan.geo import Datum, UnknownDatum
from yizhan.places.snapshot import Snapshot, load_snapshot
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union

from .models import Delivery, PingSource
from .replay import NothingToPass, Outcome, Plan, plan_replay, replay_here, replay_to
from .roads import RoadFileError, RoadGraph, street_grid
from .services.sources import simulated_source
from .services.webhooks import send_again
from .simulation import Gps, Refused, Riders, Server, run_demo_traffic

app = typer.Typer()
console = Console()
errors = Console(stderr=True)

KEY_HELP = "Key of a simulated source; better in YIZHAN_PING_KEY, where other users of the machine cannot read it."


@app.command()
def replay(
    trips: Annotated[Path, typer.Argument(help="CSV of trips: vehicle, start_time, lng, lat, end_time, end_lng, …")],
    roads: Annotated[Path, typer.Option("--roads", help="CSV of the road graph's edges, that of its nodes beside it.")],
    nodes: Annotated[Path | None, typer.Option("--nodes", help="CSV of the nodes, if it is not beside.")] = None,
    datum: Annotated[str, typer.Option("--datum", help="Datum of both files: WGS-84, GCJ-02 or BD-09.")] = "WGS-84",
    onto_stations: Annotated[
        bool,
        typer.Option(
            "--onto-stations",
            help="The roads lie in another city than the stations: lay shifted copies of them over all stations.",
        ),
    ] = False,
    speed_up: Annotated[
        str, typer.Option("--speed-up", help="Seconds of the replayed day in one second, or max.")
    ] = "max",
    to: Annotated[str | None, typer.Option("--to", help="Post to this running server instead of judging here.")] = None,
    key: Annotated[str | None, typer.Option("--key", envvar="YIZHAN_PING_KEY", help=KEY_HELP)] = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--day", formats=["%Y-%m-%d"], help="Day of the trips; by default today, with --to the last 24 hours."
        ),
    ] = None,
    every: Annotated[float, typer.Option("--every", min=1, max=120, help="Seconds between two pings.")] = 5.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many trips.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same pings.")] = 1,
    unknown_hours: Annotated[
        bool, typer.Option("--unknown-hours", help="Let places remind whose hours nobody has told us.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Drive simulated vehicles along real trips over real roads, past the published places.

    Judges in this process and stores nothing; with --to it posts to a running server, as a fleet would.
    Exit status: 0 done, 1 nothing to pass or the server refuses, 2 a file or option is wrong.
    """
    pace = _pace(speed_up)
    if to and not key:
        raise _wrong("--to needs a key: --key or YIZHAN_PING_KEY")
    try:
        plan = plan_replay(
            trips,
            roads,
            nodes_file=nodes,
            datum=Datum.parse(datum),
            onto_stations=onto_stations,
            day=day.date() if day else None,
            last_24_hours=bool(to) and day is None,
            every_s=every,
            limit=limit,
            seed=seed,
            unknown_hours_remind=unknown_hours,
        )
    except (RoadFileError, UnknownDatum) as broken:
        raise _wrong(str(broken)) from None
    except NothingToPass:
        raise _failed("There is no published place that reminds; import and publish some first.") from None
    if not as_json:
        _say_what_is_driven(plan, datum)
    with _progress(len(plan.pings), quiet=as_json) as progress:
        outcome = _run(plan, pace, to, key, progress)
    if as_json:
        console.print_json(json.dumps(_summary(plan, outcome), ensure_ascii=False))
    else:
        _say_what_came_of_it(plan, outcome, here=to is None)


def _run(plan: Plan, pace: float | None, to: str | None, key: str | None, progress: Progress) -> Outcome:
    task = progress.task_ids[0]
    if to is None:
        return replay_here(plan, speed_up=pace, progress=lambda done: progress.advance(task, done))
    server = Server(to, key or "")
    try:
        return replay_to(plan, server, speed_up=pace, progress=lambda done: progress.advance(task, done))
    except (PermissionError, Refused) as refused:
        raise _failed(str(refused)) from None
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as failure:
        raise _failed(f"{to} cannot be reached: {failure}") from None
    finally:
        server.close()


@app.command()
def simulate(
    to: Annotated[str, typer.Option("--to", help="Address of the running server.")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option("--key", envvar="YIZHAN_PING_KEY", help=KEY_HELP)] = None,
    union: Annotated[
        str | None,
        typer.Option("--union", help="Division code of the union that simulates; by default that of all places."),
    ] = None,
    riders: Annotated[int, typer.Option("--riders", min=1, max=5_000, help="How many riders.")] = 300,
    every: Annotated[float, typer.Option("--every", min=1, max=60, help="Seconds between two pings.")] = 5.0,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="End after so many seconds.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed grows the same streets.")] = 1,
) -> None:
    """Let simulated riders drive over a generated street grid around the published places, in real time.

    Without a key, a simulated source with a fresh key is made in the database. Runs until Ctrl-C.
    """
    snapshot = load_snapshot()
    if not len(snapshot):
        raise _failed("There is no published place; import and publish some first.")
    if key is None:
        key = simulated_source(union=_simulating_union(snapshot, union), name="模拟骑手").key
    grid = _grid_around(snapshot, seed)
    fleet = Riders(grid, count=riders, gps=Gps(every_s=every), seed=seed)
    console.print(f"{riders} simulated riders on {len(grid.nodes)} generated crossings; Ctrl-C ends.")
    try:
        accepted = run_demo_traffic(
            to, key, fleet, seconds=seconds, say=lambda text: console.print(text, style="dim", markup=False)
        )
    except (PermissionError, Refused) as refused:
        raise _failed(str(refused)) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    console.print(f"{accepted} pings were taken.")


@app.command()
def deliveries(
    again: Annotated[
        str | None, typer.Option("--again", help="Number of a source: send all its dead letters once more.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Reminders on their way to sources' addresses: how many wait, how many were given up; send these again.

    Exit status: 0 done, 1 the source has no address, 2 there is no such source.
    """
    if again is not None:
        _send_again(again)
    rows = [
        {
            "source": str(source.public_id),
            "name": source.name,
            "address": source.webhook_url,
            "waiting": Delivery.every.filter(source=source, died_at=None).count(),
            "dead": Delivery.every.filter(source=source, died_at__isnull=False).count(),
        }
        for source in PingSource.every.order_by("pk")
        if source.webhook_url or Delivery.every.filter(source=source).exists()
    ]
    if as_json:
        console.print_json(json.dumps({"sources": rows}, ensure_ascii=False))
        return
    table = Table("number", "source", "address", "waiting", "dead letters")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


@app.command("pings-worker")
def pings_worker(
    servers: Annotated[
        list[str], typer.Option("--nats", envvar="YIZHAN_NATS_SERVERS", help="Address of a NATS server; repeat it.")
    ],
    number: Annotated[int, typer.Option("--worker", min=0, help="Which of the workers this is, from 0.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="How many workers there are.")] = 1,
    partitions: Annotated[
        int,
        typer.Option("--partitions", min=1, max=256, help="Into how many parts vehicles are dealt; never change it."),
    ] = 12,
    replicas: Annotated[int, typer.Option("--replicas", min=1, max=5, help="On how many servers pings are held.")] = 1,
    held_mb: Annotated[
        int, typer.Option("--held-mb", min=1, help="How many MB of pings each server holds in memory at most.")
    ] = 256,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", help="Port on this machine where Prometheus reads; none without.")
    ] = None,
) -> None:
    """Judge pings that come by way of NATS JetStream, as one of several workers, until it is told to end.

    Exit status: 0 ended in order, 1 the servers cannot be reached or are too old, 2 an option is wrong.
    """
    if number >= workers:
        raise _wrong(f"--worker {number}: must be below --workers {workers}")
    try:
        from .runtime import working
    except ImportError as missing:
        raise _failed(f"{missing.name} is not installed: install yizhan[nats]") from None
    try:
        working.work(
            servers,
            working.Layout(partitions=partitions, replicas=replicas, held_bytes=held_mb * 2**20),
            number=number,
            workers=workers,
            metrics_port=metrics_port,
            say=lambda text: errors.print(text, markup=False),
        )
    except (working.NatsRefused, OSError) as refused:
        raise _failed(f"NATS: {refused}") from None


def _send_again(number: str) -> None:
    try:
        source = PingSource.every.filter(public_id=UUID(number)).select_related("union").first()
    except ValueError:
        source = None
    if source is None:
        raise _wrong(f"--again {number}: there is no source of this number")
    try:
        count = send_again(staff=None, source=source)
    except RuleBroken as broken:
        raise _failed(" ".join(str(problem.message) for problem in broken.problems)) from None
    errors.print(f"{count} reminders wait for delivery again.")


def _simulating_union(snapshot: Snapshot, code: str | None) -> Union:
    if code is not None:
        found = Union.objects.filter(division_code=code).first()
        if found is None:
            raise _wrong(f"--union {code}: there is no union with this division code")
        return found
    first, last = min(snapshot.union_paths), max(snapshot.union_paths)  # what these two share, all share
    shared = 0
    while shared < len(first) and first[: shared + Union.steplen] == last[: shared + Union.steplen]:
        shared += Union.steplen
    return Union.objects.get(path=first[: shared or Union.steplen])


def _grid_around(snapshot: Snapshot, seed: int) -> RoadGraph:
    longitude, latitude = float(np.median(snapshot.lon)), float(np.median(snapshot.lat))
    east = np.abs(snapshot.lon - longitude) * 111_195 * math.cos(math.radians(latitude))
    north = np.abs(snapshot.lat - latitude) * 111_195
    # The crowd of the places; a lonely one far outside does not get streets.
    half_side = float(np.clip(np.quantile(np.maximum(east, north), 0.75) + 1_000, 3_000, 12_000))
    return street_grid(longitude, latitude, half_side=half_side, seed=seed)


def _pace(text: str) -> float | None:
    if text == "max":
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = math.nan
    if not (math.isfinite(pace) and pace > 0):
        raise _wrong(f"--speed-up {text}: must be a number above 0, or max")
    return pace


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Progress]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        disable=quiet,
    )
    with bar:
        bar.add_task("pings", total=total)
        yield bar


def _say_what_is_driven(plan: Plan, datum: str) -> None:
    laid, copies = plan.laid, len(plan.placement.frames)
    console.print(f"Trips and roads are read as {datum}.", style="dim")
    console.print(
        f"{laid.read} trips: {laid.whole} lie wholly on the road graph, {laid.cut} are driven where they cross it, "
        f"{laid.outside} never do."
    )
    if copies > 1 or plan.placement.frames[0] != plan.roads.frame:
        console.print(
            f"The roads and trips are NOT of the stations' city: {copies} copies of them are laid over the stations, "
            "shifted, not turned or stretched. Vehicles are simulated.",
            style="yellow",
        )
    else:
        console.print("Roads and trips stay where they are. Vehicles are simulated.")
        if not plan.placement.reachable(plan.world.stations.radius_m).any():
            console.print(
                "No station has a road within its radius. If the roads are of another city, --onto-stations lays "
                "copies of them over the stations.",
                style="yellow",
            )


def _summary(plan: Plan, outcome: Outcome) -> dict[str, object]:
    stations = plan.world.stations
    return {
        "simulated": True,
        "day": plan.day.isoformat() if isinstance(plan.day, date) else None,
        "trips": {
            "read": plan.laid.read,
            "whole": plan.laid.whole,
            "cut": plan.laid.cut,
            "outside": plan.laid.outside,
        },
        "road_copies": len(plan.placement.frames),
        "stations": len(stations),
        "stations_reachable": int(plan.placement.reachable(stations.radius_m).sum()),
        "stations_with_unknown_hours": plan.world.without_hours,
        "stations_passed": len(outcome.passed) if outcome.passed is not None else None,
        "stations_that_reminded": len(outcome.reminded),
        "pings": outcome.pings,
        "rejected": outcome.rejected,
        "vehicles": outcome.vehicles,
        "passages": outcome.passed.total() if outcome.passed is not None else None,
        "reminders": outcome.reminders,
        "pings_per_second": round(outcome.pings_per_second),
        "per_station": dict(outcome.reminded.most_common()),
    }


def _say_what_came_of_it(plan: Plan, outcome: Outcome, *, here: bool) -> None:
    summary = _summary(plan, outcome)
    if outcome.reminded:
        table = Table("station", "reminders", "vehicles that passed" if here else "")
        table.columns[1].justify = table.columns[2].justify = "right"
        for name, count in outcome.reminded.most_common(20):
            passed = f"{outcome.passed[name]:,}" if outcome.passed is not None else ""
            table.add_row(name, f"{count:,}", passed)
        console.print(table)
        if len(outcome.reminded) > 20:
            console.print(f"… and {len(outcome.reminded) - 20} further stations.", style="dim")
    facts = [
        f"{outcome.pings:,} pings of {outcome.vehicles:,} simulated vehicles, {outcome.pings_per_second:,.0f} a second",
        f"{summary['stations']} stations remind: {summary['stations_reachable']} have a road within their radius, "
        + (f"{summary['stations_passed']} were passed, " if here else "")
        + f"{summary['stations_that_reminded']} reminded",
        f"{outcome.reminders:,} reminders",
    ]
    if plan.world.without_hours:
        facts.insert(2, f"{plan.world.without_hours} of the stations have hours that are wholly or partly unknown")
    if outcome.rejected:
        facts.append(f"{outcome.rejected:,} pings were rejected: {', '.join(outcome.reasons)}")
    for fact in facts:
        console.print(fact)


def _wrong(message: str) -> typer.Exit:
    errors.print(message, style="red", markup=False)
    return typer.Exit(2)


def _failed(message: str) -> typer.Exit:
    errors.print(message, style="red", markup=False)
    return typer.Exit(1)
