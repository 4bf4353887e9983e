"""Commands of this room: the dispatcher, and one round of it."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Annotated

import structlog
import typer
from django.db import OperationalError, close_old_connections, connection
from rich.console import Console

from .services.calls import WAKE
from .services.dispatching import run_round

app = typer.Typer(name="rescue", help="Roadside rescue: dispatch.", no_args_is_help=True)
out = Console()
log = structlog.get_logger("yizhan.rescue")

LONGEST_SLEEP_S = 1.0
# Calls that come within this time are looked at together.
GATHER_S = 0.3


@app.callback()
def rescue() -> None:
    """Roadside rescue: dispatch."""


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
