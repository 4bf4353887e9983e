"""Commands of this room: `yizhan import places …` and `yizhan reports …`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from django.utils import translation
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import OPERATOR

from .importing import ImportReport, Outcome, parse_mapping, read_table, rejected_rows_file
from .importing.report import FLAG_LABELS
from .models import PlaceKind
from .reports.commands import app as reports_app
from .reports.commands import named_union
from .services import import_places

app = typer.Typer()
bringing = typer.Typer(help="Bring data into the platform from files.", no_args_is_help=True)
app.add_typer(bringing, name="import")
app.add_typer(reports_app, name="reports")
out = Console()
errors = Console(stderr=True)

REFUSED, SOME_ROWS_REFUSED = 2, 3
_MOST_SHOWN = 60
# Reasons are given in the language of the terminal, as a page gives them in the reader's.
_LANGUAGE = "zh-hans" if os.environ.get("LANG", "").startswith("zh") else "en"


@bringing.callback()
def bring() -> None:
    """Bring data into the platform from files."""


@bringing.command()
@translation.override(_LANGUAGE)
def places(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="xlsx or CSV.")],
    union: Annotated[str, typer.Option(help="To whom the places belong: division code, identifier or exact name.")],
    datum: Annotated[
        str | None,
        typer.Option(help="Of the positions: WGS-84, GCJ-02 or BD-09. Only a file with a datum column can do without."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Which column holds what, where the headers do not tell: name=名称,lon=经度,…")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file; found out when not given.")] = None,
    kind: Annotated[str, typer.Option(help=f"Of rows that do not say: {', '.join(PlaceKind.values)}.")] = "station",
    source: Annotated[str | None, typer.Option(help="Name of the source; the file's name when not given.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish new places, save those in doubt.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows with reasons to this file.")] = None,
) -> None:
    """Read places from a spreadsheet: good rows go in, the others are listed with the reason.

    Exit status: 0 all rows went in, 2 the file was refused, 3 some rows were refused.
    """
    content = file.read_bytes()
    try:
        table = read_table(content, file_name=file.name, encoding=encoding)
        mapping = parse_mapping(columns, table.headers) if columns else None
        with Progress(console=errors, transient=True) as progress:
            task = progress.add_task("Reading rows", total=len(table.rows))
            report = import_places(
                content,
                file_name=file.name,
                union=named_union(union),
                actor=OPERATOR,
                datum=datum,
                mapping=mapping,
                encoding=encoding,
                kind=kind,
                source=source,
                publish=publish,
                dry_run=dry_run,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except RuleBroken as broken:
        for problem in broken.problems:
            value = f" = {problem.value!r}" if problem.value not in ("", None) else ""
            errors.print(f"{problem.field}{value}: {problem.message}", style="red", markup=False, highlight=False)
        errors.print("Nothing was written.", style="red")
        raise typer.Exit(REFUSED) from None
    _tell(report)
    if rejects is not None and report.refused:
        rejects.write_bytes(rejected_rows_file(report))
        out.print(f"Refused rows with their reasons: {escape(str(rejects))}", soft_wrap=True)
    if report.refused:
        raise typer.Exit(SOME_ROWS_REFUSED)


def _tell(report: ImportReport) -> None:
    """The report for a person."""
    for remark in report.remarks:
        out.print(remark, markup=False)
    if report.already_imported_at is not None:
        out.print(
            f"This very file was imported on {report.already_imported_at:%Y-%m-%d %H:%M} UTC; nothing was changed."
        )
        if not report.dry_run:
            return
    verb = "would be" if report.dry_run else "were"
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome)
    out.print(f"{len(report.rows)} rows {verb}: {counts}; {report.published} published.", highlight=False)
    for flag, count in report.flag_counts().items():
        out.print(f"  {count:>4}  {FLAG_LABELS[flag]}", highlight=False)
    told = [row for row in report.rows if row.reasons or row.flags]
    if not told:
        return
    table = Table()
    for heading in ("Line", "Name", "Outcome", "Why"):
        table.add_column(heading, overflow="fold")
    for row in told[:_MOST_SHOWN]:
        why = "\n".join([*row.reasons, *row.flags.values()])
        table.add_row(str(row.line), escape(row.name), row.outcome.value, escape(why))
    out.print(table)
    if len(told) > _MOST_SHOWN:
        out.print(f"… and {len(told) - _MOST_SHOWN} more rows.")
