"""The keeper's inbox of reports, and the rules by which they are answered."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.places.actions import REPORTS_EXPORTED
from yizhan.places.forms.reports import AnswerForm, RulesForm, VerifyForm
from yizhan.places.models import EventKind, Report, ReportPhoto, ReportState
from yizhan.places.models.reports import RULE_LIMITS, UNANSWERED
from yizhan.places.reports import queries
from yizhan.places.reports.deadlines import last_day
from yizhan.places.reports.exports import ReportResource
from yizhan.places.reports.filters import ReportFilter
from yizhan.places.reports.rules import inherited_rules, own_rules, rules_of
from yizhan.places.rights import ANSWER_REPORTS, EXPORT_REPORTS, SET_REPORT_RULES, VERIFY_REPORTS, VIEW_REPORTS
from yizhan.places.services.report_log import life_now
from yizhan.places.services.report_rules import set_report_rules
from yizhan.places.services.reports import answer_report, verify_report
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

from .reports import photo_response

_PER_PAGE = 50
_TONES = {
    ReportState.OPEN: "warn",
    ReportState.PROMISED: "info",
    ReportState.FIXED: "info",
    ReportState.NOT_A_FAULT: "info",
    ReportState.SETTLED: "good",
    ReportState.WITHDRAWN: "neutral",
}
_HIDDEN_EVENTS = (EventKind.REMINDED, EventKind.ESCALATED)


@require_safe
@desk_page(VIEW_REPORTS)
def reports(request: StaffRequest) -> HttpResponseBase:
    """Reports about places of the acting union and below."""
    narrowed = ReportFilter(request.GET, queryset=queries.reports(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    rows = [
        {
            "report": report,
            "tone": _TONES[ReportState(report.state)],
            "until": last_day(report.due) if report.due else None,
            "is_overdue": report.due is not None and report.due <= now,
        }
        for report in page
    ]
    counts = queries.counts(for_staff=request.staff, at=now)
    return render(
        request,
        "places/reports/desk_list.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": rows,
            "counts": [
                ("overdue", _("Overdue"), counts.overdue),
                ("answer", _("An answer"), counts.unanswered),
                ("verification", _("Verification"), counts.to_verify),
                ("nothing", _("Nothing: closed"), counts.settled),
            ],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_export": policy.holds(request.staff, EXPORT_REPORTS),
            "may_set_rules": policy.holds(request.staff, SET_REPORT_RULES),
        },
    )


@require_safe
@desk_page(EXPORT_REPORTS)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    narrowed = ReportFilter(request.GET, queryset=queries.reports(for_staff=request.staff))
    response, count = spreadsheet(ReportResource(), queries.with_answers(narrowed.qs), form=form, name="reports")
    expected = narrowed.qs.count()
    if count != expected:
        msg = f"the export holds {count} of {expected} reports"
        raise RuntimeError(msg)
    record(request.staff, REPORTS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_safe
@desk_page(VIEW_REPORTS)
def report(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One report with all that happened."""
    found = _report_of(request, public_id)
    return _page(request, found, _answer_form(found), VerifyForm())


@require_POST
@desk_page(ANSWER_REPORTS)
def answer(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Answer it; what happened meanwhile is shown, not passed over."""
    found = _report_of(request, public_id)
    policy.require(request.staff, ANSWER_REPORTS, found.place.union)
    form = AnswerForm(request.POST, request.FILES)
    status = 422
    if form.is_valid():
        told = form.cleaned_data
        try:
            answer_report(
                found,
                answer=told["answer"],
                words=told["words"],
                until=told["until"],
                photo=form.photo_bytes(),
                seen=told["seen"],
                actor=request.staff,
            )
        except RuleBroken as broken:
            form.show(broken)
            if {problem.code for problem in broken.problems} & {"changed_meanwhile", "answered"}:
                status = 409
                told_again = request.POST.copy()
                told_again["seen"] = str(_seen(found))
                form.data = told_again
        else:
            messages.success(request, _("Your answer was sent to everyone who reported it."))
            return redirect("places:report", public_id)
    return _page(request, found, form, VerifyForm(), status=status)


@require_POST
@desk_page(VERIFY_REPORTS)
def verify(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Somebody of the union saw that the fault is gone."""
    found = _report_of(request, public_id)
    form = VerifyForm(request.POST)
    if form.is_valid():
        try:
            verify_report(found, words=form.cleaned_data["words"], actor=request.staff)
        except RuleBroken as broken:
            form.show(broken)
        else:
            messages.success(request, _("Verified. The report is settled."))
            return redirect("places:report", public_id)
    return _page(request, found, _answer_form(found), form, status=422)


@require_safe
@desk_page(VIEW_REPORTS)
def photo(request: StaffRequest, public_id: UUID, photo_id: UUID) -> HttpResponseBase:
    """A picture of a reporter or an answer."""
    try:
        return photo_response(queries.photo_of(_report_of(request, public_id), photo_id))
    except ReportPhoto.DoesNotExist:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(SET_REPORT_RULES)
def rules(request: StaffRequest) -> HttpResponseBase:
    """The acting union's own rules; what is left empty comes from above."""
    union = request.staff.union
    own = own_rules(union)
    form = RulesForm(request.POST if request.method == "POST" else None, initial=own, inherited=inherited_rules(union))
    if request.method == "POST" and form.is_valid():
        try:
            set_report_rules(union, {name: form.cleaned_data[name] for name in RULE_LIMITS}, actor=request.staff)
        except RuleBroken as broken:
            form.show(broken)
        else:
            messages.success(request, _("The rules hold for what is reported from now on."))
            return redirect("places:report_rules")
    return render(
        request,
        "places/reports/rules.html",
        {"form": form, "union": union, "rules": rules_of(union)},
        status=422 if form.is_bound else 200,
    )


def _report_of(request: StaffRequest, public_id: UUID) -> Report:
    found: Report = get_object_or_404(queries.reports(for_staff=request.staff), public_id=public_id)
    return found


def _answer_form(found: Report) -> AnswerForm:
    return AnswerForm(initial={"seen": _seen(found)})


def _seen(found: Report) -> int:
    return sum(event.kind not in _HIDDEN_EVENTS for event in queries.events_of(found))


def _page(
    request: StaffRequest, found: Report, form: AnswerForm, verify_form: VerifyForm, *, status: int = 200
) -> HttpResponseBase:
    found.refresh_from_db(fields=["state"])
    life = life_now(found)
    union = found.place.union
    answered = found.state in {ReportState.FIXED, ReportState.NOT_A_FAULT}
    return render(
        request,
        "places/reports/desk_report.html",
        {
            "report": found,
            "place": found.place,
            "tone": _TONES[ReportState(found.state)],
            "events": queries.events_of(found),
            "life": life,
            "until": last_day(life.due_at) if life.due_at else None,
            "is_overdue": life.is_overdue(timezone.now()),
            "may_answer": found.state in UNANSWERED and policy.allows(request.staff, ANSWER_REPORTS, union),
            "may_verify": answered and policy.allows(request.staff, VERIFY_REPORTS, union),
            "form": form,
            "verify_form": verify_form,
            "rules": rules_of(union),
        },
        status=status,
    )
