"""`yizhan reports …`: what was reported, what is overdue, and the list to take home."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from yizhan.places.actions import REPORTS_EXPORTED
from yizhan.places.models import Report
from yizhan.places.models.reports import UNANSWERED
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import FORMATS, spreadsheet
from yizhan.unions.models import Union
from yizhan.unions.rights import OPERATOR

from .deadlines import last_day
from .exports import ReportResource
from .queries import overdue as overdue_of
from .queries import reports_at, with_answers

app = typer.Typer(help="Reports of faults at places: list, overdue, export.", no_args_is_help=True)
out = Console()
errors = Console(stderr=True)
_LANGUAGE = "zh-hans" if os.environ.get("LANG", "").startswith("zh") else "en"
_REFUSED, _SOME_OVERDUE = 2, 3

At = Annotated[str, typer.Option("--union", help="Of this union and below: division code, identifier or exact name.")]
Limit = Annotated[int, typer.Option(help="Show at most so many.", min=1)]


@app.command("list")
@translation.override(_LANGUAGE)
def list_reports(
    union: At,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for an answer.")] = False,
    limit: Limit = 50,
) -> None:
    """Reports at a union and below, what is due first first."""
    found = reports_at(_union(union))
    _show(found.filter(state__in=UNANSWERED) if waiting else found, limit, timezone.now())


@app.command()
@translation.override(_LANGUAGE)
def overdue(union: At, limit: Limit = 50) -> None:
    """Reports whose answer is late. Exit status: 0 none is, 3 some are, so that a watchman can use it."""
    now = timezone.now()
    found = overdue_of(reports_at(_union(union)), now)
    _show(found, limit, now)
    if found.exists():
        raise typer.Exit(_SOME_OVERDUE)


@app.command()
@translation.override(_LANGUAGE)
@transaction.atomic
def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="xlsx or CSV, by its ending.")],
    union: At,
) -> None:
    """Write all reports at a union and below to a file, without what the reporters wrote; the trail tells of it."""
    form = file.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        errors.print("The file must end in .xlsx or .csv.", style="red")
        raise typer.Exit(_REFUSED)
    acting = _union(union)
    found = with_answers(reports_at(acting))
    response, count = spreadsheet(ReportResource(), found, form=form, name="reports")
    expected = found.count()
    if count != expected:
        msg = f"the export holds {count} of {expected} reports"
        raise RuntimeError(msg)
    record(OPERATOR, REPORTS_EXPORTED, union=acting, details={"rows": count, "form": form})
    file.write_bytes(response.content)
    out.print(f"{count} reports: {file}", markup=False, highlight=False, soft_wrap=True)


def _show(found: QuerySet[Report], limit: int, now: datetime) -> None:
    table = Table()
    for heading in ("Place", "Union", "What is wrong", "State", "Reported", "Answer due by", "Overdue"):
        table.add_column(heading, overflow="fold")
    total = found.count()
    for report in found[:limit]:
        due = report.due  # type: ignore[attr-defined]
        table.add_row(
            escape(report.place.name),
            escape(report.place.union.name),
            report.get_kind_display(),
            report.get_state_display(),
            timezone.localtime(report.opened_at).strftime("%Y-%m-%d %H:%M"),
            last_day(due).isoformat() if due else "",
            "yes" if due and due <= now else "",
        )
    if total:
        out.print(table)
    out.print(f"{total} reports." if total <= limit else f"The first {limit} of {total} reports.", highlight=False)


def _union(text: str) -> Union:
    try:
        return named_union(text)
    except RuleBroken as broken:
        errors.print(str(broken), style="red", markup=False)
        raise typer.Exit(_REFUSED) from None


def named_union(text: str) -> Union:
    """A union by division code, public identifier or name.

    Raises:
        RuleBroken: there is none, or there are several of that name.
    """
    found = list(Union.objects.filter(division_code=text)[:1])
    if not found and len(text) == 36:
        try:
            found = list(Union.objects.filter(public_id=text)[:1])
        except ValueError:
            found = []
    if not found:
        found = list(Union.objects.filter(name=text)[:2])
    if len(found) != 1:
        reason = "several unions have this name; give the division code" if found else "there is no such union"
        raise RuleBroken.at("union", text[:80], reason, "unknown_union")
    return found[0]
