"""Lists to take home: spreadsheets in which a cell is never a formula."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.utils import timezone
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import Resource

_FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
FORMATS: Final = ("xlsx", "csv")


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet program evaluates: text that looks like a formula gets an apostrophe before it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_BEGINNINGS) else text


class ListResource(Resource):
    """A list as rows; columns are declared with `import_export.fields.Field`."""

    def export_field(self, field: Any, instance: Any, **options: Any) -> Any:
        """One cell, harmless."""
        return harmless(super().export_field(field, instance, **options))


def spreadsheet(resource: ListResource, rows: Any, *, form: str, name: str) -> tuple[HttpResponse, int]:
    """All `rows` as a file to download, and how many there are.

    Args:
        form: `xlsx` or `csv` (UTF-8 with a byte order mark, so that spreadsheet programs read Chinese).
        name: File name without its ending.

    Raises:
        Http404: another form.
    """
    if form not in FORMATS:
        raise Http404
    dataset = resource.export(rows)
    if form == "xlsx":
        content, kind = XLSX().export_data(dataset), XLSX.CONTENT_TYPE
    else:
        content, kind = CSV().export_data(dataset).encode("utf-8-sig"), "text/csv; charset=utf-8"
    response = HttpResponse(content, content_type=kind)
    date = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="{name}-{date}.{form}"'
    response["Cache-Control"] = "no-store"
    return response, len(dataset)
