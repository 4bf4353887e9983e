"""The command line's application, to which the modules beside it add their commands."""

from __future__ import annotations

import typer
from rich.console import Console

app = typer.Typer(
    name="yizhan",
    help="Yizhan 驿站: run and feed a platform of union service stations.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they may hold personal data
    rich_markup_mode="markdown",
)
errors = Console(stderr=True)
