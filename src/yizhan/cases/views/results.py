"""问题清单 → 成效清单: the inner list by level, and what everyone may read."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yizhan.cases.forms.period import PeriodForm
from yizhan.cases.kinds import title_of
from yizhan.cases.queries.figures import added_up, figures_by, figures_from, narrowed
from yizhan.cases.queries.kept import counted_lately
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.queries.public import public_figures, published_results, unions_with_results
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.rights import VIEW_CASES
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.models import Union


@require_safe
def results(request: HttpRequest) -> HttpResponseBase:
    """What came of what people told their unions; nobody can be found in it."""
    union = None
    if chosen := request.GET.get("union", ""):
        try:
            union = Union.objects.filter(public_id=UUID(chosen), is_active=True).first()
        except ValueError:
            union = None
        if union is None:
            raise Http404
    page = KeysFirst(published_results(union), 20).get_page(request.GET.get("page"))
    rows = [(case, title_of(case.kind)) for case in page]
    context = {
        "page": page, "rows": rows, "figures": public_figures(union), "union": union, "unions": unions_with_results(),
    }  # fmt: skip
    return render(request, "cases/results.html", context)


@require_safe
@desk_page(VIEW_CASES)
def problems(request: StaffRequest) -> HttpResponseBase:
    """The problem list by level: for each union directly below, what was heard and what came of it."""
    staff = request.staff
    form = PeriodForm(request.GET or None)
    since, until, kind = form.span()
    found = narrowed(visible_cases(staff, remembered=True), since=since, until=until, kind=kind or None)
    # One pass: what stands under a union, a kind or the whole is summed up here.
    counted = counted_lately(
        "problems",
        found,
        lambda: figures_by(found, "union", "kind"),
        rows=lambda told: sum(row["submitted"] for row in told),
    )
    by_union = added_up(counted, "union")
    owners = {union.pk: union for union in Union.objects.filter(pk__in=[row["union"] for row in by_union])}
    levels: dict[str, dict[str, float]] = {}
    here = staff.union
    width = len(here.path) + Union.steplen
    for row in by_union:
        path = owners[row["union"]].path
        level = path[:width] if path.startswith(here.path) else ""
        sums = levels.setdefault(level, dict.fromkeys(("submitted", "open", "solved", "reopened", "late", "rated"), 0))
        for name in sums:
            sums[name] += row[name]
    names = {union.path: union for union in Union.objects.filter(path__in=levels)}
    rows = [(names.get(path), sums) for path, sums in sorted(levels.items())]
    kinds = [(title_of(row["kind"]), row) for row in added_up(counted, "kind")]
    total = figures_from(next(iter(added_up(counted)), None))
    context = {"form": form, "rows": rows, "kinds": kinds, "total": total, "union": here}
    return render(request, "cases/problems.html", context)
