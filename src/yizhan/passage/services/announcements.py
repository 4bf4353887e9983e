"""Tells the stream, wherever it runs, that something it keeps in memory has changed."""

from django.db import connection

CHANNEL = "passage_changed"
RULES, SOURCES, WISHES, REMINDED = "rules", "sources", "wishes", "reminded"


def announce(what: str) -> None:
    """Tell the stream. PostgreSQL delivers it when the transaction commits, and never if it does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, what])
