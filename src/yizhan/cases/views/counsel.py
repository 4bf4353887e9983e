"""Rosters, the thread of a confidential case, and appointments: the desk's side and the worker's."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.counsel import BookForm, CaseMessageForm, HelperForm
from yizhan.cases.models import Appointment, AppointmentState, Case, Helper
from yizhan.cases.queries import counsel as queries
from yizhan.cases.queries.visible import case_for
from yizhan.cases.queries.worker import own_case
from yizhan.cases.rights import HANDLE_CASES
from yizhan.cases.services import counsel as services
from yizhan.cases.services.roster import save_helper
from yizhan.cases.wish_rights import MANAGE_ROSTER, VIEW_ROSTER
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, User
from yizhan.unions.queries.people import worker_of
from yizhan.unions.rights import policy


@require_safe
@desk_page(VIEW_ROSTER)
def roster(request: StaffRequest) -> HttpResponseBase:
    """Lawyers and mediators with their hours of duty, and appointments ahead of cases that the post may see."""
    found = list(queries.roster(for_staff=request.staff))
    context = {
        "helpers": found,
        "on_duty": queries.on_duty(found),
        "ahead": queries.agenda(for_staff=request.staff),
        "may_manage": policy.holds(request.staff, MANAGE_ROSTER),
    }
    return render(request, "cases/rights/roster.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_ROSTER)
def new_helper(request: StaffRequest) -> HttpResponseBase:
    """Put someone on the roster."""
    return _helper(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_ROSTER)
def helper(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change someone's duty."""
    return _helper(request, get_object_or_404(queries.roster(for_staff=request.staff), public_id=public_id))


def _helper(request: StaffRequest, found: Helper | None) -> HttpResponseBase:
    data = request.POST if request.method == "POST" else None
    form = HelperForm(data, union=request.staff.union, helper=found)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        post: Staff = found.post if found else told.pop("post")
        try:
            save_helper(post=post, actor=request.staff, helper=found, **told)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Saved."))
            return redirect("cases:roster")
    context = {"form": form, "helper": found}
    return render(request, "cases/rights/helper.html", context, status=422 if form.is_bound else 200)


def _secret_case(request: StaffRequest, public_id: UUID) -> Case:
    try:
        found = case_for(request.staff, public_id)
    except Case.DoesNotExist:
        raise Http404 from None
    if not found.is_confidential:
        raise Http404
    return found


def _context(case: Case, *, wrong: CaseMessageForm | None = None) -> dict[str, Any]:
    offers = []
    told = queries.appointments_of(case)
    ahead = next((one for one in told if one.state == AppointmentState.BOOKED), None)
    if case.is_open and ahead is None:
        for one in queries.helpers_for(case):
            slots = queries.slots_of(one, since=None) if one.place else []
            offers.append((one, BookForm(slots=slots, auto_id=f"b{one.pk}_%s") if slots else None))
    return {
        "case": case,
        "heading": case.heading,
        "form": wrong or CaseMessageForm(initial={"request_id": uuid4()}),
        "appointments": told,
        "ahead": ahead,
        "offers": offers,
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(HANDLE_CASES)
def talk(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The thread of a confidential case, and its appointments. That someone read it is recorded."""
    case = _secret_case(request, public_id)
    wrong = None
    if request.method == "POST":
        wrong = CaseMessageForm(request.POST)
        if wrong.is_valid():
            try:
                services.write_message(case, actor=request.staff, **wrong.cleaned_data)
            except RuleBroken as broken:
                broken.show_on(wrong)
            else:
                return redirect("cases:talk", public_id=public_id)
    thread = services.read_messages(case, reader=request.staff)
    context = {**_context(case, wrong=wrong), "thread": thread}
    return render(request, "cases/rights/talk.html", context, status=422 if wrong else 200)


@require_POST
@desk_page(HANDLE_CASES)
def book(request: StaffRequest, public_id: UUID, helper_id: UUID) -> HttpResponseBase:
    """Book for the worker."""
    _book(request, _secret_case(request, public_id), helper_id, request.staff)
    return redirect("cases:talk", public_id=public_id)


@require_POST
@desk_page(HANDLE_CASES)
def end(request: StaffRequest, public_id: UUID, appointment_id: UUID) -> HttpResponseBase:
    """Cancel an appointment, or say whether it took place."""
    _end(request, _secret_case(request, public_id), appointment_id, request.staff)
    return redirect("cases:talk", public_id=public_id)


def _own(request: HttpRequest, public_id: UUID) -> Case:
    worker = worker_of(request.user) if isinstance(request.user, User) else None
    if worker is None:
        raise Http404
    try:
        found = own_case(worker, public_id)
    except Case.DoesNotExist:
        raise Http404 from None
    if not found.is_confidential:
        raise Http404
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def own_talk(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The worker's side of the thread, and appointments."""
    case = _own(request, public_id)
    wrong = None
    if request.method == "POST":
        wrong = CaseMessageForm(request.POST)
        if wrong.is_valid():
            try:
                services.write_message(case, **wrong.cleaned_data)
            except RuleBroken as broken:
                broken.show_on(wrong)
            else:
                return redirect("cases:own_talk", public_id=public_id)
    context = {**_context(case, wrong=wrong), "thread": services.read_messages(case)}
    return render(request, "cases/rights/own_talk.html", context, status=422 if wrong else 200)


@require_POST
@login_required
def own_book(request: HttpRequest, public_id: UUID, helper_id: UUID) -> HttpResponseBase:
    """The worker books."""
    _book(request, _own(request, public_id), helper_id, None)
    return redirect("cases:own_talk", public_id=public_id)


@require_POST
@login_required
def own_end(request: HttpRequest, public_id: UUID, appointment_id: UUID) -> HttpResponseBase:
    """The worker cancels."""
    _end(request, _own(request, public_id), appointment_id, None)
    return redirect("cases:own_talk", public_id=public_id)


def _book(request: HttpRequest, case: Case, helper_id: UUID, actor: Staff | None) -> None:
    found = get_object_or_404(queries.helpers_for(case), public_id=helper_id)
    form = BookForm(request.POST, slots=queries.slots_of(found))
    if not form.is_valid():
        messages.error(request, _("This time is taken or not on duty; choose another."))
        return
    try:
        services.book_appointment(
            case, helper=found, starts_at=form.starts_at, actor=actor, words=form.cleaned_data["words"]
        )
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("Booked."))


def _end(request: HttpRequest, case: Case, appointment_id: UUID, actor: Staff | None) -> None:
    try:
        found = queries.appointment_of(case, appointment_id)
    except Appointment.DoesNotExist:
        raise Http404 from None
    state = request.POST.get("state", AppointmentState.CANCELLED)
    if state not in AppointmentState.values:
        raise Http404
    try:
        services.end_appointment(found, state=AppointmentState(state), actor=actor)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("Written down."))
