"""The one form that all benchmarks share.

    uv run python -m benchmarks.NAME [--quick] [--json]

A benchmark yields rows; a row is one case with our figure, the figures of peers measured in the same run, and the limit
of this machine where one was measured. `--json` prints them as one object in the last line, else they come as a table.
A peer that is not installed or not reachable is named as missing, never guessed.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case.

    Attributes:
        case: a stable name.
        unit: what the figures count, such as `pings/s`; higher is better.
        ours: our figure; None where it could not be measured, for which `note` says why.
        peers: the figures of others, by name, in the same unit.
        limit: what this machine allows at best, in the same unit, measured in the same run.
        missing: peers that were not measured, and why.
        note: what a reader must know to read the figures right.
    """

    case: str
    unit: str
    ours: float | None
    peers: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def machine() -> str:
    """Processor, cores and versions; nothing that names the host."""
    parts = [_processor(), f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    for package in ("numpy", "numba"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"{package} missing")
    return ", ".join(parts)


def per_second(work: Callable[[], Any], amount: int, *, repeats: int = 5) -> float:
    """Median rate of `work`, which handles `amount` things at a call; one call before warms it up."""
    work()
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        rates.append(amount / (time.perf_counter() - start))
    return statistics.median(rates)


def as_json(name: str, rows: Iterable[Row]) -> str:
    """The object that `--json` prints, on one line."""
    return json.dumps(
        {
            "name": name,
            "machine": machine(),
            "rows": [
                {
                    "case": row.case,
                    "unit": row.unit,
                    "ours": _plain(row.ours),
                    "peers": {peer: _plain(figure) for peer, figure in row.peers.items()},
                    "limit": _plain(row.limit),
                }
                for row in rows
            ],
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def as_table(name: str, rows: list[Row]) -> Table:
    """The same for people: how many times each peer's figure ours is, and what share of the limit."""
    table = Table(title=f"{name}: {machine()}", title_justify="left")
    for heading, justify in (("case", "left"), ("unit", "left"), ("ours", "right"), ("limit", "right")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    table.add_column("peers (ours is so many times)")
    for row in rows:
        limit = "" if row.limit is None else figure(row.limit)
        if row.limit and row.ours:
            limit += f" ({row.ours / row.limit:.0%})"
        peers = [
            f"{peer} {figure(theirs)}" + (f" (× {row.ours / theirs:.1f})" if row.ours and theirs else "")
            for peer, theirs in row.peers.items()
        ]
        peers += [f"{peer} missing: {why}" for peer, why in row.missing.items()]
        ours = "not measured" if row.ours is None else figure(row.ours)
        table.add_row(row.case, row.unit, ours, limit, "\n".join(peers))
    return table


def figure(value: float) -> str:
    """A figure to three digits, with its thousands: 63.2 M, 4.51 k, 0.87."""
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def main(name: str, measure: Callable[[bool], Iterable[Row]], argv: list[str] | None = None) -> None:
    """Run a benchmark from the command line; `measure` is told whether to be quick."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=measure.__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, done within 40 seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args(argv)
    rows = list(measure(options.quick))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160)
    if not options.json:
        console.print(as_table(name, rows))
    for row in rows:
        if row.note:
            print(f"{row.case}: {row.note}")
    if options.json:
        for row in rows:
            for peer, why in row.missing.items():
                print(f"{row.case}: {peer} missing: {why}")
        print(as_json(name, rows))


def _plain(value: float | None) -> float | None:
    return None if value is None else float(f"{float(value):.6g}")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
