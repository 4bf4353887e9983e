"""Before anything is served: the database has every table, the static files are in place, the Chinese is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

# Two that start at once on one database migrate one after the other.
MIGRATION_LOCK = 0x59495A48


@contextmanager
def migration_lock() -> Iterator[None]:
    """Hold the installation's migration lock (a PostgreSQL advisory lock of the session)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def prepare_database() -> None:
    """Apply all migrations; nothing happens when they are applied."""
    with migration_lock():
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)


def prepare_files() -> None:
    """Compile the catalogues and gather the static files."""
    from yizhan.site.messages import compile_catalogues

    compile_catalogues()
    call_command("collectstatic", interactive=False, verbosity=0)
