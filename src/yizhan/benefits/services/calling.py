"""The statement that redeems, asked of libpq itself.

Through psycopg's cursor the same statement cost this side twice as much, and this side is a good part of a redemption:
see the decision page on budgets in shares. Arguments go as text, since PostgreSQL knows the function's types; answers
come in binary, whose form depends on no setting of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakSet

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Connection, errors
from psycopg.pq import ExecStatus, Format, TransactionStatus

_NAME: Final = b"benefits_redeem"
_FIELDS: Final = (
    "outcome, reason, redemption, public_id, state, list_price, worker_share, merchant_share, day, redeemed"
)
_STATEMENT: Final = (
    f"SELECT {_FIELDS} FROM benefits_redeem($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"  # noqa: S608
).encode()
_DAY_ZERO: Final = date(2000, 1, 1).toordinal()
_MOMENT_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_prepared: WeakSet[Connection[Any]] = WeakSet()


class Answer(NamedTuple):
    """What `benefits_redeem` gives; None where it says nothing."""

    outcome: str
    reason: str
    redemption: int
    public_id: UUID
    state: str
    list_price: int
    worker_share: int
    merchant_share: int
    day: date
    redeemed: datetime


def ask(arguments: list[Any]) -> Answer:
    """Call the function once, in the transaction that runs or in one of its own.

    Raises:
        django.db.Error: as any other statement would.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        told = [None if value is None else _as_text(value) for value in arguments]
        is_pooled = bool(database.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))
        return _answer(database.connection, told, is_pooled=is_pooled)


def _answer(line: Connection[Any], told: list[bytes | None], *, is_pooled: bool) -> Answer:
    libpq = line.pgconn
    if not line.autocommit and libpq.transaction_status == TransactionStatus.IDLE:
        libpq.exec_(b"BEGIN")  # as psycopg does before a transaction's first statement
    if is_pooled:  # a pooler is between: the next transaction may meet another server process
        result = libpq.exec_params(_STATEMENT, told, result_format=Format.BINARY)
    else:
        if line not in _prepared:
            made = libpq.prepare(_NAME, _STATEMENT)
            if made.status != ExecStatus.COMMAND_OK:
                raise errors.error_from_result(made)
            _prepared.add(line)
        # None is NULL, as in exec_params; only its annotation forgot it.
        result = libpq.exec_prepared(_NAME, told, result_format=Format.BINARY)  # type: ignore[arg-type]
    if result.status != ExecStatus.TUPLES_OK:
        raise errors.error_from_result(result)
    values = (result.get_value(0, column) for column in range(len(_READ)))
    return Answer(*(None if value is None else read(value) for read, value in zip(_READ, values, strict=True)))  # type: ignore[arg-type]


def _as_text(value: Any) -> bytes:
    if value is True:
        return b"t"
    if value is False:
        return b"f"
    if isinstance(value, datetime):
        moment: datetime = value
        with suppress(OverflowError):  # within a day of year 1 or 9999: the database says what it thinks of it
            moment = moment.astimezone(UTC)
        return moment.isoformat().encode()
    text = str(value).encode()
    if b"\0" in text:
        raise errors.DataError("text in PostgreSQL cannot contain a NUL byte")
    return text


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _day(value: bytes) -> date:
    return date.fromordinal(_DAY_ZERO + _number(value))


def _moment(value: bytes) -> datetime:
    return _MOMENT_ZERO + timedelta(microseconds=_number(value))


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=value)


_READ: Final[tuple[Callable[[bytes], Any], ...]] = (
    bytes.decode,
    bytes.decode,
    _number,
    _uuid,
    bytes.decode,
    _number,
    _number,
    _number,
    _day,
    _moment,
)
