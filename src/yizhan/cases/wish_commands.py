"""Commands around figures and wishes: what visits and cases came to, and claims whose time ran out."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from typing import Annotated

import typer
from django_scopes import scope
from rich.console import Console
from rich.table import Table

from yizhan.unions.errors import RuleBroken
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import OPERATOR

from .outcome.exports import COLUMNS
from .outcome.figures import DIMENSIONS, Narrowing, lines, links_now, total
from .services.counsel import remind_of_appointments
from .services.wishes import lapse_claims

app = typer.Typer(name="outcome", help="What visits and cases came to.", no_args_is_help=True)
out = Console()
errors = Console(stderr=True)
REFUSED = 2


@app.callback()
def outcome() -> None:
    """What visits and cases came to."""


@app.command()
def figures(
    union: Annotated[str, typer.Option("--union", help="Division code or exact name; it and all below are counted.")],
    by: Annotated[str, typer.Option(help="union, month, staff or kind.")] = "union",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every figure as CSV.")] = False,
) -> None:
    """Visits, people reached, cases and results: the desk's figures, with every confidential case in them."""
    try:
        under = union_called(union, field="union")
    except RuleBroken as broken:
        errors.print(str(broken), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    way = next((one for one in DIMENSIONS if one == by), None)
    if way is None:
        errors.print("--by is union, month, staff or kind.", style="red")
        raise typer.Exit(REFUSED)
    narrowing = Narrowing(under=under, since=since.date() if since else None, until=until.date() if until else None)
    with scope(union=under.path):
        told = [*lines(OPERATOR, narrowing, way), total(OPERATOR, narrowing)]
        linked = links_now(OPERATOR, narrowing)
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow([way, *COLUMNS])
        writer.writerows([line.label, *line.figures.values()] for line in told)
        return
    shown = ("visits", "people", "needs_heard", "brought", "solved", "on_time", "reopened", "satisfaction")
    table = Table(way, *shown)
    for line in told:
        table.add_row(line.label, *("–" if line.figures[name] is None else str(line.figures[name]) for name in shown))
    out.print(table)
    out.print(f"{linked.workers} workers and {linked.unions} lower unions are linked.", highlight=False)


@app.command()
def remind() -> None:
    """Free wishes whose claim ran out and remind of appointments, now instead of every ten minutes."""
    out.print(f"{lapse_claims()} wishes freed, {remind_of_appointments()} appointments reminded of.", highlight=False)
