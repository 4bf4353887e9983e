"""One task on the desk: what it says, how far it is, what proves it, and where it is passed down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from yizhan.cases.forms.ledger import (
    ChangeTaskForm,
    EvidenceForm,
    MilestoneForm,
    OfferForm,
    PassForm,
    ProgressForm,
    initial_of,
)
from yizhan.cases.ledger import queries, sheet
from yizhan.cases.models import HandOverState, Task, TaskPass
from yizhan.cases.models.ledger import MOST_LEVELS
from yizhan.cases.outreach_rights import CHANGE_LEDGER, VIEW_LEDGER
from yizhan.cases.services import ledger as services
from yizhan.cases.services import task_passes
from yizhan.cases.visits.queries import visits
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .links import told


@require_safe
@desk_page(VIEW_LEDGER)
def task(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One task."""
    return _page(request, task_of(request, public_id))


@require_POST
@desk_page(CHANGE_LEDGER)
def change(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change what it says."""
    found = task_of(request, public_id)
    form = ChangeTaskForm(request.POST, union=found.union, prefix="change")
    if form.is_valid():
        try:
            services.change_task(actor=request.staff, task=found, facts=form.facts(), seen=form.cleaned_data["seen"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The task was changed."))
            return redirect(found)
    return _page(request, found, change_form=form, status=422)


@require_POST
@desk_page(CHANGE_LEDGER)
def progress(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Say how far it is."""
    found = task_of(request, public_id)
    form = ProgressForm(request.POST, task=found, rolls_up=queries.row_of(found, for_staff=request.staff).has_parts)
    if form.is_valid():
        try:
            services.tell_progress(actor=request.staff, task=found, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The progress was kept; the tasks above follow."))
            return redirect(found)
    return _page(request, found, progress_form=form, status=422)


@require_POST
@desk_page(CHANGE_LEDGER)
def pass_down(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Offer it to lower unions, or take an offer back."""
    found = task_of(request, public_id)
    if withdrawn := request.POST.get("withdraw"):
        offer = next((each for each in queries.passes_of(found) if str(each.public_id) == withdrawn), None)
        if offer is None:
            raise Http404
        told(
            request,
            lambda: task_passes.withdraw_task(actor=request.staff, offer=offer),
            _("The offer was taken back."),
        )
        return redirect(found)
    form = PassForm(request.POST, union=found.union, prefix="pass")
    if form.is_valid():
        try:
            made = task_passes.pass_down(actor=request.staff, task=found, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(
                request, _("Offered to %(n)d unions; each owns its part once it accepts.") % {"n": len(made)}
            )
            return redirect(found)
    return _page(request, found, pass_form=form, status=422)


@require_POST
@desk_page(CHANGE_LEDGER)
def answer_offer(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Accept a task from above, or refuse it with a reason."""
    offers = TaskPass.objects.filter(to_union__path__startswith=request.staff.union.path)
    offer: TaskPass = get_object_or_404(offers.select_related("to_union", "task__union"), public_id=public_id)
    form = OfferForm(request.POST, union=offer.to_union)
    if not form.is_valid():
        messages.error(request, _("Choose who is responsible, or nobody yet."))
        return redirect("cases:ledger")
    said = form.cleaned_data
    if request.POST.get("step") == "accept":
        told(
            request,
            lambda: task_passes.accept_task(actor=request.staff, offer=offer, responsible=said["responsible"]),
            _("Your union has the task now."),
        )
    elif request.POST.get("step") == "refuse":
        told(
            request,
            lambda: task_passes.refuse_task(actor=request.staff, offer=offer, answer=said["answer"]),
            _("Refused; the union above reads your reason."),
        )
    else:
        messages.error(request, _("Choose what to do."))
    return redirect("cases:ledger")


@require_POST
@desk_page(CHANGE_LEDGER)
def milestones(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Add a step on the way, or say that one was reached."""
    found = task_of(request, public_id)
    if reached := request.POST.get("reached"):
        step = next((each for each in found.milestones.all() if str(each.public_id) == reached), None)
        if step is None:
            raise Http404
        told(
            request,
            lambda: services.reach_milestone(actor=request.staff, milestone=step),
            _("The milestone is reached."),
        )
        return redirect(found)
    form = MilestoneForm(request.POST, prefix="step")
    if form.is_valid():
        said = form.cleaned_data
        told(
            request,
            lambda: services.add_milestone(actor=request.staff, task=found, **said),
            _("The milestone was added."),
        )
        return redirect(found)
    return _page(request, found, step_form=form, status=422)


@require_POST
@desk_page(CHANGE_LEDGER)
def evidence(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Add what proves the progress."""
    found = task_of(request, public_id)
    form = EvidenceForm(request.POST, request.FILES, prefix="proof")
    if form.is_valid():
        said = form.cleaned_data
        visit = visits(for_staff=request.staff).filter(public_id=said["visit"]).first() if said["visit"] else None
        try:
            if said["visit"] and visit is None:
                raise RuleBroken.at("visit", str(said["visit"]), _("There is no such visit here."), "unknown")
            services.add_evidence(
                actor=request.staff,
                task=found,
                title=said["title"],
                visit=visit,
                picture=said["photo"].read() if said["photo"] else None,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The evidence was added."))
            return redirect(found)
    return _page(request, found, proof_form=form, status=422)


@require_safe
@desk_page(VIEW_LEDGER)
def proof(request: StaffRequest, public_id: UUID, proof_id: UUID) -> HttpResponseBase:
    """The picture of a piece of evidence."""
    found = task_of(request, public_id)
    kept = next((each for each in found.evidence.all() if each.public_id == proof_id and each.file), None)
    if kept is None:
        raise Http404
    response = FileResponse(kept.file.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response


def task_of(request: StaffRequest, public_id: UUID) -> Task:
    """A task of the acting union and below, or 404."""
    found: Task = get_object_or_404(queries.tasks(for_staff=request.staff), public_id=public_id)
    return found


def _page(request: StaffRequest, found: Task, *, status: int = 200, **bound: Any) -> HttpResponseBase:
    row = queries.row_of(found, for_staff=request.staff)
    may_change = policy.allows(request.staff, CHANGE_LEDGER, found.union) and not found.list.project.is_closed
    may_pass = may_change and found.level < MOST_LEVELS and found.state == "open"
    forms = {
        "change_form": ChangeTaskForm(initial=initial_of(found), union=found.union, prefix="change"),
        "progress_form": ProgressForm(task=found, rolls_up=row.has_parts),
        "pass_form": PassForm(union=found.union, prefix="pass", initial={"deadline": found.deadline}),
        "step_form": MilestoneForm(prefix="step"),
        "proof_form": EvidenceForm(prefix="proof"),
    } | bound
    return render(
        request,
        "cases/ledger/task.html",
        {
            "task": found,
            "row": row,
            "state_words": sheet.state_words(row),
            "parts": queries.parts_of(found, for_staff=request.staff),
            "passes": [(offer, offer.state == HandOverState.PENDING) for offer in queries.passes_of(found)],
            "may_change": may_change,
            "may_pass": may_pass,
            "wrong": list(bound),
            **forms,
        },
        status=status,
    )
