"""What an import did, row by row, and the rows that go back to whoever sent them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from yizhan.places.spreadsheets import safe_csv_cell, text_workbook

from .table import Table

_LONGEST_RETURNED_CELL = 200


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Flag(StrEnum):
    """What is remarkable about a row that went in. `DOUBTS` keep a place a draft until someone has looked."""

    OUTSIDE_STATED_DISTRICT = "outside_stated_district"
    MISPLACED = "misplaced"
    NEAR_ANOTHER = "near_another"
    FUNCTIONAL_ZONE = "functional_zone"
    UNKNOWN_DISTRICT = "unknown_district"
    VAGUE_HOURS = "vague_hours"
    UNKNOWN_OFFER = "unknown_offer"
    CLOSED_PLACE = "closed_place"


DOUBTS = frozenset({Flag.OUTSIDE_STATED_DISTRICT, Flag.MISPLACED})

FLAG_LABELS = {
    Flag.OUTSIDE_STATED_DISTRICT: gettext_lazy("outside the stated district"),
    Flag.MISPLACED: gettext_lazy("looks misplaced"),
    Flag.NEAR_ANOTHER: gettext_lazy("within 50 m of another place"),
    Flag.FUNCTIONAL_ZONE: gettext_lazy("functional zone without an outline"),
    Flag.UNKNOWN_DISTRICT: gettext_lazy("unknown district"),
    Flag.VAGUE_HOURS: gettext_lazy("hours without times"),
    Flag.UNKNOWN_OFFER: gettext_lazy("unknown offer"),
    Flag.CLOSED_PLACE: gettext_lazy("closed place left alone"),
}
OUTCOME_LABELS = {
    Outcome.CREATED: gettext_lazy("new"),
    Outcome.CHANGED: gettext_lazy("changed"),
    Outcome.UNCHANGED: gettext_lazy("unchanged"),
    Outcome.REFUSED: pgettext_lazy("row", "refused"),
}


@dataclass(slots=True)
class RowReport:
    """One row: its line in the file, its name, what became of it, why not, and what is remarkable."""

    line: int
    name: str
    outcome: Outcome = Outcome.CREATED
    reasons: list[str] = field(default_factory=list)
    flags: dict[Flag, str] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Say why the row cannot go in."""
        self.outcome = Outcome.REFUSED
        self.reasons.append(reason)

    @property
    def is_doubtful(self) -> bool:
        """Whether someone should look before everyone sees the place."""
        return not DOUBTS.isdisjoint(self.flags)

    @property
    def outcome_label(self) -> str:
        return str(OUTCOME_LABELS[self.outcome])


@dataclass(slots=True)
class ImportReport:
    """What an import did, or in a dry run would do."""

    file_name: str
    table: Table
    rows: list[RowReport]
    remarks: list[str]
    dry_run: bool
    published: int = 0
    already_imported_at: datetime | None = None

    def count(self, outcome: Outcome) -> int:
        """How many rows ended so."""
        return sum(row.outcome is outcome for row in self.rows)

    @property
    def refused(self) -> list[RowReport]:
        return [row for row in self.rows if row.outcome is Outcome.REFUSED]

    @property
    def flagged(self) -> list[RowReport]:
        return [row for row in self.rows if row.flags and row.outcome is not Outcome.REFUSED]

    def flag_counts(self) -> dict[Flag, int]:
        """How many rows that went in carry each flag."""
        counts = Counter(flag for row in self.flagged for flag in row.flags)
        return {flag: counts[flag] for flag in Flag if counts[flag]}

    def outcome_counts(self) -> list[tuple[str, int]]:
        """Every outcome with its label and count, for pages."""
        return [(str(OUTCOME_LABELS[outcome]), self.count(outcome)) for outcome in Outcome]

    def flag_summary(self) -> list[tuple[str, int]]:
        """Every flag that occurs with its label and count, for pages."""
        return [(str(FLAG_LABELS[flag]), count) for flag, count in self.flag_counts().items()]


def rejected_rows_file(report: ImportReport) -> bytes:
    """The refused rows as a file of the kind that came, with their line numbers and the reasons as two more columns."""
    reasons = {row.line: "; ".join(row.reasons) for row in report.refused}
    width = len(report.table.headers)
    lines: list[Sequence[str]] = [[*report.table.headers, _("Line"), _("Reason")]]
    for row in report.table.rows:
        if row.line in reasons:
            cells = [_shortened(cell) for cell in row.cells[:width]]
            cells += [""] * (width - len(cells))
            lines.append([*cells, str(row.line), reasons[row.line]])
    if report.table.kind == "xlsx":
        return text_workbook(lines)
    text = io.StringIO()
    csv.writer(text).writerows([safe_csv_cell(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")


def _shortened(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_RETURNED_CELL else f"{cell[:_LONGEST_RETURNED_CELL]}…"
