"""Pages of long lists: which rows are shown is asked first, by their keys; only these are read with all they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class KeysFirst(_Paginator):
    """A paginator over a queryset with wide rows: sorting carries keys alone.

    A list of sixty thousand links sorts keys in the time in which it would spill its names to the disk.
    """

    def page(self, number: int | str) -> Page[Any]:
        """The page with that number, its rows in their order; two queries."""
        number = self.validate_number(number)
        begin = (number - 1) * self.per_page
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        keys = list(rows.values_list("pk", flat=True)[begin : begin + self.per_page])
        found = {row.pk: row for row in rows.filter(pk__in=keys).order_by()}
        return Page([found[key] for key in keys if key in found], number, self)

    def first(self, count: int) -> list[Any]:
        """The rows of the first page, where `count` rows are known to be there; none asks nothing."""
        self.count = count
        return list(self.page(1))
