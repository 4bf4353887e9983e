"""Rows into files of three forms, in flat memory: of a million rows some thousand are held at a time."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from yizhan.benefits.clock import SHANGHAI
from yizhan.unions.exports import harmless

ROWS_PER_SHEET: Final = 1_048_575  # what a sheet of xlsx holds, less its headings
_BATCH: Final = 20_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Stable name, of machines: what Parquet calls it.
        title: What people read above it; may be lazy.
        kind: `text`, `number`, `fen`, `time`, `day` or `yes` (whether).
        words: What people read for a stored value; Parquet keeps the value. Texts may be lazy.
    """

    name: str
    title: Any
    kind: str = "text"
    words: Mapping[str, Any] | None = None

    def show(self) -> Callable[[Any], Any]:
        """What makes a cell for people of a value."""
        show = _SHOWN[self.kind]
        if self.words is None:
            return show
        words = {value: str(text) for value, text in self.words.items()}
        return lambda value: words.get(value) or show(value)


def write_csv(columns: Sequence[Column], rows: Iterable[Sequence[Any]], path: Path) -> int:
    """UTF-8 with a byte order mark; money in yuan with two decimals; no cell is a formula. Says how many rows."""
    shown = [column.show() for column in columns]
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([str(column.title) for column in columns])
        for row in rows:
            writer.writerow([_plain(show(value)) for show, value in zip(shown, row, strict=True)])
            count += 1
    return count


def write_xlsx(
    columns: Sequence[Column], rows: Iterable[Sequence[Any]], path: Path, *, rows_per_sheet: int = ROWS_PER_SHEET
) -> int:
    """As many sheets as the rows need; money as numbers in yuan; text is never a formula. Says how many rows."""
    import xlsxwriter

    titles = [str(column.title) for column in columns]
    shown = [column.show() for column in columns]
    count = 0
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "in_memory": False})
    try:
        money, bold = book.add_format({"num_format": "#,##0.00"}), book.add_format({"bold": True})
        sheet = None
        line = 0
        for row in rows:
            if sheet is None or line == rows_per_sheet:
                sheet, line = _sheet(book, titles, bold), 0
            line += 1
            for place, (show, value) in enumerate(zip(shown, row, strict=True)):
                cell = show(value)
                if isinstance(cell, Decimal):
                    sheet.write_number(line, place, cell, money)
                elif isinstance(cell, int):
                    sheet.write_number(line, place, cell)
                elif cell:
                    sheet.write_string(line, place, cell[:32_767])
            count += 1
        if sheet is None:
            _sheet(book, titles, bold)
    finally:
        book.close()
    return count


def write_parquet(columns: Sequence[Column], rows: Iterable[Sequence[Any]], path: Path) -> int:
    """Money as whole fen, moments with their time zone. Says how many rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds: dict[str, Any] = {
        "text": pa.string(),
        "number": pa.int64(),
        "fen": pa.int64(),
        "time": pa.timestamp("us", tz="Asia/Shanghai"),
        "day": pa.date32(),
        "yes": pa.bool_(),
    }
    schema = pa.schema([(_parquet_name(column), kinds[column.kind]) for column in columns])
    texts = [place for place, column in enumerate(columns) if column.kind == "text"]
    count = 0
    with pq.ParquetWriter(str(path), schema, compression="zstd") as writer:
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH)):
            values = [list(column) for column in zip(*batch, strict=True)]
            for place in texts:
                values[place] = [None if value is None else str(value) for value in values[place]]
            writer.write_batch(pa.record_batch(values, schema=schema))
            count += len(batch)
    return count


WRITERS: Final[dict[str, Callable[..., int]]] = {"xlsx": write_xlsx, "csv": write_csv, "parquet": write_parquet}
MEDIA_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


def _sheet(book: Any, titles: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, bold)
    return sheet


def _parquet_name(column: Column) -> str:
    return f"{column.name}_fen" if column.kind == "fen" else column.name


def _yuan(fen: int | None) -> Decimal | None:
    return None if fen is None else Decimal(fen).scaleb(-2)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _text(value: Any) -> str:
    return "" if value is None else str(harmless(value))


_SHOWN: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _text,
    "number": lambda value: value,
    "fen": _yuan,
    "time": _time,
    "day": _day,
    "yes": lambda value: "" if value is None else int(value),
}


def _plain(cell: Any) -> Any:
    return f"{cell:.2f}" if isinstance(cell, Decimal) else cell


def as_bytes(write: Callable[..., int], columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """A small table as the content of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write(columns, rows, path)
        return path.read_bytes()
