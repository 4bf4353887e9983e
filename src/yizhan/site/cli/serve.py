"""`yizhan serve`, `yizhan stop`: the whole installation as one."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console

from yizhan.site.environment import environment
from yizhan.site.serving import processes
from yizhan.site.serving.processes import CannotServe, Installation, Program

from .application import app, errors

console = Console()


def installation(
    *,
    host: str | None,
    port: int | None,
    workers: int,
    logs_to_stdout: bool = False,
    behind_proxy: bool = False,
    programs: tuple[Program, ...] = (),
) -> Installation:
    """The installation that the environment and the command's options describe."""
    from django.conf import settings

    public = urlsplit(str(environment.base_url))
    return Installation(
        var=environment.var.resolve(),
        host=host or "127.0.0.1",
        port=port or public.port or (443 if environment.secure else 80),
        names=(environment.host,),
        secure=environment.secure,
        workers=workers,
        static_root=Path(settings.STATIC_ROOT),
        logs_to_stdout=logs_to_stdout,
        behind_proxy=behind_proxy,
        extra_programs=programs,
    )


def child_environment() -> dict[str, str]:
    """The environment of the supervised processes: the database is named, so that this process alone owns it."""
    found = {**os.environ, "DJANGO_SETTINGS_MODULE": "yizhan.site.settings", "YIZHAN_LOG_FORMAT": "json"}
    if not environment.database_url:
        found["DATABASE_URL"] = embedded_database_url()
    return found


def embedded_database_url() -> str:
    """Start the embedded database and say where it is."""
    from urllib.parse import quote

    from django.conf import settings

    from yizhan.site.embedded_postgresql.server import connection_parameters, ensure_database

    folder = Path(settings.DATABASES["default"]["OPTIONS"]["data_folder"])
    ensure_database(folder, "yizhan")
    parameters = connection_parameters(folder)
    host = quote(parameters["host"], safe="")
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"postgresql://{parameters['user']}@{host}{port}/yizhan"


def wait_until_ready(target: Installation, process: object, *, seconds: float = 180) -> bool:
    """Wait until the front door answers through to the database, and the hot application from its index."""
    import time

    end = time.monotonic() + seconds
    address = target.address()
    paths = ("/readyz", "/api/places/nearest?lon=0&lat=0&datum=WGS-84")
    while time.monotonic() < end and process.poll() is None:  # type: ignore[attr-defined]
        try:
            # The certificate of a machine-local authority is not known to us yet.
            asked = [httpx.get(f"{address}{path}", verify=False, timeout=2).status_code for path in paths]  # noqa: S501
            if max(asked) < 500:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    return False


@app.command()
def serve(
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for all networks."),
    port: int = typer.Option(None, help="Port to listen on. [default: the port of YIZHAN_BASE_URL]"),
    workers: int = typer.Option(max(2, os.cpu_count() or 2), min=1, help="Django worker processes."),
    logs_to_stdout: bool = typer.Option(False, "--logs-to-stdout", help="Logs to standard output instead of var/log/."),
    behind_proxy: bool = typer.Option(
        False, "--behind-proxy", help="TLS ends at another proxy in a private network: listen in plain http for it."
    ),
) -> None:
    """Serve the platform: front door, Django workers, hot look-ups and background jobs, until Ctrl-C."""
    from yizhan.site.serving.preparation import prepare_database, prepare_files

    target = installation(
        host=host, port=port, workers=workers, logs_to_stdout=logs_to_stdout, behind_proxy=behind_proxy
    )
    try:
        processes.ensure_startable(target)
        prepare_database()
        prepare_files()
        process = processes.start(target, child_environment())
    except CannotServe as problem:
        errors.print(str(problem), style="red", markup=False)
        raise typer.Exit(1) from None
    if not logs_to_stdout:
        with processes.stopped_with_us(process):
            state = "Serving" if wait_until_ready(target, process) else "Not ready yet, still starting"
        console.print(f"{state}: {target.address()}  (logs: {target.var / 'log'}, stop: Ctrl-C)", markup=False)
    raise typer.Exit(processes.stay_until_stopped(process))


@app.command()
def stop(
    demo: bool = typer.Option(False, "--demo", help="The demo, rather than the installation of the environment."),
) -> None:
    """Stop the installation that runs from this folder, also when whoever started it is gone."""
    from django.conf import settings

    from yizhan.site.embedded_postgresql.server import connection_parameters, is_running

    stopped = processes.stop(installation(host=None, port=None, workers=1))
    if not environment.database_url:
        folder = Path(settings.DATABASES["default"]["OPTIONS"]["data_folder"])
        if is_running(folder):
            connection_parameters(folder)  # we are its last user now: it stops when we end
            stopped = True
    typer.echo("Stopped." if stopped else "Nothing was running.")
