"""The ledger as offices print it: 任务分解台账 with a title, ruled columns and a header on every page."""

from __future__ import annotations

import io
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from yizhan.cases.models import TaskState
from yizhan.places.spreadsheets import LONGEST_CELL

from .queries import Row, Tree
from .rollup import DONE

# These are the columns' names in the field; the import knows them, whatever the reader's language is.
COLUMNS: tuple[tuple[str, int], ...] = (
    ("序号", 7),
    ("清单", 14),
    ("任务", 36),
    ("衡量标准", 22),
    ("责任单位", 18),
    ("责任人", 10),
    ("完成时限", 12),
    ("目标数", 9),
    ("完成数", 9),
    ("计量单位", 9),
    ("进度", 8),
    ("状态", 9),
    ("进展", 30),
    ("里程碑", 26),
    ("佐证", 26),
    ("备注", 16),
)
HEADERS = tuple(name for name, _width in COLUMNS)
_CENTRED = {"序号", "责任人", "完成时限", "目标数", "完成数", "计量单位", "进度", "状态"}
_TITLE_ROWS = 2


def state_words(row: Row) -> str:
    """A row's state in words: late stands before under way."""
    if row.progress.state == DONE:
        return _("Done")
    if row.task.state == TaskState.CANCELLED:
        return _("Called off")
    return _("Late") if row.is_late else _("Under way")


def cells_of(row: Row) -> tuple[str | int, ...]:
    """A row's cells in the order of `COLUMNS`."""
    task, progress = row.task, row.progress
    steps = [f"{step.title}({step.done_on or step.due_on}{'√' if step.done_on else ''})" for step in row.milestones]
    proofs = [proof.title for proof in row.evidence]
    if len(progress.visits) > len({proof.visit_id for proof in row.evidence if proof.visit_id}):
        proofs.append(_("%(n)d visits below, each once") % {"n": len(progress.visits)})
    return (
        row.number,
        task.list.name,
        task.title,
        task.measure,
        task.union.name,
        row.responsible_name,
        task.deadline.isoformat() if task.deadline else "",
        progress.target if progress.target is not None else "",
        progress.done_count if progress.target is not None else "",
        task.unit,
        f"{progress.percent}%",
        state_words(row),
        task.progress_words,
        "；".join(steps),
        "；".join(proofs),
        task.note,
    )


def workbook_of(tree: Tree, *, union_name: str) -> bytes:
    """The xlsx: a title line, who made it and when, the header, a row a task; A4 across, the header on every page."""
    workbook = Workbook()
    sheet: Worksheet = workbook.active
    sheet.title = "任务分解台账"
    last = get_column_letter(len(COLUMNS))
    sheet.merge_cells(f"A1:{last}1")
    sheet.merge_cells(f"A2:{last}2")
    _write(sheet, 1, 1, f"{tree.project.name}任务分解台账", font=Font(size=16, bold=True), centred=True)
    said = f"填报单位：{union_name}    填报日期：{timezone.localdate():%Y-%m-%d}    任务：{len(tree.rows)} 项"
    _write(sheet, 2, 1, said)
    line = Side(style="thin", color="808080")
    ruled = Border(left=line, right=line, top=line, bottom=line)
    shade = PatternFill("solid", start_color="EDEFF1")
    for number, (name, width) in enumerate(COLUMNS, start=1):
        cell = _write(sheet, _TITLE_ROWS + 1, number, name, font=Font(bold=True), centred=True)
        cell.border, cell.fill = ruled, shade
        sheet.column_dimensions[get_column_letter(number)].width = width
    for position, row in enumerate(tree.rows, start=_TITLE_ROWS + 2):
        for number, value in enumerate(cells_of(row), start=1):
            name = HEADERS[number - 1]
            cell = _write(sheet, position, number, value, centred=name in _CENTRED)
            cell.border = ruled
    _set_up_the_page(sheet, last)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def empty_form(project_name: str) -> bytes:
    """The same form without rows, to fill in and import."""
    workbook = Workbook()
    sheet: Worksheet = workbook.active
    sheet.title = "任务分解台账"
    last = get_column_letter(len(COLUMNS))
    sheet.merge_cells(f"A1:{last}1")
    _write(sheet, 1, 1, f"{project_name}任务分解台账", font=Font(size=16, bold=True), centred=True)
    for number, (name, width) in enumerate(COLUMNS, start=1):
        _write(sheet, _TITLE_ROWS + 1, number, name, font=Font(bold=True), centred=True)
        sheet.column_dimensions[get_column_letter(number)].width = width
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _write(
    sheet: Worksheet, row: int, column: int, value: str | int, *, font: Font | None = None, centred: bool = False
) -> Cell:
    cell: Cell = sheet.cell(row=row, column=column)
    if isinstance(value, str):
        # Never a formula, whatever someone wrote into a task.
        cell.value = "".join(letter for letter in value if letter.isprintable() or letter == "\n")[:LONGEST_CELL]
        cell.data_type = "s"
    else:
        cell.value = value
    cell.alignment = Alignment(
        horizontal="center" if centred else "left", vertical="center" if centred else "top", wrap_text=True
    )
    if font:
        cell.font = font
    return cell


def _set_up_the_page(sheet: Worksheet, last: str) -> None:
    header = _TITLE_ROWS + 1
    sheet.freeze_panes = f"D{header + 1}"
    sheet.auto_filter.ref = f"A{header}:{last}{max(sheet.max_row, header)}"
    sheet.print_title_rows = f"{header}:{header}"
    sheet.page_setup.orientation = sheet.ORIENTATION_LANDSCAPE
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页 共 &N 页"


def columns_of(headers: Sequence[str]) -> dict[str, int]:
    """Which column holds what, by our own names: only those that were found."""
    known = {name: position for position, name in enumerate(headers)}
    found = {}
    for name, others in SYNONYMS.items():
        for each in (name, *others):
            if each in known:
                found[name] = known[each]
                break
    return found


# What offices call the same columns.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "序号": ("编号", "No", "No."),
    "清单": ("清单名称", "所属清单", "类别", "list"),
    "任务": ("任务内容", "工作任务", "任务名称", "重点任务", "具体任务", "task"),
    "衡量标准": ("工作标准", "目标要求", "完成标准", "measure"),
    "责任单位": ("牵头单位", "承办单位", "责任部门", "union"),
    "责任人": ("责任人员", "负责人", "联系人", "responsible"),
    "完成时限": ("完成时间", "截止时间", "截止日期", "时限", "deadline"),
    "目标数": ("目标", "任务数", "目标值", "target"),
    "完成数": ("已完成", "完成情况数", "done"),
    "计量单位": ("单位(计量)", "量词", "unit"),
    "进度": ("完成率", "完成进度", "percent"),
    "进展": ("进展情况", "工作进展", "完成情况", "progress"),
    "里程碑": ("节点", "时间节点", "阶段目标", "milestones"),
    "备注": ("说明", "note"),
}
