"""`yizhan feeds …`: the worker that pushes, and what an operator does about partners."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from django.utils import timezone, translation
from rich.console import Console
from rich.table import Table

from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import OPERATOR

from .models import Listing, Partner
from .pushing.pusher import Pusher
from .queries.partners import findings_by_kind
from .services.partners import replay_dead_letters
from .services.reconciling import reconcile as compare
from .services.sequence import begin_anew
from .services.testing import test_partner

app = typer.Typer(name="feeds", help="Partners that show our places: push, look, compare.", no_args_is_help=True)
console = Console()
errors = Console(stderr=True)

REFUSED, NO_SUCH_PARTNER = 1, 2
_LANGUAGE = "zh-hans" if os.environ.get("LANG", "").startswith("zh") else "en"
_PARTNER = typer.Option("--partner", help="Number of the partner; `yizhan feeds status` lists them.")


@app.callback()
def feeds() -> None:
    """Partners that show our places: push, look, compare."""


@app.command()
def push(
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end.")] = False,
) -> None:
    """Send partners what changed, until Ctrl-C. Several may run, also on several machines; `yizhan serve` runs one."""
    pusher = Pusher()
    if once:
        console.print(f"{pusher.once()} messages and files went.")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: pusher.stop())
    pusher.run()


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """All partners: how far each is, and what it answered last."""
    rows = [
        {
            "partner": str(partner.public_id),
            "name": partner.name,
            "way": partner.carrier,
            "waiting": Listing.every.filter(partner=partner, is_waiting=True).count(),
            "dead": Listing.every.filter(partner=partner, died_at__isnull=False).count(),
            "red": Listing.every.filter(partner=partner, red_since__isnull=False).count(),
            "failures": partner.failures,
            "next_attempt": partner.due_at.isoformat() if partner.due_at else None,
            "paused": partner.is_paused,
            "last_answer": partner.last_answer,
        }
        for partner in Partner.every.order_by("pk")
    ]
    if as_json:
        console.print_json(json.dumps({"partners": rows}, ensure_ascii=False))
        return
    table = Table("number", "partner", "way", "waiting", "dead letters", "red", "failures", "last answer")
    for row in rows:
        shown = ("partner", "name", "way", "waiting", "dead", "red", "failures", "last_answer")
        table.add_row(*(str(row[name]) for name in shown))
    console.print(table)


@app.command()
def again(partner: Annotated[str, _PARTNER]) -> None:
    """Send a partner's dead letters once more. Exit status: 0 done, 2 there is no such partner."""
    count = replay_dead_letters(staff=OPERATOR, partner=_partner(partner))
    errors.print(f"{count} dead letters wait to be sent again.")


@app.command()
@translation.override(_LANGUAGE)
def test(partner: Annotated[str, _PARTNER]) -> None:
    """Really send a partner something, and say what came back. Exit status: 0 taken, 1 not, 2 no such partner."""
    try:
        answer = test_partner(staff=OPERATOR, partner=_partner(partner))
    except RuleBroken as broken:
        raise _refused(broken) from None
    console.print(answer.words, markup=False)
    if not answer.is_taken:
        raise typer.Exit(REFUSED)


@app.command()
@translation.override(_LANGUAGE)
def reconcile(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, xlsx or GeoJSON.")],
    partner: Annotated[str, _PARTNER],
    datum: Annotated[str, typer.Option(help="Of the positions; the partner's when not given.")] = "",
    taken_at: Annotated[
        datetime | None, typer.Option("--as-of", help="When the partner made the file, by the clock of Shanghai.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare a partner's own export with what it should show. Exit status: 0 done, 1 refused, 2 no such partner."""
    found = _partner(partner)
    try:
        export = compare(
            file.read_bytes(),
            file_name=file.name,
            partner=found,
            actor=OPERATOR,
            datum=datum,
            taken_at=timezone.make_aware(taken_at) if taken_at else None,
        )
    except RuleBroken as broken:
        raise _refused(broken) from None
    kinds = {kind.value: count for kind, count in findings_by_kind(export)}
    told = {"lines": export.lines, "matched": export.matched, "right": export.right, "findings": kinds}
    if as_json:
        console.print_json(json.dumps(told, ensure_ascii=False))
        return
    console.print(f"{export.lines} lines, {export.matched} matched, {export.right} as they should be.")
    for kind, count in kinds.items():
        console.print(f"  {count:>6}  {kind}")


@app.command("begin-anew")
def begin(
    beyond: Annotated[int, typer.Option(min=0, help="A number that some reader may hold already.")] = 0,
) -> None:
    """After a restored backup: give all public places new numbers, so that no reader misses what changed since."""
    console.print(f"{begin_anew(beyond=beyond)} places get new numbers.")


def _partner(number: str) -> Partner:
    try:
        found: Partner = Partner.every.select_related("union").get(public_id=UUID(number))
    except (ValueError, Partner.DoesNotExist):
        errors.print(f"--partner {number}: there is no partner of this number", style="red", markup=False)
        raise typer.Exit(NO_SUCH_PARTNER) from None
    return found


def _refused(broken: RuleBroken) -> typer.Exit:
    for problem in broken.problems:
        errors.print(str(problem), style="red", markup=False)
    return typer.Exit(REFUSED)
