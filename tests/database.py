"""The tests' own database, for processes that tests start."""

from __future__ import annotations

from urllib.parse import quote

from django.db import connection


def database_url() -> str:
    """Its address as `DATABASE_URL` takes it; the host may be the folder of a socket, where it is embedded."""
    connection.ensure_connection()
    info = connection.connection.info
    user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    return f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"
