"""Locking a row that names others: the row first and alone, then what it names.

A query that locks and joins at once reads the joined rows as they were before it waited: when the row changed its
owner meanwhile, PostgreSQL finds no match any more and gives nothing, or an owner that is empty.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def locked_row(rows: QuerySet[Row], *related: str, no_key: bool = False) -> Row:
    """The one row of `rows` as it stands now, locked until the transaction ends, with the `related` rows it names.

    Args:
        no_key: New rows that merely name this one need not wait.

    Raises:
        DoesNotExist: there is none.
    """
    pk = rows.order_by().select_for_update(no_key=no_key).values_list("pk", flat=True).get()
    return rows.select_related(*related).get(pk=pk)
