"""Pages of long lists: which rows are shown is asked first, by their keys; only these are read with all they show."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.sql.where import WhereNode

from .kept import counted_lately

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class KeysFirst(_Paginator):
    """A paginator over a queryset with wide rows: sorting carries keys alone.

    A list of sixty thousand links sorts keys in the time in which it would spill its names to the disk. How many rows
    there are is counted anew, of very many once a minute.
    """

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return counted_lately("rows", rows, rows.order_by().values("pk").count, rows=int)

    def page(self, number: int | str) -> Page[Any]:
        """The page with that number, its rows in their order; two queries."""
        number = self.validate_number(number)
        begin = (number - 1) * self.per_page
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        if not self.count:
            return Page([], number, self)
        keys = list(rows.values_list("pk", flat=True)[begin : begin + self.per_page])
        # What these rows had to fulfil, they do: it is not asked again.
        shown = rows.order_by()
        shown.query.where = WhereNode()
        found = {row.pk: row for row in shown.filter(pk__in=keys)}
        return Page([found[key] for key in keys if key in found], number, self)

    def first(self, count: int) -> list[Any]:
        """The rows of the first page, where `count` rows are known to be there; none asks nothing."""
        self.count = count
        return list(self.page(1))


def number_of(rows: type[Model], to: str, *narrowed: Q) -> Coalesce:
    """How many `rows` name the outer row in their column `to`: asked for the rows that are shown, by no join."""
    of = rows._default_manager.with_scopes_disabled().filter(*narrowed, **{to: OuterRef("pk")})  # type: ignore[attr-defined]
    return Coalesce(Subquery(of.order_by().values(to).annotate(n=Count("pk")).values("n")), 0)
