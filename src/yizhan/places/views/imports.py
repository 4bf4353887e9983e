"""Bringing a file of places: choose it, look at what would happen, confirm."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from yizhan.places.forms import ImportForm, MappingForm
from yizhan.places.importing import ImportReport, Outcome, guess_mapping, read_table, rejected_rows_file
from yizhan.places.models import PlaceKind
from yizhan.places.queries import desk as queries
from yizhan.places.rights import IMPORT_PLACES, PUBLISH_PLACES
from yizhan.places.rules import checked_datum
from yizhan.places.services import import_places
from yizhan.places.services.importing import offer_words
from yizhan.places.uploads import Upload, fetch, keep
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.rights import policy

_MOST_SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(IMPORT_PLACES)
def bring(request: StaffRequest) -> HttpResponseBase:
    """Choose a file; what would happen is shown next."""
    form = _form(request, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        choices = {
            "union": str(form.cleaned_data["union"].public_id),
            "datum": form.cleaned_data["datum"],
            "kind": form.cleaned_data["kind"],
            "publish": "on" if form.cleaned_data.get("publish") else "",
        }
        try:
            content = file.read()
            read_table(content, file_name=file.name or "")
            upload = keep(content, file_name=file.name or "", owner=request.staff)
            return _show(request, upload, choices, mapping_data=None)
        except RuleBroken as broken:
            for problem in broken.problems:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    return render(request, "places/import.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@desk_page(IMPORT_PLACES)
def preview(request: StaffRequest) -> HttpResponseBase:
    """Look again with other columns, or do it."""
    choices = {name: request.POST.get(name, "") for name in ("union", "datum", "kind", "publish")}
    try:
        upload = fetch(request.POST.get("token", ""), owner=request.staff)
        if request.POST.get("step") != "import":
            return _show(request, upload, choices, mapping_data=request.POST)
        report = _run(request, upload, choices, mapping_data=request.POST, dry_run=False)
    except RuleBroken as broken:
        for problem in broken.problems:
            messages.error(request, str(problem.message))
        return redirect("places:import")
    if report.already_imported_at is None:
        made = report.count(Outcome.CREATED) + report.count(Outcome.CHANGED)
        messages.success(request, ngettext("%(n)d place went in.", "%(n)d places went in.", made) % {"n": made})
    return render(
        request,
        "places/import_done.html",
        {"report": report, "token": upload.token, "choices": choices, "columns": _columns(request.POST)},
    )


@require_POST
@desk_page(IMPORT_PLACES)
def rejects(request: StaffRequest) -> HttpResponseBase:
    """The refused rows as a file of the kind that came, with line numbers and reasons."""
    choices = {name: request.POST.get(name, "") for name in ("union", "datum", "kind")}
    try:
        upload = fetch(request.POST.get("token", ""), owner=request.staff)
        report = _run(request, upload, choices, mapping_data=request.POST, dry_run=True)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
        return redirect("places:import")
    response = HttpResponse(
        rejected_rows_file(report),
        content_type="text/csv; charset=utf-8"
        if report.table.kind == "csv"
        else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    response["Content-Disposition"] = f'attachment; filename="refused-rows.{report.table.kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _show(request: StaffRequest, upload: Upload, choices: dict[str, str], *, mapping_data: Any) -> HttpResponseBase:
    """The preview: columns, what would happen, row by row. Columns that do not fit are said at the form."""
    table = read_table(upload.content, file_name=upload.file_name)
    words = offer_words(_union(request, choices["union"]))
    mapping = guess_mapping(table.headers, _datum(choices["datum"]), words)
    columns = MappingForm(mapping_data, headers=table.headers, mapping=mapping, words=words)
    report: ImportReport | None = None
    problems: list[str] = []
    try:
        report = _run(request, upload, choices, mapping_data=mapping_data, dry_run=True)
    except RuleBroken as broken:
        problems = [str(problem.message) for problem in broken.problems]
    rows = [row for row in report.rows if row.reasons or row.flags] if report else []
    return render(
        request,
        "places/import_preview.html",
        {
            "upload": upload,
            "choices": choices,
            "union": _union(request, choices["union"]),
            "kind": PlaceKind(choices["kind"]).label if choices["kind"] in PlaceKind.values else "",
            "columns": columns,
            "report": report,
            "problems": problems,
            "rows": rows[:_MOST_SHOWN],
            "more": max(0, len(rows) - _MOST_SHOWN),
            "going_in": report.count(Outcome.CREATED) + report.count(Outcome.CHANGED) if report else 0,
        },
        status=422 if problems else 200,
    )


def _run(
    request: StaffRequest, upload: Upload, choices: dict[str, str], *, mapping_data: Any, dry_run: bool
) -> ImportReport:
    mapping = None
    if mapping_data is not None:
        table = read_table(upload.content, file_name=upload.file_name)
        words = offer_words(_union(request, choices["union"]))
        columns = MappingForm(mapping_data, headers=table.headers, mapping={}, words=words)
        if not columns.is_valid():
            raise RuleBroken.at("columns", "", _("Choose the columns again."))
        mapping = columns.mapping()
    return import_places(
        upload.content,
        file_name=upload.file_name,
        union=_union(request, choices["union"]),
        actor=request.staff,
        datum=_datum(choices["datum"]),
        mapping=mapping,
        kind=choices["kind"],
        publish=bool(choices.get("publish")),
        dry_run=dry_run,
    )


def _form(request: StaffRequest, data: Any, files: Any) -> ImportForm:
    return ImportForm(
        data,
        files,
        unions=queries.unions_below(for_staff=request.staff),
        may_publish=policy.holds(request.staff, PUBLISH_PLACES),
    )


def _union(request: StaffRequest, public_id: str) -> Union:
    found = next(
        (union for union in queries.unions_below(for_staff=request.staff) if str(union.public_id) == public_id), None
    )
    if found is None:
        raise RuleBroken.at("union", public_id[:40], _("There is no such union below yours."), "unknown_union")
    return found


def _datum(text: str) -> Any:
    return None if text == "column" else checked_datum(text)


def _columns(data: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in data.items() if name.startswith("column-")]
