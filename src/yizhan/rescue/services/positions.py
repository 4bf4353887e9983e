"""Positions of many rescuers at once: phones tell one every second, the database is written to in one piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection

from yizhan.rescue.models import Duty


class Told(NamedTuple):
    """Where a phone was so many seconds ago. WGS-84 degrees."""

    lon: float
    lat: float
    age_s: float


def tell_positions(told: Mapping[int, Told]) -> set[int]:
    """Keep the positions of rescuers by their row numbers; gives those that are on duty: nothing is kept of others.

    The times are the database's, whatever the phones' clocks say.
    """
    if not told:
        return set()
    rows = sorted(told)
    columns = [rows, *([getattr(told[row], name) for row in rows] for name in Told._fields)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Duty._meta.db_table} AS duty"  # noqa: S608 - the name of our own table
            " SET lon = told.lon, lat = told.lat, position_at = clock_timestamp() - told.age_s * interval '1 second'"
            " FROM unnest(%s::bigint[], %s::float8[], %s::float8[], %s::float8[]) AS told(rescuer, lon, lat, age_s)"
            " WHERE duty.rescuer_id = told.rescuer AND duty.ended_at IS NULL RETURNING duty.rescuer_id",
            columns,
        )
        return {row for (row,) in cursor.fetchall()}
