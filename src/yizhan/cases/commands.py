"""Commands of this room: rebuilding cases from their log, watching deadlines, taking down a list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import OPERATOR

from . import outreach_commands, wish_commands
from .actions import CASES_REBUILT
from .models import Case
from .queries.figures import figures
from .search import write_index
from .services.clock import watch_cases
from .services.importing import import_cases, refused_rows_file
from .services.log import rebuild_case

app = typer.Typer(name="cases", help="Cases: rebuild, watch, import, count.", no_args_is_help=True)
app.add_typer(outreach_commands.app)
app.add_typer(wish_commands.app)
out = Console()
errors = Console(stderr=True)
OFF, REFUSED, SOME_ROWS_REFUSED = 1, 2, 3


@app.callback()
def cases() -> None:
    """Cases: rebuild, watch, import, count."""


@app.command()
def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Only say what is off; status 1 if anything is.")] = False,
    search: Annotated[bool, typer.Option("--search", help="Also write the words by which cases are found.")] = False,
) -> None:
    """Compute the state, owner and deadlines of every case from its log again."""
    off = looked_at = 0
    found = Case.objects.with_scopes_disabled().order_by("pk")
    for case in found.iterator(chunk_size=500):
        looked_at += 1
        if names := rebuild_case(case, check=check):
            off += 1
            out.print(f"{case.number}: {', '.join(names)}", highlight=False)
        if search and not check:
            write_index(case)
    if off and not check:
        record(OPERATOR, CASES_REBUILT, union=None, details={"rows": off})
    verb = "differ from their log" if check else "were brought into step"
    out.print(f"{looked_at} cases, {off} {verb}.", highlight=False)
    if off and check:
        raise typer.Exit(OFF)


@app.command()
def watch() -> None:
    """Tell of overdue cases and close what was left unanswered, now instead of every ten minutes."""
    out.print(f"{watch_cases()} steps.", highlight=False)


@app.command("import")
def bring(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="xlsx or CSV.")],
    union: Annotated[str, typer.Option(help="Whose cases: division code, identifier or exact name.")],
    kind: Annotated[str, typer.Option(help="Of rows that do not say.")] = "need",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows with reasons to this file.")] = None,
) -> None:
    """Take down a list: good rows go in, the others are told with the reason.

    Exit status: 0 all rows went in, 2 the file was refused, 3 some rows were refused.
    """
    try:
        report = import_cases(
            file.read_bytes(),
            file_name=file.name,
            union=union_called(union, field="union"),
            actor=OPERATOR,
            kind=kind,
            dry_run=dry_run,
        )
    except RuleBroken as broken:
        for problem in broken.problems:
            errors.print(str(problem), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    out.print(
        f"{len(report.made)} taken down, {report.known} known already, {len(report.refused)} refused.", highlight=False
    )
    for item in report.refused[:60]:
        out.print(f"  line {item.row.line}: {' '.join(item.reasons)}", markup=False, highlight=False)
    if rejects is not None and report.refused:
        rejects.write_bytes(refused_rows_file(report))
    if report.refused:
        raise typer.Exit(SOME_ROWS_REFUSED)


@app.command()
def count() -> None:
    """Figures over all cases of the installation."""
    told = figures(OPERATOR)
    table = Table(show_header=False)
    for name in ("submitted", "open", "closed", "solved", "closed_silent", "reopened", "refused", "late", "rated"):
        table.add_row(name.replace("_", " "), str(getattr(told, name)))
    table.add_row("satisfaction", f"{told.satisfaction:.2f}" if told.satisfaction else "–")
    out.print(table)
