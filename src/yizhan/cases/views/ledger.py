"""The task ledger on the desk: projects, the tree of one, its sheet."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases import outreach_actions as actions
from yizhan.cases.forms.ledger import ImportForm, ListForm, ProjectForm, TaskForm
from yizhan.cases.ledger import queries, sheet
from yizhan.cases.models import Project
from yizhan.cases.outreach_rights import CHANGE_LEDGER, VIEW_LEDGER
from yizhan.cases.services import ledger as services
from yizhan.cases.services.ledger_import import LedgerImport, import_tasks
from yizhan.places import uploads
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .links import told

_PER_PAGE = 20
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@desk_page(VIEW_LEDGER)
def ledger(request: StaffRequest) -> HttpResponseBase:
    """Projects, and what was passed down from above and waits for an answer."""
    staff = request.staff
    page = Paginator(queries.projects(for_staff=staff), _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "cases/ledger/list.html",
        {
            "page": page,
            "standings": queries.standings(list(page), for_staff=staff),
            "offers": [
                (offer, offer.to_union_id == staff.union_id or policy.allows(staff, CHANGE_LEDGER, offer.to_union))
                for offer in queries.offers(for_staff=staff)[:50]
            ],
            "staff": staff,
            "may_change": policy.holds(staff, CHANGE_LEDGER),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_LEDGER)
def new_project(request: StaffRequest) -> HttpResponseBase:
    """Begin a project of the acting union."""
    form = ProjectForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.make_project(actor=request.staff, union=request.staff.union, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return redirect(made)
    return render(request, "cases/ledger/new_project.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@desk_page(VIEW_LEDGER)
def project(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The tree of a project, with rolled-up progress."""
    return _page(request, project_of(request, public_id))


@require_safe
@desk_page(VIEW_LEDGER)
def print_view(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The ledger as it is printed."""
    found = project_of(request, public_id)
    tree = queries.tree(found, for_staff=request.staff)
    context = {
        "tree": tree,
        "headers": sheet.HEADERS,
        "rows": [sheet.cells_of(row) for row in tree.rows],
        "staff": request.staff,
        "today": timezone.localdate(),
    }
    return render(request, "cases/ledger/print.html", context)


@require_safe
@desk_page(VIEW_LEDGER)
@transaction.atomic
def export(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The ledger as xlsx, in the form that offices use; that it was taken home is recorded."""
    found = project_of(request, public_id)
    tree = queries.tree(found, for_staff=request.staff)
    content = sheet.workbook_of(tree, union_name=request.staff.union.name)
    details = {"rows": len(tree.rows), "form": "xlsx"}
    record(request.staff, actions.LEDGER_EXPORTED, union=request.staff.union, target=found, details=details)
    response = _xlsx(content, f"{found.name}任务分解台账-{timezone.localdate():%Y%m%d}.xlsx")
    response["X-Row-Count"] = str(len(tree.rows))
    return response


@require_safe
@desk_page(VIEW_LEDGER)
def empty_sheet(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The same form without rows, to fill in."""
    found = project_of(request, public_id)
    return _xlsx(sheet.empty_form(found.name), f"{found.name}任务分解台账（空表）.xlsx")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_LEDGER)
def import_sheet(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Read tasks from a sheet: first what would happen, then for real."""
    found = project_of(request, public_id)
    policy.require(request.staff, CHANGE_LEDGER, found.union)
    form = ImportForm(request.POST or None, request.FILES or None)
    report: LedgerImport | None = None
    token, status = "", 200
    try:
        if request.method == "POST" and (kept := request.POST.get("token")):
            upload = uploads.fetch(kept, owner=request.staff)
            default_list = request.POST.get("default_list", "")[:120]
            report = _read(request, found, upload.content, upload.file_name, default_list, dry_run=False)
        elif request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            default_list = form.cleaned_data["default_list"]
            upload = uploads.keep(file.read(), file_name=file.name, owner=request.staff)
            report = _read(request, found, upload.content, upload.file_name, default_list, dry_run=True)
            token = upload.token
        elif request.method == "POST":
            status = 422
    except RuleBroken as broken:
        for problem in broken.problems:
            messages.error(request, str(problem.message))
        status = 422
    if report and not report.dry_run:
        messages.success(request, _("%(n)d tasks were added.") % {"n": report.count("added")})
    context = {
        "project": found,
        "form": form,
        "report": report,
        "token": token,
        "default_list": form.cleaned_data.get("default_list", "") if form.is_bound and form.is_valid() else "",
        "counts": [(word, report.count(word)) for word in ("added", "changed", "same", "skipped", "refused")]
        if report
        else [],
    }
    return render(request, "cases/ledger/import.html", context, status=status)


def _read(
    request: StaffRequest, found: Project, content: bytes, file_name: str, default_list: str, *, dry_run: bool
) -> LedgerImport:
    return import_tasks(
        actor=request.staff,
        project=found,
        content=content,
        file_name=file_name,
        default_list=default_list,
        dry_run=dry_run,
    )


@require_POST
@desk_page(CHANGE_LEDGER)
def add_list(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One more list."""
    found = project_of(request, public_id)
    form = ListForm(request.POST)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    told(
        request,
        lambda: services.make_list(actor=request.staff, project=found, name=name),
        _("The list was added."),
    )
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_LEDGER)
def new_task(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One more task in a list."""
    found = project_of(request, public_id)
    policy.require(request.staff, CHANGE_LEDGER, found.union)
    lists = queries.lists_of(found)
    wanted = request.POST.get("list") or request.GET.get("list") or ""
    chosen = next((each for each in lists if str(each.public_id) == wanted), lists[0] if lists else None)
    form = TaskForm(request.POST if request.method == "POST" else None, union=found.union)
    if request.method == "POST" and form.is_valid():
        try:
            if chosen is None:
                chosen = services.make_list(actor=request.staff, project=found, name=_("Tasks"))
            made = services.make_task(actor=request.staff, task_list=chosen, facts=form.facts())
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The task was added."))
            return redirect(made)
    context = {"project": found, "form": form, "lists": lists, "chosen": chosen}
    return render(request, "cases/ledger/new_task.html", context, status=422 if form.is_bound else 200)


@require_POST
@desk_page(CHANGE_LEDGER)
def set_state(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Close a project, or open it again."""
    found = project_of(request, public_id)
    closed = request.POST.get("closed") == "yes"
    told(
        request,
        lambda: services.close_project(actor=request.staff, project=found, is_closed=closed),
        _("The project is closed.") if closed else _("The project is open."),
    )
    return redirect(found)


def project_of(request: StaffRequest, public_id: UUID) -> Project:
    """A project in which the acting union has something, or 404."""
    found: Project = get_object_or_404(queries.projects(for_staff=request.staff), public_id=public_id)
    return found


def _page(request: StaffRequest, found: Project) -> HttpResponseBase:
    tree = queries.tree(found, for_staff=request.staff)
    return render(
        request,
        "cases/ledger/project.html",
        {
            "project": found,
            "tree": tree,
            "rows": [(row, sheet.state_words(row)) for row in tree.rows],
            "lists": queries.lists_of(found),
            "list_form": ListForm(),
            "may_change": policy.allows(request.staff, CHANGE_LEDGER, found.union),
        },
    )


def _xlsx(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=_XLSX)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    response["Cache-Control"] = "no-store"
    return response
