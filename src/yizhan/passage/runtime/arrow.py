"""Reads a batch of pings from an Arrow IPC stream, column by column.

Bytes from outside are checked before anything follows an offset in them: compressed messages are refused, for a small
one may unfold to any size, and every column is validated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .decoding import MAX_NAME, Batch, BatchRefused, Columns, judged_columns, parse_datum
from .names import Names

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_ROWS = 1_000_000
COLUMNS = {
    "vehicle": "utf8, an integer, or a dictionary of these",
    "time": "a timestamp with a time zone, or int64 milliseconds since 1970 (UTC)",
    "lon": "float64 or float32",
    "lat": "float64 or float32",
    "accuracy_m": "float64 or float32 (optional)",
}
_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2  # Message.fbs, MessageHeader


def read_arrow(body: bytes, *, now_ms: int, datum: str | None = None) -> Batch:
    """Read an Arrow IPC stream with the columns `COLUMNS`.

    Args:
        now_ms: the present, milliseconds since 1970: rows far from it are rejected.
        datum: of all positions; without it, the schema's metadata must say `datum`.

    Raises:
        BatchRefused: too big, no Arrow stream, compressed, no datum, or a column is missing or of another type.
    """
    read = read_columns(body)
    known = parse_datum(datum or read.said_datum)
    return judged_columns(read.names, read.columns, read.wrong, datum=known, now_ms=now_ms)


@dataclass(frozen=True, slots=True)
class ArrowColumns:
    """What a stream holds, before anybody judged times and places.

    Attributes:
        wrong: rows that have no vehicle or no time, by the code of the rule.
        said_datum: as the schema's metadata says it; empty where it does not.
    """

    names: Names
    columns: Columns
    wrong: dict[str, NDArray[np.bool_]]
    said_datum: str


def read_columns(body: bytes) -> ArrowColumns:
    """Read the columns `COLUMNS` of an Arrow IPC stream.

    Raises:
        BatchRefused: too big, no Arrow stream, compressed, or a column is missing or of another type.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BatchRefused("too_big", f"the body has {len(body)} bytes: at most {MAX_BODY_BYTES}", status=413)
    try:
        table = _table(pa.py_buffer(body))
    except (pa.ArrowException, OSError, ValueError, IndexError, OverflowError) as broken:
        raise BatchRefused("not_arrow", f"the body is not an Arrow IPC stream: {str(broken)[:120]}") from broken
    said = (table.schema.metadata or {}).get(b"datum", b"").decode(errors="replace")
    names, no_name = _names(_column(table, "vehicle"))
    time_ms, no_time = _time_ms(_column(table, "time"))
    given = np.zeros(len(table), np.bool_)
    accuracy = np.full(len(table), np.nan)
    if "accuracy_m" in table.column_names:
        column = _column(table, "accuracy_m")
        accuracy, given = _reals(column, "accuracy_m"), np.asarray(column.is_valid())
    columns = Columns(
        time_ms, _reals(_column(table, "lon"), "lon"), _reals(_column(table, "lat"), "lat"), accuracy, given
    )
    return ArrowColumns(names, columns, {"vehicle": no_name, "time": no_time}, said)


def _table(body: Any) -> Any:
    for message in pa.ipc.MessageReader.open_stream(body):
        if _is_compressed(message.metadata.to_pybytes()):
            raise BatchRefused("compressed", "send the stream without compression of its buffers", status=415)
    with pa.ipc.open_stream(body) as reader:
        wanted = [name for name in reader.schema.names if name in COLUMNS]
        if len(set(wanted)) != len(wanted):
            raise BatchRefused("column", "each column must be there once")
        batches, rows = [], 0
        for batch in reader:
            rows += batch.num_rows
            if rows > MAX_ROWS:
                raise BatchRefused("too_many", f"more than {MAX_ROWS} rows in one batch", status=413)
            batch = batch.select(wanted)
            batch.validate(full=True)
            batches.append(batch)
        schema = pa.schema([reader.schema.field(name) for name in wanted], metadata=reader.schema.metadata)
    return pa.Table.from_batches(batches, schema)


