"""A spreadsheet as rows of text: xlsx or CSV, whatever its encoding, with the line number of each row."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from yizhan.unions.errors import RuleBroken

MAXIMUM_BYTES = 20 * 1024 * 1024
MAXIMUM_UNPACKED_BYTES = 200 * 1024 * 1024
MAXIMUM_ROWS = 200_000
MAXIMUM_COLUMNS = 200
LONGEST_CELL = 2000

# Files that people rename, hoping: by how they begin.
_NOT_TABLES = (
    (b"%PDF", gettext_lazy("a PDF")),
    (b"\x89PNG", gettext_lazy("a picture")),
    (b"\xff\xd8\xff", gettext_lazy("a picture")),
    (b"GIF8", gettext_lazy("a picture")),
    (b"RIFF", gettext_lazy("a picture")),
    (b"\x00\x00\x00\x18ftyp", gettext_lazy("a picture or film")),
    (b"\x00\x00\x00\x20ftyp", gettext_lazy("a picture or film")),
    (b"{\\rtf", gettext_lazy("a text document")),
    (b"<!DOCTYPE", gettext_lazy("a web page")),
    (b"<html", gettext_lazy("a web page")),
    (b"\x1f\x8b", gettext_lazy("a packed file")),
    (b"Rar!", gettext_lazy("a packed file")),
    (b"7z\xbc\xaf", gettext_lazy("a packed file")),
)

# The reader of the standard library refuses long cells with a bare error; we name the row instead.
csv.field_size_limit(MAXIMUM_BYTES)


class Formula(str):
    """A cell that holds a formula; its value cannot be trusted, so its row is refused."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number in the file (the header is line 1) and its cells as text."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds. `kind` is "xlsx" or "csv"; `remarks` are sentences about how it was read."""

    kind: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str = ""
    remarks: tuple[str, ...] = field(default=())


def read_table(content: bytes, *, file_name: str, encoding: str | None = None) -> Table:
    """Read a file.

    Args:
        content: The whole file.
        file_name: Only for messages; what the file is, is seen from its content.
        encoding: Of a CSV file; found out when not given.

    Raises:
        RuleBroken: the file is empty, too large, neither xlsx nor text, or not in that encoding.
    """
    if not content.strip():
        raise _refused(file_name, _("The file is empty."), "empty_file")
    if len(content) > MAXIMUM_BYTES:
        raise _refused(
            file_name, _("The file is larger than %(n)d MB.") % {"n": MAXIMUM_BYTES // 1024 // 1024}, "too_large"
        )
    if content.startswith(b"PK\x03\x04"):
        return _read_xlsx(content, file_name)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused(file_name, _("This is an old Excel file (.xls); save it as .xlsx or CSV."), "old_excel")
    for beginning, what in _NOT_TABLES:
        if content.startswith(beginning):
            raise _refused(
                file_name,
                _("This is %(what)s, whatever its name says. Choose the spreadsheet itself, as .xlsx or CSV.")
                % {"what": what},
                "not_a_table",
            )
    return _read_csv(content, file_name, encoding)


def _read_csv(content: bytes, file_name: str, encoding: str | None) -> Table:
    text, used, remarks = _decoded(content, file_name, encoding)
    if "\x00" in text:
        raise _refused(file_name, _("This is neither an xlsx file nor text."), "not_text")
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",\t;", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _table("csv", file_name, _numbered(reader), encoding=used, remarks=remarks)
    except csv.Error as error:
        raise _refused(
            file_name, _("Line %(line)d cannot be read as CSV.") % {"line": reader.line_num}, "not_csv"
        ) from error


def _decoded(content: bytes, file_name: str, encoding: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The text, the encoding it was in, and a remark when that was not UTF-8."""
    if encoding:
        try:
            return content.decode(encoding).removeprefix("\ufeff"), encoding, ()
        except LookupError as error:
            raise RuleBroken.at("encoding", encoding[:40], _("Unknown encoding."), "unknown_encoding") from error
        except UnicodeDecodeError as error:
            raise RuleBroken.at(
                "encoding",
                encoding,
                _("The file is not in this encoding: byte %(n)d does not fit.") % {"n": error.start + 1},
                "wrong_encoding",
            ) from error
    candidates = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "gb18030"]
    for candidate in candidates:
        try:
            text = content.decode(candidate)
        except UnicodeDecodeError:
            continue
        if candidate == "gb18030":
            return text, "GB18030", (_("The file is not UTF-8; it was read as GBK (GB18030)."),)
        return text, "UTF-8" if candidate == "utf-8-sig" else "UTF-16", ()
    raise _refused(
        file_name,
        _("The file is neither UTF-8 nor GBK text nor xlsx; save it as xlsx or as CSV in UTF-8."),
        "unknown_encoding",
    )


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1  # type: ignore[attr-defined]


