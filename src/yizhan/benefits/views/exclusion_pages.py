"""Pages about workers who are kept from programmes, and their appeals."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.benefits.forms.programmes import AnswerForm, ExclusionForm
from yizhan.benefits.models import AppealState, Exclusion
from yizhan.benefits.programme_filters import ExclusionFilter
from yizhan.benefits.queries import programmes as queries
from yizhan.benefits.rights import EXCLUDE_WORKERS
from yizhan.benefits.services.exclusions import answer_appeal, exclude, lift
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken


@require_safe
@desk_page(EXCLUDE_WORKERS)
def listed(request: StaffRequest) -> HttpResponseBase:
    """Who is kept from what, and who appeals."""
    narrowed = ExclusionFilter(request.GET, queryset=queries.exclusions(for_staff=request.staff))
    return render(
        request,
        "benefits/exclusions/list.html",
        {
            "filter": narrowed,
            "page": Paginator(narrowed.qs, 50).get_page(request.GET.get("page")),
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(EXCLUDE_WORKERS)
def new(request: StaffRequest) -> HttpResponseBase:
    """Keep a worker from programmes."""
    form = ExclusionForm(request.POST or None, programmes=queries.programmes(for_staff=request.staff))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        worker = queries.worker_called(given["worker"], for_staff=request.staff)
        try:
            if worker is None:
                message = _("No worker of your union, and nobody who redeemed in your programmes, is found by this.")
                raise RuleBroken.at("worker", None, message, "unknown")
            made = exclude(
                union=request.staff.union,
                programme=given["programme"],
                worker=worker,
                reason=given["reason"],
                until=given["until"],
                actor=request.staff,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The worker is kept from it from now on and reads your reason."))
            return redirect(made)
    return render(request, "benefits/exclusions/new.html", {"form": form})


@require_safe
@desk_page(EXCLUDE_WORKERS)
def shown(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One of them, with the appeal."""
    return _show(request, _exclusion(request, public_id))


@require_POST
@desk_page(EXCLUDE_WORKERS)
def lifted(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let the worker take part again."""
    found = lift(_exclusion(request, public_id), actor=request.staff)
    messages.success(request, _("The worker may take part again."))
    return redirect(found)


@require_POST
@desk_page(EXCLUDE_WORKERS)
def answered(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Grant or refuse an appeal."""
    found, form = _exclusion(request, public_id), AnswerForm(request.POST)
    if form.is_valid():
        try:
            grant = request.POST.get("decision") == "grant"
            answer_appeal(found, grant=grant, answer=form.cleaned_data["answer"], actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The worker reads your answer."))
            return redirect(found)
    return _show(request, found, form=form)


def _show(request: StaffRequest, found: Exclusion, *, form: AnswerForm | None = None) -> HttpResponseBase:
    waits = found.appeal_state == AppealState.WAITING
    return render(
        request,
        "benefits/exclusions/exclusion.html",
        {"exclusion": found, "form": (form or AnswerForm()) if waits else None},
    )


def _exclusion(request: StaffRequest, public_id: UUID) -> Exclusion:
    found: Exclusion = get_object_or_404(queries.exclusions(for_staff=request.staff), public_id=public_id)
    return found
