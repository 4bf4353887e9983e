"""Cases from a spreadsheet: good rows go in, the others come back with reasons. The same row again changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from yizhan.cases.actions import CASES_IMPORTED
from yizhan.cases.facts import CaseFacts
from yizhan.cases.kinds import house_kinds, kind_of
from yizhan.cases.models import Case, CaseSource
from yizhan.cases.rights import IMPORT_CASES
from yizhan.places.importing.table import Formula, Row, Table, read_table
from yizhan.places.spreadsheets import text_workbook
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.rights import policy

from .intake import submit_case
from .log import Actor

MOST_ROWS: Final = 5000
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_NAMESPACE: Final = UUID("5a3c7b0e-6c1e-4f5e-9d1c-0b6a7c1d2e3f")
# What a column may be called.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "kind": ("kind", "类别", "类型", "事项类别", "诉求类型"),
    "title": ("title", "标题", "事项", "主题"),
    "text": ("text", "内容", "诉求内容", "问题描述", "诉求", "描述", "问题"),
    "address": ("address", "地址", "地点", "位置"),
    "contact_name": ("name", "姓名", "联系人", "反映人", "职工姓名"),
    "contact_phone": ("phone", "电话", "手机", "联系电话", "手机号"),
    "at": ("date", "时间", "日期", "受理时间", "登记时间", "反映时间"),
    "union": ("union", "工会", "所属工会", "承办工会", "单位"),
    "key": ("number", "编号", "工单号", "序号"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that did not go in, and why."""

    row: Row
    reasons: tuple[str, ...]


@dataclass(slots=True)
class ImportReport:
    """What became of a file."""

    table: Table
    made: list[Case] = field(default_factory=list)
    known: int = 0
    refused: list[Refused] = field(default_factory=list)


def import_cases(
    content: bytes, *, file_name: str, union: Union, actor: Actor, kind: str = "need", dry_run: bool = False
) -> ImportReport:
    """Take down the rows of a file.

    Each row is a transaction of its own. A row is known again by its number, else by everything it says.

    Args:
        union: Whose cases they are, unless a column names a union at or below it.
        kind: Of rows that do not say.
        dry_run: Only look; nothing is written.

    Raises:
        NotAllowed: `actor` may not import cases here.
        RuleBroken: the file cannot be read, or has no column for what is the matter.
    """
    policy.require(actor, IMPORT_CASES, union)
    table = read_table(content, file_name=file_name)
    columns = _columns(table)
    if "text" not in columns and "title" not in columns:
        raise RuleBroken.at(
            "file", file_name[:80], _("There is no column “内容” that says what is the matter."), "no_text"
        )
    if len(table.rows) > MOST_ROWS:
        raise RuleBroken.at(
            "file", file_name[:80], _("At most %(n)d rows at once.") % {"n": MOST_ROWS}, "too_many_rows"
        )
    below = {found.name: found for found in Union.objects.filter(path__startswith=union.path, is_active=True)}
    report = ImportReport(table)
    for row in table.rows:
        _take(row, columns, report, union=union, below=below, actor=actor, kind=kind, dry_run=dry_run)
    if not dry_run:
        details = {"rows": len(report.made), "name": file_name[:80]}
        record(actor, CASES_IMPORTED, union=union, details=details)
    return report


def _columns(table: Table) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, header in enumerate(table.headers):
        plain = header.strip().lower()
        for name, words in _COLUMNS.items():
            if plain in words and name not in found:
                found[name] = place
    return found


def _take(
    row: Row,
    columns: Mapping[str, int],
    report: ImportReport,
    *,
    union: Union,
    below: Mapping[str, Union],
    actor: Actor,
    kind: str,
    dry_run: bool,
) -> None:
    told = {name: row.cells[place].strip() for name, place in columns.items() if place < len(row.cells)}
    reasons: list[str] = []
    if any(isinstance(row.cells[place], Formula) for place in columns.values() if place < len(row.cells)):
        reasons.append(_("A cell holds a formula; its value cannot be trusted."))
    code = _kind(told.get("kind", ""), kind)
    if code is None:
        reasons.append(_("Unknown kind “%(kind)s”.") % {"kind": told.get("kind", "")[:20]})
    home = below.get(told["union"]) if told.get("union") else union
    if home is None:
        reasons.append(_("“%(union)s” is no union at or below yours.") % {"union": told.get("union", "")[:40]})
    at: datetime | None = None
    if told.get("at"):
        at = _moment(told["at"])
        if at is None:
            reasons.append(_("“%(date)s” is no date.") % {"date": told["at"][:30]})
    if reasons or code is None or home is None:
        report.refused.append(Refused(row, tuple(reasons)))
        return
    facts = CaseFacts(
        kind=code,
        title=told.get("title", "")[:60],
        text=told.get("text", "") or told.get("title", ""),
        address=told.get("address", ""),
        contact_name=told.get("contact_name", ""),
        contact_phone=told.get("contact_phone", ""),
    )
    request_id = _request_id(union, told)
    if Case.objects.with_scopes_disabled().filter(request_id=request_id).exists():
        report.known += 1
        return
    try:
        if dry_run:
            kind_of(code, home)
            return
        report.made.append(
            submit_case(
                facts, union=home, source=CaseSource.IMPORT, actor=actor, request_id=request_id, lenient=True, at=at
            )
        )
    except RuleBroken as broken:
        report.refused.append(Refused(row, tuple(str(problem.message) for problem in broken.problems)))


def _kind(text: str, otherwise: str) -> str | None:
    if not text:
        return otherwise
    for code, kind in house_kinds().items():
        if text.strip().lower() in {code, *(word.lower() for word in kind.label)}:
            return code
    return None


def _moment(text: str) -> datetime | None:
    plain = text.strip().replace("/", "-").replace("年", "-").replace("月", "-").replace("日", "").replace(".", "-")
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"):
        try:
            return datetime.strptime(plain, form).replace(tzinfo=_SHANGHAI)
        except ValueError:
            continue
    return None


def _request_id(union: Union, told: Mapping[str, str]) -> UUID:
    said = told.get("key") or "\0".join(f"{name}={told[name]}" for name in sorted(told))
    return uuid5(_NAMESPACE, f"{union.public_id}:{hashlib.sha256(said.encode()).hexdigest()}")


def refused_rows_file(report: ImportReport) -> bytes:
    """The rows that did not go in, as xlsx: their line, the reasons, and what they held."""
    lines: list[list[str | int]] = [[_("Line"), _("Reason"), *report.table.headers]]
    lines += [[item.row.line, " ".join(item.reasons), *map(str, item.row.cells)] for item in report.refused]
    return text_workbook(lines, title="refused")
