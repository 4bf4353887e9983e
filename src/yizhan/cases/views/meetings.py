"""Consultations on the desk: prepared, held, agreed, followed to the end; on paper and as a sheet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.meetings import AgreementForm, DecideForm, FollowForm, ItemForm, MeetingForm, PartyForm
from yizhan.cases.models import AgendaItem, ItemOutcome, Meeting, MeetingParty, MeetingState
from yizhan.cases.queries import meetings as queries
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.services import meetings as services
from yizhan.cases.wish_actions import MEETING_EXPORTED
from yizhan.cases.wish_rights import CHANGE_MEETINGS, VIEW_MEETINGS
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .links import told

_PER_PAGE = 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@desk_page(VIEW_MEETINGS)
def meetings(request: StaffRequest) -> HttpResponseBase:
    """Consultations of the acting union and below, latest first."""
    page = KeysFirst(queries.meetings(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "may_change": policy.holds(request.staff, CHANGE_MEETINGS)}
    return render(request, "cases/meetings/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_MEETINGS)
def new_meeting(request: StaffRequest) -> HttpResponseBase:
    """Plan one."""
    return _plan(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_MEETINGS)
def change_meeting(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change what is planned."""
    return _plan(request, _meeting(request, public_id))


def _plan(request: StaffRequest, found: Meeting | None) -> HttpResponseBase:
    union = found.union if found else request.staff.union
    form = MeetingForm(request.POST if request.method == "POST" else None, union=union, meeting=found)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.plan_meeting(union=union, actor=request.staff, meeting=found, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return redirect(made)
    context = {"form": form, "meeting": found}
    return render(request, "cases/meetings/form.html", context, status=422 if form.is_bound else 200)


def _meeting(request: StaffRequest, public_id: UUID) -> Meeting:
    found: Meeting = get_object_or_404(queries.meetings(for_staff=request.staff), public_id=public_id)
    return found


def _page(request: StaffRequest, found: Meeting, *, status: int = 200, **forms: Any) -> HttpResponseBase:
    staff, union = request.staff, found.union
    may_change = policy.allows(staff, CHANGE_MEETINGS, union) and found.state in {
        MeetingState.PLANNED,
        MeetingState.HELD,
    }
    items = queries.items_of(found)
    seen = set(
        visible_cases(staff, remembered=True)
        .filter(pk__in=[item.case_id for item in items if item.case_id])
        .values_list("pk", flat=True)
    )
    rows: list[dict[str, Any]] = []
    posts: Any = None  # asked once, however many items were agreed
    for item in items:
        agreed = item.outcome in {ItemOutcome.AGREED, ItemOutcome.PARTLY}
        follow = FollowForm(union=union, item=item) if may_change and agreed else None
        if follow is not None:
            field: Any = follow.fields["responsible"]
            posts = posts if posts is not None else list(field.choices)
            field.choices = posts
        rows.append(
            {
                "item": item,
                "may_open": item.case_id in seen,
                "decide": DecideForm(item=item) if may_change else None,
                "follow": follow,
            }
        )
    context = {
        "meeting": found,
        "rows": rows,
        "parties": queries.parties_of(found),
        "may_change": may_change,
        "party": PartyForm(auto_id="party_%s") if may_change else None,
        "new_item": ItemForm(staff=staff, meeting=found, auto_id="item_%s") if may_change else None,
        "agreement": AgreementForm(meeting=found) if may_change else None,
        **forms,
    }
    return render(request, "cases/meetings/meeting.html", context, status=status)


@require_safe
@desk_page(VIEW_MEETINGS)
def meeting(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One consultation: parties, agenda, agreement, what follows."""
    return _page(request, _meeting(request, public_id))


@require_POST
@desk_page(CHANGE_MEETINGS)
def step(request: StaffRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """Add a party or a matter, write down the agreement, close or call off."""
    found, staff = _meeting(request, public_id), request.staff
    form: Any
    match step:
        case "party":
            form = PartyForm(request.POST, auto_id="party_%s")
            if not form.is_valid():
                return _page(request, found, party=form, status=422)
            told(request, lambda: services.add_party(found, actor=staff, **form.cleaned_data), _("Added."))
        case "item":
            form = ItemForm(request.POST, staff=staff, meeting=found, auto_id="item_%s")
            if not form.is_valid():
                return _page(request, found, new_item=form, status=422)
            told(request, lambda: services.add_item(found, actor=staff, **form.cleaned_data), _("On the agenda."))
        case "agree":
            form = AgreementForm(request.POST, meeting=found)
            if not form.is_valid():
                return _page(request, found, agreement=form, status=422)
            try:
                services.record_agreement(found, actor=staff, **form.cleaned_data)
            except RuleBroken as broken:
                broken.show_on(form)
                return _page(request, found, agreement=form, status=422)
            messages.success(request, _("Written down."))
        case "close":
            told(request, lambda: services.close_meeting(found, actor=staff), _("Closed."))
        case "call-off":
            told(request, lambda: services.close_meeting(found, actor=staff, called_off=True), _("Called off."))
        case _:
            raise Http404
    return redirect(found)


@require_POST
@desk_page(CHANGE_MEETINGS)
def item_step(request: StaffRequest, public_id: UUID, item_id: UUID, step: str) -> HttpResponseBase:
    """What came of an item, or a task that follows from it."""
    found, staff = _meeting(request, public_id), request.staff
    try:
        item = queries.item_of(found, item_id)
    except AgendaItem.DoesNotExist:
        raise Http404 from None
    form: Any
    if step == "decide":
        form = DecideForm(request.POST, item=item)
    elif step == "follow":
        form = FollowForm(request.POST, union=found.union, item=item)
    else:
        raise Http404
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    elif step == "decide":
        told(request, lambda: services.decide_item(item, actor=staff, **form.cleaned_data), _("Written down."))
    else:
        told(request, lambda: services.follow_up(item, actor=staff, **form.cleaned_data), _("It is in the ledger."))
    return redirect(found)


@require_POST
@desk_page(CHANGE_MEETINGS)
def drop_party(request: StaffRequest, public_id: UUID, party_id: UUID) -> HttpResponseBase:
    """Take someone off the list."""
    found = _meeting(request, public_id)
    try:
        party = queries.party_of(found, party_id)
    except MeetingParty.DoesNotExist:
        raise Http404 from None
    told(request, lambda: services.remove_party(found, party=party, actor=request.staff), _("Removed."))
    return redirect(found)


@require_safe
@desk_page(VIEW_MEETINGS)
def print_view(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The consultation on paper."""
    found = _meeting(request, public_id)
    context = {
        "meeting": found,
        "headers": queries.HEADERS,
        "rows": queries.rows_of(queries.items_of(found)),
        "parties": queries.parties_of(found),
        "today": timezone.localdate(),
    }
    return render(request, "cases/meetings/print.html", context)


@require_safe
@desk_page(VIEW_MEETINGS)
@transaction.atomic
def export(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The consultation as an xlsx; that it was taken home is recorded."""
    found = _meeting(request, public_id)
    items = queries.items_of(found)
    content = queries.workbook_of(found, items, queries.parties_of(found))
    record(request.staff, MEETING_EXPORTED, union=found.union, target=found, details={"rows": len(items)})
    response = HttpResponse(content, content_type=_XLSX)
    response["Content-Disposition"] = content_disposition_header(True, f"{found.title}.xlsx") or "attachment"
    response["Cache-Control"] = "no-store"
    response["X-Row-Count"] = str(len(items))
    return response
