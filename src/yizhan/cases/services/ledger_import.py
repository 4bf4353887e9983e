"""Tasks from a spreadsheet in the form that offices use: good rows go in, the others come back with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases import outreach_actions as actions
from yizhan.cases.ledger.sheet import columns_of
from yizhan.cases.models import Project, Task, TaskList
from yizhan.cases.outreach_rights import CHANGE_LEDGER
from yizhan.places.importing import read_table
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import Operator, policy

from .ledger import TaskFacts, add_milestone, change_task, make_list, make_task, tell_progress
from .task_passes import pass_down

MOST_ROWS: Final = 2_000
_HEADER_WITHIN = 6  # lines: titles stand above the header
_DATE = re.compile(r"(\d{4})\D(\d{1,2})(?:\D(\d{1,2}))?\D*")
_STEP = re.compile(r"(.+?)[(（](.+?)[)）]")
_SPLIT = re.compile(r"[、,，;；/\n]+")


@dataclass(slots=True)
class ImportedRow:
    """What became of one line: `added`, `changed`, `same`, `refused` or `skipped`, and why."""

    line: int
    title: str
    outcome: str = "refused"
    reasons: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class LedgerImport:
    """A file's rows and what became of them; `dry_run`: nothing was written."""

    rows: list[ImportedRow]
    dry_run: bool

    def count(self, outcome: str) -> int:
        """How many rows came to this."""
        return sum(row.outcome == outcome for row in self.rows)


def import_tasks(
    *,
    actor: Staff | Operator,
    project: Project,
    content: bytes,
    file_name: str,
    default_list: str = "",
    dry_run: bool = False,
) -> LedgerImport:
    """Read tasks into a project; a task of the same list and title is changed, not doubled.

    Lower unions named as responsible are offered the task (they still have to accept); rows whose number has a dot are
    parts that roll up by themselves, and are skipped.

    Args:
        default_list: For rows that name no list; the first list of the project when empty.

    Raises:
        NotAllowed: the actor changes no ledger at the project's union.
        RuleBroken: the file cannot be read or has no column for the task.
    """
    policy.require(actor, CHANGE_LEDGER, project.union)
    lines = _lines(content, file_name)
    header, columns = _header(lines, file_name)
    rows = lines[header + 1 :]
    if len(rows) > MOST_ROWS:
        rule = _("The file has more than %(n)d rows; split it.") % {"n": MOST_ROWS}
        raise RuleBroken.at("file", file_name[:100], rule, "too_many_rows")
    report = LedgerImport([], dry_run)
    reader = _Reader(actor, project, columns, default_list)
    with transaction.atomic():
        for line, cells in rows:
            report.rows.append(reader.take(line, cells))
        counts = {"rows": len(report.rows), "name": file_name[:100]}
        record(actor, actions.LEDGER_IMPORTED, union=project.union, target=project, details=counts)
        transaction.set_rollback(dry_run)
    return report


