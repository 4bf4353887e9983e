"""`yizhan benefits …`: benefits and their money from the command line."""

from __future__ import annotations

import typer

from . import finance_commands

app = typer.Typer(name="benefits", no_args_is_help=True, help="Benefits and their money.")
finance_commands.add_to(app)
