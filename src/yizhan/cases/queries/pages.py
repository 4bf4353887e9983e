"""Pages of long lists: which rows are shown is asked first, by their keys; only these are read with all they show.
Several numbers are one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import IntegerField, QuerySet, Subquery

from yizhan.unions.models import Staff

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class _NumberOf(Subquery):
    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def numbers_of(staff: Staff, *found: QuerySet[Any]) -> list[int]:
    """How many rows each of these holds; one query, asked beside the post's own row."""
    asked = [_NumberOf(query.order_by().values("pk")) for query in found]
    return list(Staff.objects.with_scopes_disabled().filter(pk=staff.pk).values_list(*asked).get())


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
