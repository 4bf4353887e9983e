"""Reading consultations, and as a sheet."""

from __future__ import annotations

import io
from typing import Final

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from yizhan.cases.models import AgendaItem, Case, FollowUp, Meeting, MeetingParty, TaskState
from yizhan.cases.models.case import OPEN_STATES
from yizhan.unions.exports import harmless
from yizhan.unions.models import Staff

from .pages import number_of
from .visible import visible_cases

# Columns as offices name them, whatever the reader's language is.
HEADERS: Final = ("序号", "议题", "来源", "诉求提案", "对方意见", "协商结果", "约定事项", "跟进任务", "完成情况")
_WIDTHS: Final = (6, 26, 18, 30, 30, 10, 34, 30, 14)


def meetings(*, for_staff: Staff) -> QuerySet[Meeting]:
    """Consultations of the acting union and below, latest first; `matters`, `tasks` and `tasks_done` count."""
    found: QuerySet[Meeting] = (
        Meeting.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("union", "chair__user", "chair__union", "project")
        .annotate(
            matters=number_of(AgendaItem, "meeting"),
            tasks=number_of(FollowUp, "item__meeting"),
            tasks_done=number_of(FollowUp, "item__meeting", Q(task__state=TaskState.DONE)),
        )
        .order_by("-starts_at", "-pk")
    )
    return found


def items_of(meeting: Meeting) -> list[AgendaItem]:
    """The agenda in its order, with what follows from each."""
    follow_ups = FollowUp.objects.with_scopes_disabled().select_related("task__union", "task__responsible__user")
    items = AgendaItem.objects.with_scopes_disabled().filter(meeting=meeting).select_related("case")
    return list(items.prefetch_related(Prefetch("follow_ups", queryset=follow_ups.order_by("pk"))).order_by("number"))


def item_of(meeting: Meeting, public_id: object) -> AgendaItem:
    """One item.

    Raises:
        AgendaItem.DoesNotExist: it is of another meeting, or there is none.
    """
    found: AgendaItem = (
        AgendaItem.objects.with_scopes_disabled().select_related("meeting").get(meeting=meeting, public_id=public_id)
    )
    return found


def parties_of(meeting: Meeting) -> list[MeetingParty]:
    """Who sits at the table, side by side."""
    found = MeetingParty.objects.with_scopes_disabled().filter(meeting=meeting)
    return list(found.order_by("side", "pk"))


def party_of(meeting: Meeting, public_id: object) -> MeetingParty:
    """One of them.

    Raises:
        MeetingParty.DoesNotExist: there is none.
    """
    found: MeetingParty = MeetingParty.objects.with_scopes_disabled().get(meeting=meeting, public_id=public_id)
    return found


def cases_for_agenda(meeting: Meeting, *, for_staff: Staff) -> QuerySet[Case]:
    """Open matters for consultation that the post may see and that are not on this agenda, oldest first."""
    found = visible_cases(for_staff, remembered=True).filter(
        kind="consultation", is_confidential=False, state__in=OPEN_STATES, union__path__startswith=meeting.union.path
    )
    on_it = AgendaItem.objects.with_scopes_disabled().filter(meeting=meeting, case__isnull=False)
    return found.exclude(pk__in=on_it.values("case")).order_by("submitted_at", "pk")


def rows_of(items: list[AgendaItem]) -> list[tuple[str | int, ...]]:
    """The agenda as cells, in the order of `HEADERS`."""
    rows: list[tuple[str | int, ...]] = []
    for item in items:
        tasks = [follow.task for follow in item.follow_ups.all()]
        done = sum(task.state == TaskState.DONE for task in tasks)
        rows.append(
            (
                item.number,
                item.title,
                item.case.number if item.case else "",
                item.proposal,
                item.reply,
                str(item.get_outcome_display()),
                item.result,
                "；".join(f"{task.title}{f'（{task.deadline}前）' if task.deadline else ''}" for task in tasks),
                f"{done}/{len(tasks)}" if tasks else "",
            )
        )
    return rows


def workbook_of(meeting: Meeting, items: list[AgendaItem], parties: list[MeetingParty]) -> bytes:
    """The consultation as an xlsx: who, what, what came of it, the agreement."""
    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise AssertionError
    sheet.title = "协商记录"
    when = timezone.localtime(meeting.starts_at)
    sheet.append([harmless(meeting.title)])
    sheet["A1"].font = Font(bold=True, size=16)
    sheet.append([harmless(f"{meeting.union.name}　{when:%Y-%m-%d %H:%M}　{meeting.where}")])
    sheet.append([])
    for party in parties:
        sheet.append([str(party.get_side_display()), harmless(party.body), harmless(party.person)])
    sheet.append([])
    sheet.append(list(HEADERS))
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for row in rows_of(items):
        sheet.append([harmless(value) for value in row])
        for cell in sheet[sheet.max_row]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    if meeting.agreement:
        sheet.append([])
        sheet.append([f"协议（{meeting.agreed_on}）"])
        for line in meeting.agreement.splitlines():
            sheet.append([harmless(line)])
    for number, width in enumerate(_WIDTHS):
        sheet.column_dimensions["ABCDEFGHI"[number]].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
