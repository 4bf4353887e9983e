"""Spreadsheet files that cannot do harm: whatever a cell holds is text, never a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST_CELL = 32_767


def safe_csv_cell(value: str) -> str:
    """The text as it may stand in a CSV file: what looks like a formula gets an apostrophe."""
    value = _UNPRINTABLE.sub("", value)
    if value.startswith(_DANGEROUS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def without_apostrophe(value: str) -> str:
    """What `safe_csv_cell` was given."""
    return value[1:] if value.startswith("'") and value[1:].startswith(_DANGEROUS) else value


def text_workbook(lines: Iterable[Sequence[str | float | int]], *, title: str = "places") -> bytes:
    """An xlsx file with one sheet; numbers stay numbers, every text is stored as text."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    for line in lines:
        sheet.append([_cell(sheet, value) for value in line])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _cell(sheet: object, value: str | float) -> WriteOnlyCell:
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, _UNPRINTABLE.sub("", value)[:LONGEST_CELL])
        cell.data_type = "s"  # openpyxl takes a leading “=” for a formula otherwise
        return cell
    return WriteOnlyCell(sheet, value)
