"""`yizhan demo`: a sample city that runs, with people to sign in as and simulated riders on its streets."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from yizhan.site.environment import environment
from yizhan.site.serving import processes
from yizhan.site.serving.processes import CannotServe, Program

from .application import app, errors
from .serve import child_environment, console, installation, wait_until_ready


@app.command()
def demo(
    port: int = typer.Option(8000, help="Port to listen on; the next free one when it is taken."),
    riders: int = typer.Option(300, min=0, help="How many simulated riders drive through the city."),
) -> None:
    """Fill a sample city, start everything and simulated riders, print the address and the demo accounts.

    Running it again is harmless. Ctrl-C stops all of it.
    """
    from yizhan.site import demo as sample
    from yizhan.site.serving.preparation import migration_lock, prepare_database, prepare_files

    accounts_file = environment.var / "accounts.json"
    target = installation(host=None, port=port, workers=2)
    if (pid := processes.running(target)) is not None:
        console.print(f"The demo already runs (process {pid}); `yizhan stop --demo` ends it.")
        show(
            json.loads((environment.var / "address.json").read_text())["address"], json.loads(accounts_file.read_text())
        )
        return
    port = next((free for free in range(port, port + 50) if processes.port_is_free("127.0.0.1", free)), port)
    try:
        say("database")
        prepare_database()
        with migration_lock():  # of two demos that start at once, one fills the city
            sample.refuse_real_database()
            say("union tree: provinces, cities, districts, streets")
            load_divisions()
            say("people")
            accounts = sample.make_accounts(accounts_file)
            say("places")
            count = sample.make_places()
            say("meals, cases and what else the rooms show")
            sample.fill_rooms()
            accounts = sample.open_counters(accounts_file)
        say("pages")
        prepare_files()
        programs = (simulated_riders(port, riders),) if riders else ()
        target = installation(host=None, port=port, workers=2, programs=programs)
        process = processes.start(target, {**child_environment(), "YIZHAN_BASE_URL": target.address()})
    except (CannotServe, sample.NotADemo) as problem:
        errors.print(str(problem), style="red", markup=False)
        raise typer.Exit(1) from None
    with processes.stopped_with_us(process):
        (environment.var / "address.json").write_text(json.dumps({"address": target.address()}))
        ready = wait_until_ready(target, process)
    if not ready:
        errors.print(f"The server does not answer; its logs are in {target.var / 'log'}.", style="red", markup=False)
    console.print(f"\n{count} sample places, {riders} simulated riders.")
    show(target.address(), [asdict(account) for account in accounts])
    console.print("Ctrl-C stops everything.")
    raise typer.Exit(processes.stay_until_stopped(process))


def say(what: str) -> None:
    """One line a step, so that the first start's minutes are not silent."""
    console.print(f"· {what}", style="dim")


def load_divisions() -> None:
    """The whole country's unions, from the package that the front-end build brought."""
    from yizhan.unions.commands import load_divisions as load

    load(folder=None)


def simulated_riders(port: int, count: int) -> Program:
    """The process that drives the simulated riders; it makes its own key at each start."""
    from yizhan.site.demo import CITY_CODE

    command = [sys.executable, "-m", "yizhan.site.cli", "simulate", "--to", f"http://127.0.0.1:{port}"]
    return Program("riders", [*command, "--union", CITY_CODE, "--riders", str(count)], order=30)


def show(address: str, accounts: list[dict[str, str]]) -> None:
    """The address and the demo accounts."""
    console.print(f"\n  [bold]{address}[/bold]            map and stations, no account needed")
    console.print(f"  [bold]{address}/desk/[/bold]      the desk of the union's staff")
    console.print(f"  [bold]{address}/desk/passage/live/[/bold]  simulated riders and their reminders, live\n")
    table = Table("user name", "password", "role", "union", box=None, pad_edge=False, padding=(0, 2))
    for account in accounts:
        table.add_row(account["username"], account["password"], account["role"], account["union"])
    console.print(table)
    log = Path(os.path.relpath(environment.var / "log" / "django.log"))
    console.print(f"\nWorkers sign in with any mobile number; no SMS is sent here: the code is in {log}.", markup=False)
