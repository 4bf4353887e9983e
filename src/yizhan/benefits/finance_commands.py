"""`yizhan benefits settle | reconcile | export`: money matters from the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from yizhan.unions.models import Union
from yizhan.unions.rights import OPERATOR

from .clock import yuan
from .exports.redemptions import COLUMNS, rows_of
from .exports.writers import WRITERS
from .models import CutOff, Redemption, Statement
from .services import reconciliation, settlement

out = Console()
errors = Console(stderr=True)
DIFFERENCES_FOUND = 4


def settle(
    union: Annotated[
        str | None,
        typer.Option(help="Division code, identifier or exact name; without it: all unions whose night is due."),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Cut off at this moment, not at that of the last night.")] = False,
) -> None:
    """Make the statements of the last night's cut-off, as the background does; made once, however often it is asked."""
    unions = [_union(union)] if union else settlement.due_nightly()
    if now and not union:
        errors.print("--now needs --union.", style="red")
        raise typer.Exit(2)
    for each in unions:
        made = settlement.cut_off(each, actor=OPERATOR) if now else settlement.nightly_cut_off(each)
        _tell_cut_off(each, made)
    if not unions:
        out.print("No union's night is due.")


def reconcile(
    union: Annotated[str | None, typer.Option(help="Division code, identifier or exact name; without it: all.")] = None,
) -> None:
    """Compare redemptions, ledger and statements now. Exit code 4 when anything differs."""
    table = Table()
    for heading in (
        "Union",
        "Redemptions",
        "By redemptions",
        "By the ledger",
        "On statements",
        "Not yet due",
        "Differences",
    ):
        table.add_column(heading, justify="left" if heading == "Union" else "right")
    found = 0
    for each in [_union(union)] if union else reconciliation.unions_with_programmes():
        made = reconciliation.reconcile(each)
        found += made.differences
        fen = (made.redeemed_fen, made.booked_fen, made.settled_fen, made.unsettled_fen)
        table.add_row(each.name, str(made.redemptions), *[yuan(each_fen) for each_fen in fen], str(made.differences))
    out.print(table)
    if found:
        errors.print(f"{found} differences; the page “Reconciliation” lists them.", style="red")
        raise typer.Exit(DIFFERENCES_FOUND)


def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Ends in .xlsx, .csv or .parquet.")],
    union: Annotated[str | None, typer.Option(help="This union's programmes and those below; without it: all.")] = None,
    since: Annotated[str | None, typer.Option(help="First day, such as 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, included.")] = None,
) -> None:
    """Write redemptions to a file, row by row: memory stays flat however many there are."""
    form = file.suffix.removeprefix(".").lower()
    if form not in WRITERS:
        errors.print(f"{file}: ends in none of {', '.join(f'.{name}' for name in WRITERS)}", style="red", markup=False)
        raise typer.Exit(2)
    found = Redemption.objects.with_scopes_disabled()
    try:
        if union:
            found = found.filter(union__path__startswith=_union(union).path)
        if since:
            found = found.filter(day__gte=date.fromisoformat(since))
        if until:
            found = found.filter(day__lte=date.fromisoformat(until))
    except ValueError as wrong:
        errors.print(str(wrong), style="red", markup=False)
        raise typer.Exit(2) from None
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=errors) as progress:
        progress.add_task(f"writing {file.name}")
        count = WRITERS[form](COLUMNS, rows_of(found), file)
    out.print(f"{count} redemptions in {file} ({timezone.localtime():%Y-%m-%d %H:%M}).", markup=False)


def add_to(app: typer.Typer) -> None:
    """Put the three commands into the room's."""
    for command in (settle, reconcile, export):
        app.command()(command)


def _tell_cut_off(union: Union, made: CutOff) -> None:
    rows = Statement.objects.with_scopes_disabled().filter(cut_off=made)
    fen = sum(rows.values_list("payable_fen", flat=True))
    out.print(f"{union.name}, {made.day}: {rows.count()} statements, {yuan(fen)} yuan payable.", markup=False)


def _union(text: str) -> Union:
    by_code = Union.objects.filter(division_code=text)
    found = list(by_code[:1]) or (list(Union.objects.filter(public_id=text)[:1]) if _is_identifier(text) else [])
    found = found or list(Union.objects.filter(name=text)[:2])
    if len(found) != 1:
        reason = "several unions have this name; give the division code" if found else "there is no such union"
        errors.print(f"{text}: {reason}", style="red", markup=False)
        raise typer.Exit(2)
    return found[0]


def _is_identifier(text: str) -> bool:
    from uuid import UUID

    try:
        UUID(text)
    except ValueError:
        return False
    return True
