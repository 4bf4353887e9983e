"""Entry of the command line: Django is set up, then each room's commands are mounted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from .application import app, errors

DEMO_SETTINGS = {
    "YIZHAN_VAR": str(Path(__file__).resolve().parents[4] / "var" / "demo"),
    "YIZHAN_INSECURE_HTTP": "1",
    "YIZHAN_BASE_URL": "http://127.0.0.1:8000",
    "YIZHAN_REQUIRE_SECOND_FACTOR": "0",
}


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def manage(context: typer.Context) -> None:
    """Run a Django management command, such as `yizhan manage shell`."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["yizhan manage", *context.args])


@app.command()
def check(deploy: bool = typer.Option(False, "--deploy", help="Also check what a public installation needs.")) -> None:
    """Check the installation's settings; exit status 1 when something is wrong."""
    from django.core.management import CommandError, call_command

    try:
        call_command("check", deploy=deploy, fail_level="WARNING")
    except CommandError as error:
        errors.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    from yizhan.site.serving.preparation import prepare_database

    prepare_database()
    typer.echo("The database is up to date.")


@app.command()
def bench(
    name: str = typer.Argument(..., help="Which benchmark: datum, passage, places …"),
    quick: bool = typer.Option(False, "--quick", help="End within 40 seconds."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object as the last line."),
) -> None:
    """Measure a hot path beside its peers (needs a source checkout)."""
    from yizhan.site.environment import PROJECT_ROOT

    if not (PROJECT_ROOT / "benchmarks" / f"{name}.py").exists():
        known = sorted(path.stem for path in (PROJECT_ROOT / "benchmarks").glob("[a-z]*.py") if path.stem != "report")
        errors.print(f"There is no benchmark {name!r}; there are: {', '.join(known) or 'none'}.", style="red")
        raise typer.Exit(2)
    options = [flag for flag, given in (("--quick", quick), ("--json", json)) if given]
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    raise typer.Exit(subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode)


def mount_rooms() -> None:
    """Add the commands of each room that has `commands.py`: its `app`, under its name or at the top."""
    from yizhan.site.api import rooms_having

    for commands in rooms_having("commands"):
        name = commands.app.info.name
        app.add_typer(commands.app, name=name if isinstance(name, str) else None)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
    # A person reads what a command prints; the servers write JSON.
    if sys.argv[1:2] == ["demo"] or sys.argv[1:3] == ["stop", "--demo"]:
        # A folder of its own, plain http on this machine, no second factor: never a real installation's.
        for name, value in DEMO_SETTINGS.items():
            os.environ.setdefault(name, value)
    os.environ.setdefault("YIZHAN_LOG_FORMAT", "json" if "serve" in sys.argv[1:2] else "console")
    import django
    from pydantic import ValidationError

    try:
        django.setup()
    except ValidationError as error:
        for problem in error.errors():
            setting = "YIZHAN_" + "_".join(str(part) for part in problem["loc"] or ["base_url"]).upper()
            errors.print(f"{setting} = {problem['input']!r}: {problem['msg']}", style="red", markup=False)
        raise SystemExit(2) from None
    from . import demo as _demo  # noqa: F401 - its command registers itself
    from . import serve as _serve  # noqa: F401

    mount_rooms()
    app()
