"""Several numbers in one question to the database."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery

from yizhan.unions.models import Staff


class _NumberOf(Subquery):
    """How many rows a query finds, as one value of another."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def numbers_of(staff: Staff, *found: QuerySet[Any], limit: int | None = None) -> list[int]:
    """How many rows each of these holds; one query, asked beside the post's own row.

    Args:
        limit: Counting stops there.
    """
    asked = [_NumberOf(query.order_by().values("pk")[:limit]) for query in found]
    if not asked:
        return []
    return list(Staff.objects.with_scopes_disabled().filter(pk=staff.pk).values_list(*asked).get())
