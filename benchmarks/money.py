"""How quickly redemptions are settled, compared and taken home, and in how much memory.

A fresh database on `DATABASE_URL` (else the embedded server); it is created and dropped. All is simulated: redemptions
and their ledger entries are written by SQL. Each export runs in a process of its own, so that its peak of memory is its
own; the note says the peak for all rows beside that for a tenth of them. The peer writes a tenth of the rows by
openpyxl's write-only mode.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.redeem import Town, database
from benchmarks.report import Row, main

FORMS = ("csv", "xlsx", "parquet")

_REDEMPTIONS = """
INSERT INTO benefits_redemption (public_id, device, request_id, programme_id, offer_id, place_id, union_id,
       worker_id, channel, offline, state, reason, day, redeemed_at, recorded_at, list_price_fen, worker_fen,
       merchant_fen, funded_fen, charged_shards, charged_fen, ended_reason)
SELECT gen_random_uuid(), 'bench', gen_random_uuid(), o.programme_id, o.id, o.place_id, p.union_id,
       (%(riders)s::bigint[])[1 + n %% %(many)s], 'code', false, 'redeemed', '',
       (%(start)s::timestamptz + n * interval '1 second')::date, %(start)s::timestamptz + n * interval '1 second',
       %(start)s::timestamptz + n * interval '1 second', 1500, 900, 200, 400, '{}', '{}', ''
  FROM generate_series(0, %(rows)s - 1) n
  JOIN benefits_benefitoffer o ON o.id = (%(offers)s::bigint[])[1 + n %% 16]
  JOIN benefits_programme p ON p.id = o.programme_id
"""
_BOOKED = """
INSERT INTO benefits_ledgertransaction (kind, programme_id, union_id, redemption_id, memo, happened_at, posted_at)
SELECT 'redeemed', programme_id, union_id, id, '', redeemed_at, recorded_at FROM benefits_redemption
"""
_ENTRIES = """
INSERT INTO benefits_entry (transaction_id, account_id, fen)
SELECT t.id, s.account_id, -s.fen FROM benefits_ledgertransaction t JOIN benefits_redemption r ON r.id = t.redemption_id
  JOIN benefits_offershare s ON s.offer_id = r.offer_id
UNION ALL
SELECT t.id, o.merchant_account_id, r.list_price_fen FROM benefits_ledgertransaction t
  JOIN benefits_redemption r ON r.id = t.redemption_id JOIN benefits_benefitoffer o ON o.id = r.offer_id
"""


def measure(quick: bool) -> Iterator[Row]:
    """Exports, cut-off and reconciliation; a million redemptions, quickly twenty thousand."""
    rows = 20_000 if quick else 1_000_000
    with database() as town, tempfile.TemporaryDirectory() as folder:
        _make(town, rows)
        address = _address()
        for form in FORMS:
            part = _child(address, folder, form, rows // 10)
            whole = _child(address, folder, form, rows)
            peers = {"openpyxl write-only": _openpyxl(address, folder, rows // 10)} if form == "xlsx" else {}
            yield Row(
                case=f"export-{form}",
                unit="rows/s",
                ours=whole["rows"] / whole["seconds"],
                peers=peers,
                note=(
                    f"{whole['rows']:,} rows in {whole['seconds']:.1f} s, {whole['bytes'] / 1e6:.0f} MB; "
                    f"peak RSS {whole['peak_mb']:.0f} MB, "
                    f"for a tenth {part['peak_mb']:.0f} MB, before the first row {whole['idle_mb']:.0f} MB"
                ),
            )
        yield from _settled(rows)


def _settled(rows: int) -> Iterator[Row]:
    from django.utils import timezone

    from yizhan.benefits.services import reconciliation, settlement
    from yizhan.unions.models import Union
    from yizhan.unions.rights import OPERATOR

    union = Union.objects.get(name="模拟总工会")
    later = timezone.now() + timedelta(days=2)
    began = time.perf_counter()
    settlement.cut_off(union, actor=OPERATOR, at=later)
    yield Row(
        case="cut-off",
        unit="redemptions/s",
        ours=rows / (time.perf_counter() - began),
        note="lines written and checked",
    )
    began = time.perf_counter()
    made = reconciliation.reconcile(union, at=later)
    note = f"{made.differences} differences in {made.redemptions:,} redemptions"
    yield Row(case="reconcile", unit="redemptions/s", ours=rows / (time.perf_counter() - began), note=note)


def _make(town: Town, rows: int) -> None:
    from django.db import connection
    from django.utils import timezone

    start = timezone.now() - timedelta(seconds=rows + 60)
    values = {"riders": town.riders, "many": len(town.riders), "start": start, "rows": rows, "offers": town.spread}
    with connection.cursor() as cursor:
        # Written as a restore would be: without triggers, since what they hold is not what is measured here.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_REDEMPTIONS, values)
        cursor.execute(_BOOKED)
        cursor.execute(_ENTRIES)
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in ("redemption", "ledgertransaction", "entry", "statementline"):
            cursor.execute(f"ANALYZE benefits_{table}")


def _address() -> str:
    from django.db import connection

    connection.ensure_connection()
    info = connection.connection.info
    user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    return f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"


def _child(address: str, folder: str, form: str, rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.money", "--child", form, str(rows), str(Path(folder) / f"out.{form}")]
    done = subprocess.run(
        command, env={**os.environ, "DATABASE_URL": address}, check=True, capture_output=True, text=True
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _openpyxl(address: str, folder: str, rows: int) -> float:
    told = _child(address, folder, "openpyxl", rows)
    return float(told["rows"] / told["seconds"])


def _cell(value: Any) -> Any:
    if hasattr(value, "tzinfo"):
        return value.replace(tzinfo=None)
    return value if isinstance(value, int) else str(value)


def child(form: str, rows: int, path: str) -> None:
    """One export in this process; prints what it took as one line of JSON."""
    import django

    django.setup()
    from yizhan.benefits.exports.redemptions import COLUMNS, rows_of
    from yizhan.benefits.exports.writers import WRITERS
    from yizhan.benefits.models import Redemption

    found = Redemption.objects.with_scopes_disabled()
    if rows < found.count():
        found = found.filter(pk__lte=found.order_by("pk")[rows - 1 : rows].get().pk)
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if form == "openpyxl":
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        count = 0
        for count, row in enumerate(rows_of(found), start=1):  # noqa: B007 - the last number counts them
            sheet.append([_cell(value) for value in row])
        book.save(path)
    else:
        count = WRITERS[form](COLUMNS, rows_of(found), Path(path))
    told = {
        "rows": count,
        "seconds": time.perf_counter() - began,
        "bytes": Path(path).stat().st_size,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "idle_mb": idle / 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main("money", measure)