def _column(table: Any, name: str) -> Any:
    if name not in table.column_names:
        raise _wrong_column(name, "is missing")
    return table.column(name).combine_chunks()


def _wrong_column(name: str, what: str) -> BatchRefused:
    return BatchRefused("column", f"column {name} {what}: it must be {COLUMNS[name]}")


def _names(column: Any) -> tuple[Names, NDArray[np.bool_]]:
    """The vehicles' names, and which rows have none that is right."""
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        raise _wrong_column("vehicle", f"is {column.type}")
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    rows = np.asarray(coded.indices.fill_null(-1).cast(pa.int64()))
    values = coded.dictionary
    if len(values) > max(len(rows), 1) * 4:
        values, rows = _only_used(values, rows)
    right = np.asarray(values.is_valid())
    if not pa.types.is_integer(kind):
        length = np.asarray(pc.utf8_length(values).fill_null(0))
        right &= (length >= 1) & (length <= MAX_NAME)
    distinct = values.to_pylist()
    if pa.types.is_integer(kind):
        distinct = list(map(str, distinct))
    elif not right.all():
        distinct = [name if name is not None else "" for name in distinct]
    no_name = rows < 0
    if len(right) and not right.all():
        no_name |= ~right[rows]
    return Names(distinct, rows), no_name


def _only_used(values: Any, rows: NDArray[np.int64]) -> tuple[Any, NDArray[np.int64]]:
    """A dictionary without the words that no row uses: fleets send one of all their vehicles with a few rows."""
    used, index = np.unique(rows[rows >= 0], return_inverse=True)
    compact = np.full(len(rows), -1, np.int64)
    compact[rows >= 0] = index
    return values.take(pa.array(used)), compact


def _time_ms(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Milliseconds, and which rows have none that is right."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        try:
            options = pc.CastOptions(pa.timestamp("ms", tz=kind.tz), allow_time_truncate=True)
            column = column.cast(options=options).cast(pa.int64())
        except pa.ArrowException as broken:
            raise _wrong_column("time", "holds a moment beyond all measure") from broken
    elif not pa.types.is_int64(kind):
        raise _wrong_column("time", f"is {kind}")
    time_ms = np.asarray(column.fill_null(-1)).astype(np.int64, copy=False)
    return time_ms, (time_ms < 0) | (time_ms > 2**53)


def _reals(column: Any, name: str) -> NDArray[np.float64]:
    if not (pa.types.is_float64(column.type) or pa.types.is_float32(column.type)):
        raise _wrong_column(name, f"is {column.type}")
    return np.asarray(column.fill_null(float("nan"))).astype(np.float64, copy=False)


def _is_compressed(metadata: bytes) -> bool:
    """Whether a message compresses its buffers: table RecordBatch has its field 3, `compression` (Message.fbs)."""
    message = _u32(metadata, 0)
    header_type = _field(metadata, message, 1)
    header = _field(metadata, message, 2)
    if header_type is None or header is None or metadata[header_type] not in (_RECORD_BATCH, _DICTIONARY_BATCH):
        return False
    table = header + _u32(metadata, header)
    if metadata[header_type] == _DICTIONARY_BATCH:
        data = _field(metadata, table, 1)
        if data is None:
            return False
        table = data + _u32(metadata, data)
    return _field(metadata, table, 3) is not None


def _field(buffer: bytes, table: int, number: int) -> int | None:
    """Where a field of a FlatBuffers table lies; None where it is absent."""
    vtable = table - int.from_bytes(buffer[table : table + 4], "little", signed=True)
    entry = 4 + 2 * number
    if entry + 2 > int.from_bytes(buffer[vtable : vtable + 2], "little"):
        return None
    offset = int.from_bytes(buffer[vtable + entry : vtable + entry + 2], "little")
    return table + offset if offset else None


def _u32(buffer: bytes, at: int) -> int:
    return int.from_bytes(buffer[at : at + 4], "little")
