"""Taking cases down on the desk: on behalf of someone, from the hotline, from a list, from a report."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from yizhan.cases.forms.imports import ImportForm
from yizhan.cases.forms.intake import HotlineForm, KindForm
from yizhan.cases.kinds import kinds_of
from yizhan.cases.models import CaseSource
from yizhan.cases.queries.people import unions_around
from yizhan.cases.rights import ENTER_CASES, IMPORT_CASES
from yizhan.cases.services.importing import import_cases, refused_rows_file
from yizhan.cases.services.intake import submit_case
from yizhan.cases.services.reports import case_from_report
from yizhan.places.models import Report
from yizhan.places.reports.queries import reports
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union, Worker
from yizhan.unions.queries.people import matching, workers
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import policy


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(ENTER_CASES)
def enter(request: StaffRequest) -> HttpResponseBase:
    """On behalf of someone who came by or called."""
    return _enter(request, CaseSource.CADRE)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(ENTER_CASES)
def hotline(request: StaffRequest) -> HttpResponseBase:
    """What 12351 handed on."""
    return _enter(request, CaseSource.HOTLINE)


def _enter(request: StaffRequest, source: CaseSource) -> HttpResponseBase:
    kinds = kinds_of(request.staff.union)
    kind = kinds.get(request.GET.get("kind", "need")) or kinds["need"]
    status, union_text = 200, request.POST.get("union", "")
    sheet = HotlineForm if source == CaseSource.HOTLINE else KindForm
    problem = ""
    if request.method == "POST":
        form = sheet(request.POST, request.FILES, kind=kind, contact=True, lenient=True, documents=True)
        status = 422
        try:
            union = _union_of(request, union_text)
            if form.is_valid():
                worker = _worker_of(request, form.cleaned_data["contact_phone"])
                made = submit_case(
                    form.facts(),
                    union=union,
                    source=source,
                    actor=request.staff,
                    worker=worker,
                    request_id=form.cleaned_data["request_id"],
                    files=form.given(),
                    lenient=True,
                    at=form.cleaned_data.get("called_at"),
                )
                messages.success(request, _("Taken down: %(number)s.") % {"number": made.number})
                return redirect(made.get_absolute_url())
        except RuleBroken as broken:
            if any(item.field == "union" for item in broken.problems):
                problem = str(broken.problems[0].message)
            elif form.is_bound and hasattr(form, "cleaned_data"):
                form.show(broken)
    else:
        form = sheet(initial={"request_id": uuid4()}, kind=kind, contact=True, lenient=True, documents=True)
    context = {
        "form": form, "kinds": kinds.values(), "kind": kind, "source": source, "union": union_text,
        "union_problem": problem, "unions": unions_around(request.staff.union),
        "is_hotline": source == CaseSource.HOTLINE,
    }  # fmt: skip
    return render(request, "cases/enter.html", context, status=status)


def _union_of(request: StaffRequest, text: str) -> Union:
    return union_called(text, field="union") if text.strip() else request.staff.union


def _worker_of(request: StaffRequest, phone: str) -> Worker | None:
    """The worker of this number among those that the post may see; so the case stands among their own."""
    if not phone.strip():
        return None
    return matching(workers(for_staff=request.staff), phone).first()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(IMPORT_CASES)
def bring(request: StaffRequest) -> HttpResponseBase:
    """A list as xlsx or CSV: good rows go in, the others come back with the reasons."""
    form = ImportForm(request.POST or None, request.FILES or None)
    report = None
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            report = import_cases(
                upload.read(), file_name=upload.name, union=request.staff.union, actor=request.staff,
                kind=form.cleaned_data["kind"],
            )  # fmt: skip
            status = 200
        except RuleBroken as broken:
            broken.show_on(form)
    if report is not None and report.refused and "back" in request.POST:
        response = HttpResponse(
            refused_rows_file(report),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )
        response["Content-Disposition"] = 'attachment; filename="refused-cases.xlsx"'
        response["Cache-Control"] = "no-store"
        return response
    return render(request, "cases/import.html", {"form": form, "report": report}, status=status)


@require_POST
@desk_page(ENTER_CASES)
def from_report(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Make a case of a report about a station in one step; the second time it leads to the same case."""
    found = reports(for_staff=request.staff).filter(public_id=public_id).first()
    if not isinstance(found, Report):
        raise Http404
    policy.require(request.staff, ENTER_CASES, found.place.union)
    made = case_from_report(found, actor=request.staff)
    messages.success(request, _("The report is case %(number)s now.") % {"number": made.number})
    return redirect(made.get_absolute_url())
