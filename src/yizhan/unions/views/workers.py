"""Workers on the desk: masked, and unmasked only for a reason that is kept."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from import_export.fields import Field

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import ListResource, spreadsheet
from yizhan.unions.filters import WorkerFilter
from yizhan.unions.forms import UnmaskForm
from yizhan.unions.models import Worker
from yizhan.unions.personal_data import show_phone
from yizhan.unions.queries import people as queries
from yizhan.unions.rights import SEE_WORKERS, UNMASK, policy
from yizhan.unions.services import workers as services


class WorkerResource(ListResource):
    """The list of workers as it is taken home: masked as on the screen."""

    union = Field(attribute="union__name", column_name=gettext_lazy("Union"))
    person = Field(attribute="user__name", column_name=pgettext_lazy("person", "Name"))
    phone = Field(attribute="user__masked_phone", column_name=gettext_lazy("Phone (masked)"))
    occupation = Field(column_name=gettext_lazy("Occupation"))
    platform_company = Field(attribute="platform_company", column_name=gettext_lazy("Platform or company"))
    membership = Field(column_name=gettext_lazy("Membership"))
    created_at = Field(attribute="created_at", column_name=gettext_lazy("Registered"))

    def dehydrate_occupation(self, worker: Worker) -> str:
        """In the reader's language."""
        return worker.get_occupation_display()

    def dehydrate_membership(self, worker: Worker) -> str:
        """In the reader's language."""
        return worker.get_membership_display()


@require_safe
@desk_page(SEE_WORKERS)
def workers(request: StaffRequest) -> HttpResponseBase:
    """Workers of the acting union and below; looking them through is recorded."""
    narrowed = WorkerFilter(request.GET, queryset=queries.workers(for_staff=request.staff))
    page = Paginator(narrowed.qs, 50).get_page(request.GET.get("page"))
    if page.object_list:
        record(
            request.staff,
            actions.WORKERS_LISTED,
            union=request.staff.union,
            details={"shown": len(page.object_list), "page": page.number},
        )
    return render(
        request,
        "unions/workers.html",
        {"filter": narrowed, "page": page, "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters)},
    )


@require_safe
@desk_page(SEE_WORKERS)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same list as a spreadsheet, masked."""
    narrowed = WorkerFilter(request.GET, queryset=queries.workers(for_staff=request.staff))
    response, count = spreadsheet(WorkerResource(), narrowed.qs, form=form, name="workers")
    record(request.staff, actions.WORKERS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response


@require_safe
@desk_page(SEE_WORKERS)
def worker(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One worker, masked."""
    return _show(request, _worker(request, public_id))


@require_POST
@never_cache
@desk_page(UNMASK)
def unmask(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One value in full, shown once; the act and its reason are kept."""
    found = _worker(request, public_id)
    form = UnmaskForm(request.POST)
    if not form.is_valid():
        return _show(request, found, problem=_("Say why you need to see it; the reason is kept."))
    field = form.cleaned_data["field"]
    try:
        value = services.unmask(actor=request.staff, worker=found, field=field, reason=form.cleaned_data["reason"])
    except RuleBroken as broken:
        return _show(request, found, problem=str(broken.problems[0].message))
    return _show(request, found, shown={field: show_phone(value) if field == "phone" else value})


def _worker(request: StaffRequest, public_id: UUID) -> Worker:
    found: Worker = get_object_or_404(queries.workers(for_staff=request.staff), public_id=public_id)
    return found


def _show(
    request: StaffRequest, found: Worker, *, shown: dict[str, str] | None = None, problem: str = ""
) -> HttpResponseBase:
    return render(
        request,
        "unions/worker.html",
        {
            "worker": found,
            "shown": shown or {},
            "problem": problem,
            "may_unmask": policy.allows(request.staff, UNMASK, found.union) if found.union else False,
        },
        status=422 if problem else 200,
    )
