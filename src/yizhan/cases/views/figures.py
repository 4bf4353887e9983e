"""Figures of visits and cases on the desk, each leading to the rows behind it, and the same as a sheet."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yizhan.cases.forms.figures import WAYS, FiguresForm
from yizhan.cases.outcome.exports import OutcomeResource
from yizhan.cases.outcome.figures import lines, links_now, total
from yizhan.cases.outreach_rights import VIEW_LINKS, VIEW_REACH, VIEW_VISITS
from yizhan.cases.rights import VIEW_CASES
from yizhan.cases.wish_actions import FIGURES_EXPORTED
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy


@require_safe
@desk_page(VIEW_REACH)
def figures(request: StaffRequest) -> HttpResponseBase:
    """What visits and cases came to, by level, month, staff or kind."""
    staff = request.staff
    form = FiguresForm(request.GET or None, staff=staff)
    narrowing = form.narrowing()
    return render(
        request,
        "cases/figures.html",
        {
            "form": form,
            "way": form.way,
            "way_label": dict(WAYS)[form.way],
            "under": narrowing.under,
            "is_own": narrowing.under.pk == staff.union_id,
            "total": total(staff, narrowing),
            "lines": lines(staff, narrowing, form.way),
            "linked": links_now(staff, narrowing),
            "opens_visits": policy.holds(staff, VIEW_VISITS),
            "opens_cases": policy.holds(staff, VIEW_CASES),
            "opens_links": policy.holds(staff, VIEW_LINKS),
        },
    )


@require_safe
@desk_page(VIEW_REACH)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same lines as xlsx or CSV, and all of it in the last one."""
    staff = request.staff
    asked = FiguresForm(request.GET or None, staff=staff)
    narrowing = asked.narrowing()
    rows = [*lines(staff, narrowing, asked.way), total(staff, narrowing)]
    response, count = spreadsheet(OutcomeResource(), rows, form=form, name="figures")
    record(staff, FIGURES_EXPORTED, union=narrowing.under, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response