def _read_xlsx(content: bytes, file_name: str) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            unpacked = sum(item.file_size for item in package.infolist())
            names = package.namelist()
    except zipfile.BadZipFile as error:
        raise _refused(file_name, _("The xlsx file is damaged."), "damaged") from error
    if unpacked > MAXIMUM_UNPACKED_BYTES:
        raise _refused(
            file_name,
            _("Unpacked, the file is larger than %(n)d MB.") % {"n": MAXIMUM_UNPACKED_BYTES // 1024 // 1024},
            "too_large",
        )
    if not any(name.startswith("xl/") for name in names):
        raise _refused(
            file_name,
            _("This is a packed file or a document, not a spreadsheet: choose an .xlsx or CSV file."),
            "not_a_table",
        )
    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        sheet = workbook.worksheets[0]
        remarks = (
            (_("The file has several sheets; only the first, “%(name)s”, was read.") % {"name": sheet.title},)
            if len(workbook.worksheets) > 1
            else ()
        )
        sheet.reset_dimensions()  # some programs write a wrong size
        rows = (
            (number, [_cell_text(cell) for cell in row[:MAXIMUM_COLUMNS]])
            for number, row in enumerate(sheet.iter_rows(), start=1)
        )
        return _table("xlsx", file_name, rows, remarks=remarks)
    except RuleBroken:
        raise
    except (InvalidFileException, KeyError, ValueError, IndexError, OSError, SyntaxError, zipfile.BadZipFile) as error:
        raise _refused(file_name, _("The xlsx file is damaged."), "damaged") from error


def _cell_text(cell: object) -> str:
    value = getattr(cell, "value", None)
    if value is None:
        return ""
    if getattr(cell, "data_type", "") == "f":
        return Formula(str(value)[:LONGEST_CELL])
    match value:
        case bool():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return repr(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
        case time():
            return value.strftime("%H:%M")
    return str(value)


def _table(
    kind: str,
    file_name: str,
    numbered: Iterable[tuple[int, list[str]]],
    *,
    encoding: str = "",
    remarks: tuple[str, ...] = (),
) -> Table:
    headers: tuple[str, ...] | None = None
    rows: list[Row] = []
    for line, cells in numbered:
        filled = any(cell.strip() for cell in cells)
        if headers is None:
            if filled:
                headers = tuple(" ".join(cell.split())[:100] for cell in cells)
                while headers and not headers[-1]:
                    headers = headers[:-1]
            continue
        if filled:
            rows.append(Row(line, tuple(cells)))
        if len(rows) > MAXIMUM_ROWS:
            raise _refused(
                file_name, _("The file has more than %(n)d rows; split it.") % {"n": MAXIMUM_ROWS}, "too_many_rows"
            )
    if headers is None or len(headers) > MAXIMUM_COLUMNS:
        raise _refused(file_name, _("The file has no header line that can be read."), "no_header")
    if not rows:
        raise _refused(file_name, _("The file has a header but no rows."), "no_rows")
    return Table(kind, headers, tuple(rows), encoding, remarks)


def _refused(file_name: str, reason: str, code: str) -> RuleBroken:
    return RuleBroken.at("file", file_name[:100], reason, code)