class _Reader:
    def __init__(self, actor: Staff | Operator, project: Project, columns: dict[str, int], default_list: str) -> None:
        self.actor, self.project, self.columns = actor, project, columns
        lists = TaskList.objects.with_scopes_disabled().filter(project=project).order_by("order", "pk")
        first = lists.first()
        self.default_list = one_line(default_list) or (first.name if first else "任务清单")
        posts = Staff.objects.with_scopes_disabled().filter(union=project.union, is_active=True).select_related("user")
        self.posts = {post.user.name: post for post in posts}

    def take(self, line: int, cells: Sequence[str]) -> ImportedRow:
        """Write one row, or say why not."""
        row = ImportedRow(line, self._cell(cells, "任务")[:80])
        if "." in self._cell(cells, "序号").rstrip("."):
            row.outcome, row.reasons = "skipped", [_("A part: it rolls up from its own union.")]
            return row
        try:
            with transaction.atomic():
                row.outcome = self._write(cells, row)
        except RuleBroken as broken:
            row.outcome = "refused"
            row.reasons += [str(problem.message) for problem in broken.problems]
        return row

    def _write(self, cells: Sequence[str], row: ImportedRow) -> str:
        facts = self._facts(cells, row)
        lower = self._unions(cells)
        task_list = make_list(
            actor=self.actor, project=self.project, name=self._cell(cells, "清单") or self.default_list
        )
        standing: Task | None = (
            Task.objects.with_scopes_disabled()
            .filter(list=task_list, parent=None, title=facts.title)
            .order_by("pk")
            .first()
        )
        if standing is None:
            task = make_task(actor=self.actor, task_list=task_list, facts=facts)
            outcome = "added"
        else:
            task = change_task(actor=self.actor, task=standing, facts=facts, seen=standing.revision)
            outcome = "same" if task.revision == standing.revision else "changed"
        before = task.revision
        task = self._progress(cells, task)
        for title, day in self._steps(cells):
            add_milestone(actor=self.actor, task=task, title=title, due_on=day)
        if lower:
            pass_down(actor=self.actor, task=task, unions=lower)
        return "changed" if outcome == "same" and task.revision != before else outcome

    def _facts(self, cells: Sequence[str], row: ImportedRow) -> TaskFacts:
        name = self._cell(cells, "责任人")
        note = self._cell(cells, "备注")
        person = self.posts.get(name)
        if name and person is None:
            row.remarks.append(_("“%(name)s” holds no post here; the name stands in the remark.") % {"name": name[:20]})
            if name not in note:
                note = f"{note} 责任人：{name}".strip()
        number = self._cell(cells, "序号").rstrip(".、")
        return TaskFacts(
            title=self._cell(cells, "任务"),
            measure=self._cell(cells, "衡量标准"),
            deadline=_day(self._cell(cells, "完成时限"), "完成时限"),
            target=_number(self._cell(cells, "目标数"), "目标数"),
            unit=self._cell(cells, "计量单位"),
            note=note,
            responsible=person,
            number=int(number) if number.isdigit() and 0 < int(number) <= 32_000 else None,
        )

    def _progress(self, cells: Sequence[str], task: Task) -> Task:
        if Task.objects.with_scopes_disabled().filter(parent=task).exists():
            return task
        percent = _number(self._cell(cells, "进度").rstrip("%％"), "进度")
        return tell_progress(
            actor=self.actor,
            task=task,
            words=self._cell(cells, "进展"),
            percent=percent if task.target is None else None,
            done_count=_number(self._cell(cells, "完成数"), "完成数"),
        )

    def _unions(self, cells: Sequence[str]) -> list[Union]:
        own = self.project.union
        names = [name.strip() for name in _SPLIT.split(self._cell(cells, "责任单位")) if name.strip()]
        found = [union_called(name, field="责任单位", below=own) for name in names]
        return [union for union in found if union.pk != own.pk]

    def _steps(self, cells: Sequence[str]) -> list[tuple[str, date]]:
        steps = []
        for text in _SPLIT.split(self._cell(cells, "里程碑")):
            if not text.strip():
                continue
            found = _STEP.fullmatch(text.strip())
            if not found or (day := _day(found[2].rstrip("√"), "里程碑")) is None:
                rule = _("Write milestones as title(2026-12-31), one after the other.")
                raise RuleBroken.at("里程碑", text[:40], rule, "milestone")
            steps.append((found[1].strip(), day))
        return steps

    def _cell(self, cells: Sequence[str], name: str) -> str:
        position = self.columns.get(name)
        return one_line(cells[position]) if position is not None and position < len(cells) else ""


def _lines(content: bytes, file_name: str) -> list[tuple[int, Sequence[str]]]:
    table = read_table(content, file_name=file_name)
    return [(0, table.headers), *((row.line, row.cells) for row in table.rows)]


def _header(lines: Sequence[tuple[int, Sequence[str]]], file_name: str) -> tuple[int, dict[str, int]]:
    for position, (_line, cells) in enumerate(lines[:_HEADER_WITHIN]):
        columns = columns_of([one_line(cell) for cell in cells])
        if "任务" in columns:
            return position, columns
    rule = _("No column is called 任务 (or 任务内容, 工作任务) in the first lines.")
    raise RuleBroken.at("file", file_name[:100], rule, "no_task_column")


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    if found := _DATE.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        try:
            if found[3]:
                return date(year, month, int(found[3]))
            return _last_of_month(year, month)
        except ValueError:
            pass
    raise RuleBroken.at(name, text[:40], _("Write the day as 2026-12-31 or 2026年12月31日."), "not_a_day")


def _last_of_month(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def _number(text: str, name: str) -> int | None:
    cleaned = text.replace(",", "").replace("，", "")
    if not cleaned:
        return None
    if not cleaned.isdigit() or len(cleaned) > 9:
        raise RuleBroken.at(name, text[:40], _("Write a whole number."), "not_a_number")
    return int(cleaned)
