"""`yizhan benefits verify-books | programmes | redeem | void | simulate | verify-lottery | rotate-house-key`."""

from __future__ import annotations

import os
from typing import Annotated, Any
from uuid import UUID

import typer
from django.utils import translation
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR

from .books import verify_books as verify
from .clock import yuan
from .models import BenefitOffer, Lottery, Programme, Redemption
from .queries.phones import house_keys
from .refusals import Refused
from .services import redeeming, taking_back
from .services.lotteries import check_draw
from .services.phones import rotate_house_key as rotate
from .services.sealing import seal_all
from .simulation import DAYS
from .simulation import simulate as replay

out = Console()
errors = Console(stderr=True)
WRONG_ARGUMENT, REFUSED, FAILS = 2, 3, 4
# Reasons are given in the language of the terminal, as a page gives them in the reader's.
_LANGUAGE = "zh-hans" if os.environ.get("LANG", "").startswith("zh") else "en"


def verify_books(
    expect: Annotated[str, typer.Option(help="A head that was noted down earlier: it must be in the chain.")] = "",
    seal: Annotated[bool, typer.Option(help="First seal what is booked and in no seal yet.")] = True,
) -> None:
    """Verify the books from the first entry on: chain, balance, redemptions, budgets. Exit status 4: they fail."""
    if seal:
        seal_all()
    columns = (SpinnerColumn(), TextColumn("{task.completed} transactions"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("verifying", total=None)
        found = verify(expect=expect, progress=lambda count: progress.advance(task, count))
    out.print(
        f"{found.transactions} transactions in {found.seals} seals, {found.unsealed} not sealed yet.", highlight=False
    )
    out.print(f"Head: {found.head}", highlight=False)
    for problem in found.problems:
        errors.print(problem, style="red", markup=False)
    if not found.is_sound:
        raise typer.Exit(FAILS)
    out.print("The books are in order.")


@translation.override(_LANGUAGE)
def programmes() -> None:
    """List what all programmes offer, with identifiers and states."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Offer", no_wrap=True)
    for heading in ("Name, place", "Programme, union"):
        table.add_column(heading, overflow="fold", min_width=12)
    table.add_column("Price, worker pays", justify="right")
    rows = BenefitOffer.objects.with_scopes_disabled().select_related("programme__union", "place")
    for row in rows.order_by("programme__union__path", "programme__name", "pk"):
        programme = row.programme
        table.add_row(
            str(row.public_id),
            f"{row.name}\n{row.place.name}",
            f"{programme.name} ({programme.get_state_display()})\n{programme.union.name}",
            f"{yuan(row.list_price_fen)}\n{yuan(row.worker_fen)}",
        )
    out.print(table)


@translation.override(_LANGUAGE)
def redeem(
    offer: Annotated[str, typer.Argument(help="Identifier of the offer; see `programmes`.")],
    worker: Annotated[str, typer.Argument(help="Identifier of the worker.")],
    request_id: Annotated[str, typer.Option(help="A UUID of this request: repeating it counts once.")],
    device: Annotated[str, typer.Option(help="Name of the device.")] = "command-line",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Redeem one offer for one worker. Exit status 3: a rule refuses it."""
    request = _uuid(request_id)
    found = _row(BenefitOffer, offer, "place__union", "programme")
    person = _row(Worker, worker, "user")
    if dry_run:
        refused = redeeming.why_not(offer=found, worker=person)
        out.print("It would be granted." if refused is None else f"{refused.code}: {refused.for_worker}")
        raise typer.Exit(0 if refused is None else REFUSED)
    try:
        receipt = redeeming.redeem(offer=found, worker=person, request_id=request, device=device, actor=OPERATOR)
    except Refused as refused:
        errors.print(f"{refused.code}: {refused.for_worker}", style="red", markup=False)
        raise typer.Exit(REFUSED) from None
    out.print(
        f"{receipt.public_id}{' (repeated)' if receipt.repeated else ''}: {receipt.state}, "
        f"worker pays {yuan(receipt.worker_fen)} of {yuan(receipt.list_price_fen)} yuan",
        highlight=False,
    )


@translation.override(_LANGUAGE)
def void(
    redemption: Annotated[str, typer.Argument(help="Identifier of the redemption.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    refund: Annotated[bool, typer.Option("--refund", help="Refund it instead.")] = False,
) -> None:
    """Take a redemption back: every party's share is reversed. Taking it back again changes nothing."""
    found = _row(Redemption, redemption)
    try:
        ended = (taking_back.refund if refund else taking_back.void)(found, actor=OPERATOR, reason=reason)
    except RuleBroken as broken:
        errors.print(str(broken), style="red", markup=False)
        raise typer.Exit(REFUSED) from None
    out.print(f"{ended.public_id}: {ended.state}", highlight=False)


@translation.override(_LANGUAGE)
def simulate(
    programme: Annotated[str, typer.Argument(help="Identifier of the programme: the end of its page's address.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How many past days to replay.")] = DAYS,
) -> None:
    """Replay past demand against a programme: cost, workers, and the day on which the budget runs out."""
    found = _row(Programme, programme, "union")
    forecast = replay(found, days=days)
    out.print(f"{found.name}: {forecast.since} to {forecast.until}", markup=False, highlight=False)
    out.print(
        f"Asked {forecast.asked} times, granted {forecast.granted} to {forecast.beneficiaries} workers, "
        f"cost {yuan(forecast.funded_fen)} yuan.",
        highlight=False,
    )
    for payer, fen in forecast.by_payer.most_common():
        out.print(f"  {payer}: {yuan(fen)}", markup=False, highlight=False)
    for reason, count in forecast.refused.most_common():
        out.print(f"  refused ({reason}): {count}", markup=False, highlight=False)
    if forecast.runs_out_on:
        out.print(f"The budget would have run out on {forecast.runs_out_on}.", highlight=False)
    if forecast.dry_days:
        out.print(f"On {len(forecast.dry_days)} days a budget would not have sufficed.", highlight=False)
    if not forecast.asked:
        out.print("Nothing was redeemed in these days: there is nothing to replay.")


def verify_lottery(lottery: Annotated[str, typer.Argument(help="Identifier of the lottery.")]) -> None:
    """Draw a lottery again from the published seed and compare. Exit status 4: something is wrong."""
    found = _row(Lottery, lottery, "programme")
    checked = check_draw(found)
    out.print(f"Digest of the seed: {found.seed_digest}", highlight=False)
    out.print(f"Seed: {found.seed or '(published when the lots are drawn)'}", highlight=False)
    out.print(f"{checked.tickets} tickets, {checked.winners} of {found.places} places given.", highlight=False)
    for problem in checked.problems:
        errors.print(problem, style="red", markup=False)
    if checked.problems:
        raise typer.Exit(FAILS)
    out.print("The draw is as it must be.")


def rotate_house_key(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Retire all earlier keys now, because one is lost or was seen.")
    ] = False,
) -> None:
    """Make a new key that signs workers' phones; earlier ones are retired when no code needs them, or at once."""
    retired = rotate(at_once=at_once)
    known = sorted(house_keys())
    out.print(f"Key {known[-1]} signs from now on; known to counters: {', '.join(map(str, known))}.", highlight=False)
    out.print(f"Retired: {', '.join(map(str, retired)) or 'none'}.", highlight=False)
    if at_once and retired:
        out.print("Phones show codes again after they have been online once.")


def add_to(app: typer.Typer) -> None:
    """Put these commands into the room's."""
    for command in (verify_books, programmes, redeem, void, simulate, verify_lottery, rotate_house_key):
        app.command(command.__name__.replace("_", "-"))(command)


def _row(model: Any, public_id: str, *related: str) -> Any:
    """A row by its public identifier, or the end of the command."""
    rows = model.objects.with_scopes_disabled().select_related(*related)
    found = rows.filter(public_id=_uuid(public_id)).first()
    if found is None:
        errors.print(f"{public_id}: there is nothing of this identifier.", style="red", markup=False)
        raise typer.Exit(WRONG_ARGUMENT)
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        errors.print(f"{text}: this is not an identifier.", style="red", markup=False)
        raise typer.Exit(WRONG_ARGUMENT) from None
