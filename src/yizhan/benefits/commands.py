"""`yizhan benefits …`: programmes, the books and money from the command line."""

from __future__ import annotations

import typer

from . import engine_commands, finance_commands

app = typer.Typer(name="benefits", no_args_is_help=True, help="Programmes, the books and money.")
engine_commands.add_to(app)
finance_commands.add_to(app)
