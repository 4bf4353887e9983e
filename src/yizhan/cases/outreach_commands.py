"""Commands around links, visits and the task ledger: figures, gaps, what has no owner, a ledger from and to a sheet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from django_scopes import scope
from rich.console import Console
from rich.table import Table

from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import OPERATOR, Role

from .ledger.queries import tree
from .ledger.sheet import workbook_of
from .links import coverage, queries
from .models import Project
from .services.ledger import make_project
from .services.ledger_import import import_tasks
from .visits import figures

app = typer.Typer(name="outreach", help="Links, visits and the task ledger.", no_args_is_help=True)
out = Console()
errors = Console(stderr=True)
REFUSED, SOME_ROWS_REFUSED = 2, 3
_UNION = Annotated[str, typer.Option("--union", help="Division code or exact name; it and all below are counted.")]


@app.callback()
def outreach() -> None:
    """Links, visits and the task ledger."""


@app.command()
def reach(
    union: _UNION,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
) -> None:
    """Visits and people reached, each person once; by kind of visit."""
    reader = _reader(union)
    with scope(union=reader.union.path):
        found = figures.visits_behind(
            for_staff=reader, since=since.date() if since else None, until=until.date() if until else None
        )
        table = Table("kind", "visits", "named", "counted", "people", "needs")
        for row in figures.by_kind(found):
            table.add_row(row.value, *_cells(row.reach))
        table.add_row("all", *_cells(figures.reach(found)))
        linked = figures.linked(for_staff=reader)
    out.print(table)
    out.print(
        f"{linked.workers} workers, {linked.unions} lower unions and {linked.groups} groups "
        f"({linked.members} members) are linked.",
        highlight=False,
    )


@app.command()
def gaps(union: _UNION) -> None:
    """Where contacts are missing, and what has no owner because a post ended."""
    reader = _reader(union)
    with scope(union=reader.union.path):
        table = Table("union", "workers", "with a contact", "lower unions", "with a contact")
        counted = coverage.coverage(for_staff=reader)
        for gap in [*counted.by_union, counted.total]:
            table.add_row(gap.name, str(gap.workers), str(gap.linked), str(gap.units), str(gap.units_linked))
        left = queries.ownerless(for_staff=reader).count()
    out.print(table)
    out.print(f"{left} links have no owner.", highlight=False)


@app.command("import-ledger")
def import_ledger(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="xlsx or CSV.")],
    union: _UNION,
    project: Annotated[str, typer.Option(help="Name of the project; made when there is none.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Read tasks from the sheet that an office keeps.

    Exit status: 0 all rows went in, 2 the file was refused, 3 some rows were refused.
    """
    try:
        owner = union_called(union, field="union")
        found = Project.objects.with_scopes_disabled().filter(union=owner, name=project).first()
        if found is None and dry_run:
            errors.print("There is no such project yet; without --dry-run it is made.", style="red")
            raise typer.Exit(REFUSED)
        found = found or make_project(actor=OPERATOR, union=owner, name=project)
        report = import_tasks(
            actor=OPERATOR, project=found, content=file.read_bytes(), file_name=file.name, dry_run=dry_run
        )
    except RuleBroken as broken:
        for problem in broken.problems:
            errors.print(str(problem), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    for row in report.rows:
        if row.reasons or row.remarks:
            why = " ".join([*row.reasons, *row.remarks])
            out.print(f"line {row.line} {row.title}: {row.outcome}. {why}", markup=False)
    counts = ", ".join(f"{report.count(word)} {word}" for word in ("added", "changed", "same", "skipped", "refused"))
    out.print(f"{len(report.rows)} rows: {counts}.", highlight=False)
    if report.count("refused"):
        raise typer.Exit(SOME_ROWS_REFUSED)


@app.command("export-ledger")
def export_ledger(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The xlsx to write.")],
    union: _UNION,
    project: Annotated[str, typer.Option(help="Name of the project.")],
) -> None:
    """Write a project's ledger in the form that offices use, as the union sees it."""
    reader = _reader(union)
    with scope(union=reader.union.path):
        found = Project.objects.filter(name=project).first()
        if found is None:
            errors.print("There is no such project.", style="red")
            raise typer.Exit(REFUSED)
        rows = tree(found, for_staff=reader)
        file.write_bytes(workbook_of(rows, union_name=reader.union.name))
    out.print(f"{len(rows.rows)} tasks written to {file}.", markup=False, highlight=False)


def _cells(reach: figures.Reach) -> list[str]:
    return [str(number) for number in (reach.visits, reach.named, reach.counted, reach.people, reach.needs)]


def _reader(text: str) -> Staff:
    """Whoever runs the command, reading as the named union would; nobody's post is used."""
    try:
        union: Union = union_called(text, field="union")
    except RuleBroken as broken:
        errors.print(str(broken), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    return Staff(union=union, role=Role.READER)
