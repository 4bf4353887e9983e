"""The list of cases on the desk: narrowed, kept as filters, taken home, and many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from yizhan.cases.actions import CASES_EXPORTED
from yizhan.cases.clocks import is_provisional, last_day
from yizhan.cases.exports import CaseResource
from yizhan.cases.filters import WAITING, CaseFilter
from yizhan.cases.kinds import title_of
from yizhan.cases.models import Case, CaseState, SavedFilter
from yizhan.cases.queries import desk as queries
from yizhan.cases.queries.people import handlers_at
from yizhan.cases.queries.visible import sight_of, to_be_narrowed, visible_cases
from yizhan.cases.rights import ENTER_CASES, EXPORT_CASES, HANDLE_CASES, IMPORT_CASES, VIEW_CASES
from yizhan.cases.services import bulk as many
from yizhan.cases.services.kinds import forget_filter, save_filter
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy

TONES = {
    CaseState.SUBMITTED: "warn",
    CaseState.ACCEPTED: "info",
    CaseState.ASSIGNED: "info",
    CaseState.IN_PROGRESS: "info",
    CaseState.PROPOSED: "info",
    CaseState.CLOSED: "good",
    CaseState.REFUSED: "neutral",
    CaseState.WITHDRAWN: "neutral",
    CaseState.MERGED: "neutral",
}
_MOST_EXPORTED = 50_000


class BulkForm(forms.Form):
    """What is to be done with the ticked cases."""

    step = forms.ChoiceField(
        label=gettext_lazy("With the ticked ones"),
        choices=[
            ("accept", gettext_lazy("Accept")),
            ("assign", gettext_lazy("Assign")),
            ("urge", gettext_lazy("Urge (催办)")),
        ],
    )
    words = forms.CharField(label=gettext_lazy("Words"), required=False, max_length=500)


class WhomForm(forms.Form):
    """To whom the ticked cases are assigned: people of one's own union."""

    handler: Any = forms.ModelChoiceField(
        label=gettext_lazy("To whom"), queryset=Staff.objects.none(), to_field_name="public_id"
    )

    def __init__(self, *args: Any, staff: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["handler"].queryset = handlers_at(staff.union)  # type: ignore[attr-defined]


def row_of(case: Case) -> dict[str, object]:
    """A case as a line of a list."""
    due = queries.due_of(case)
    return {
        "case": case,
        "kind": title_of(case.kind),
        "tone": TONES[CaseState(case.state)],
        "until": last_day(due) if due else None,
        "is_overdue": due is not None and due <= timezone.now() and case.is_open,
        "is_provisional": due is not None and is_provisional(due),
        "person": case.worker.user.name if case.worker else case.contact_name,
    }


@require_safe
@desk_page(VIEW_CASES)
def cases(request: StaffRequest) -> HttpResponseBase:
    """Cases that the acting post may see; what is due first stands first."""
    narrowed = CaseFilter(request.GET, queryset=to_be_narrowed(), request=request)
    sight = sight_of(request.staff, remembered=True)
    order: queries.Order = "newest" if request.GET.get("order") == "newest" else "due"
    try:
        page = queries.page_of(narrowed.qs.filter(sight.whole), order=order, after=request.GET.get("after", ""))
    except ValueError:
        raise Http404 from None
    kept = request.GET.copy()
    for name in ("after",):
        kept.pop(name, None)
    is_narrowed = any(narrowed.data.get(name) for name in narrowed.filters)
    is_first = not request.GET.get("after")
    told = queries.counts_lately(request.staff)
    if is_first and not page.after:
        count, is_all = len(page.cases), True
    elif not is_narrowed:
        count, is_all = told.open, True
    else:
        # The index of words names rows one by one; the others are counted in an index that holds all of it.
        limit = queries.FOUND_TO if narrowed.data.get("q") else queries.COUNTED_TO
        count, is_all = queries.counted([narrowed.qs.filter(part) for part in sight.parts], limit=limit)
    waiting = dict(WAITING)
    staff = request.staff
    return render(
        request,
        "cases/desk_list.html",
        {
            "filter": narrowed,
            "rows": [row_of(case) for case in page.cases],
            "after": page.after,
            "is_first": is_first,
            "query": kept.urlencode(),
            "order": order,
            "count": count,
            "is_all": is_all,
            "chips": [
                ("", waiting["open"], told.open),
                ("overdue", waiting["overdue"], told.overdue),
                ("answer", waiting["answer"], told.to_answer),
                ("work", waiting["work"], told.in_work),
                ("verdict", waiting["verdict"], told.to_judge),
                ("mine", waiting["mine"], told.mine),
                ("offered", waiting["offered"], told.offered),
            ],
            "filters": SavedFilter.objects.filter(staff=staff).order_by("name"),
            "bulk": BulkForm(),
            "may_handle": policy.holds(staff, HANDLE_CASES),
            "may_enter": policy.holds(staff, ENTER_CASES),
            "may_export": policy.holds(staff, EXPORT_CASES),
            "may_import": policy.holds(staff, IMPORT_CASES),
            "is_narrowed": is_narrowed,
        },
    )


@require_safe
@desk_page(EXPORT_CASES)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded. Rows are counted against the list."""
    narrowed = CaseFilter(request.GET, queryset=visible_cases(request.staff), request=request)
    found = narrowed.qs.select_related("union", "handler__user", "worker__user", "place").order_by("due_order", "pk")
    expected = found.count()
    if expected > _MOST_EXPORTED:
        messages.error(
            request,
            _("The list has %(given)d rows; narrow it to at most %(limit)d.")
            % {"given": expected, "limit": _MOST_EXPORTED},
        )
        return redirect(f"{reverse('cases:cases')}?{request.GET.urlencode()}")
    response, count = spreadsheet(CaseResource(), found, form=form, name="cases")
    if count != expected:
        msg = f"the export holds {count} of {expected} cases"
        raise RuntimeError(msg)
    record(request.staff, CASES_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_POST
@desk_page(HANDLE_CASES)
def bulk(request: StaffRequest) -> HttpResponseBase:
    """One step for the ticked cases; those that could not take it are listed with the reason."""
    form = BulkForm(request.POST)
    chosen = [_uuid(text) for text in request.POST.getlist("case")][: many.MOST]
    wanted = visible_cases(request.staff).filter(public_id__in=[one for one in chosen if one])
    found = list(wanted.select_related("union"))
    query = request.POST.get("query", "")
    back = redirect(f"{reverse('cases:cases')}?{query}")
    if not found or not form.is_valid():
        messages.error(request, _("Tick the cases first."))
        return back
    told = form.cleaned_data
    staff, words = request.staff, told["words"]
    match told["step"]:
        case "accept":
            taken, failed = many.accept_all(found, actor=staff, words=words)
        case "assign":
            whom = WhomForm(request.POST if "handler" in request.POST else None, staff=staff)
            if not whom.is_valid():
                context = {"whom": whom, "found": found, "words": words, "query": query}
                return render(request, "cases/bulk_assign.html", context, status=422 if whom.is_bound else 200)
            taken, failed = many.assign_all(found, handler=whom.cleaned_data["handler"], actor=staff, words=words)
        case _:
            taken, failed = many.urge_all(found, actor=staff, words=words)
    if not failed:
        messages.success(request, _("%(n)d cases took the step.") % {"n": len(taken)})
        return back
    label = dict(form.fields["step"].choices)[told["step"]]  # type: ignore[attr-defined]
    context = {"taken": taken, "failed": failed, "label": label, "query": query}
    return render(request, "cases/bulk_done.html", context)


@require_POST
@desk_page(VIEW_CASES)
def keep_filter(request: StaffRequest) -> HttpResponseBase:
    """Keep the present narrowing under a name."""
    query = request.POST.get("query", "")
    try:
        save_filter(request.staff, name=request.POST.get("name", ""), query=query)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The filter was kept."))
    return redirect(f"{reverse('cases:cases')}?{query[:500]}")


@require_POST
@desk_page(VIEW_CASES)
def drop_filter(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Forget a kept filter of one's own."""
    forget_filter(get_object_or_404(SavedFilter.objects.filter(staff=request.staff), public_id=public_id))
    messages.success(request, _("The filter was removed."))
    return redirect("cases:cases")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
