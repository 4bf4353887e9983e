"""Visits on the desk: the list with its figures, one visit with its versions, photos."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from yizhan.cases import outreach_actions as actions
from yizhan.cases.forms.visits import PhotoForm
from yizhan.cases.models import Visit, VisitPhoto, VisitSave
from yizhan.cases.outreach_rights import RECORD_VISITS, VIEW_VISITS
from yizhan.cases.queries.kept import counted_lately
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.services import visits as services
from yizhan.cases.visits import figures, queries
from yizhan.cases.visits.exports import VisitResource
from yizhan.cases.visits.filters import VisitFilter
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.identity import new_public_id
from yizhan.unions.rights import policy

from .links import told

_PER_PAGE = 50


@require_safe
@desk_page(VIEW_VISITS)
def visits(request: StaffRequest) -> HttpResponseBase:
    """Visits of the acting union and below, with what they reached: people once, whatever the list is narrowed to."""
    staff = request.staff
    narrowed = VisitFilter(request.GET, queryset=queries.visits(for_staff=staff))
    behind = Visit.objects.filter(pk__in=narrowed.qs.order_by().values("pk")).order_by()
    reach = counted_lately("reach", behind, lambda: figures.reach(behind), rows=lambda told: told.visits)
    paginator = KeysFirst(narrowed.qs, _PER_PAGE)
    paginator.count = reach.visits  # counted already
    page = paginator.get_page(request.GET.get("page"))
    if page.object_list:
        details = {"shown": len(page.object_list), "page": page.number}
        record(staff, actions.VISITS_LISTED, union=staff.union, details=details)
    return render(
        request,
        "cases/visits/list.html",
        {
            "filter": narrowed,
            "page": page,
            "reach": reach,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_record": policy.holds(staff, RECORD_VISITS),
        },
    )


@require_safe
@desk_page(VIEW_VISITS)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    narrowed = VisitFilter(request.GET, queryset=queries.visits(for_staff=request.staff))
    response, count = spreadsheet(VisitResource(), narrowed.qs, form=form, name="visits")
    record(request.staff, actions.VISITS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_safe
@desk_page(VIEW_VISITS)
def visit(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One visit: what was said, whom it met, what was heard, and versions that wait to be settled."""
    found = visit_of(request, public_id)
    seen = set(visible_cases(request.staff).filter(heard_on__visit=found).values_list("pk", flat=True))
    return render(
        request,
        "cases/visits/visit.html",
        {
            "visit": found,
            "people": queries.people_of(found),
            "photos": queries.photos_of(found),
            "needs": [(need, need.case_id in seen) for need in queries.needs_of(found)],
            "versions": [_beside(found, save) for save in queries.set_aside(found)],
            "saves": queries.saves_of(found),
            "may_change": may_change(request, found),
            "photo_form": PhotoForm(initial={"request_id": new_public_id()}),
        },
    )


@require_POST
@desk_page(RECORD_VISITS)
def add_photo(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One more picture."""
    found = visit_of(request, public_id)
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose a picture."))
        return redirect(found)
    content, client_id = form.cleaned_data["photo"].read(), form.cleaned_data["request_id"]
    told(
        request,
        lambda: services.add_photo(actor=request.staff, visit=found, client_id=client_id, content=content),
        _("The picture was kept, without its position, time and device."),
    )
    return redirect(found)


@require_safe
@desk_page(VIEW_VISITS)
def photo(request: StaffRequest, public_id: UUID, photo_id: UUID) -> HttpResponseBase:
    """A picture; `?small` for lists."""
    try:
        found = queries.photo_of(visit_of(request, public_id), photo_id)
    except VisitPhoto.DoesNotExist:
        raise Http404 from None
    file = found.small if "small" in request.GET else found.file
    response = FileResponse(file.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_POST
@desk_page(RECORD_VISITS)
def version(request: StaffRequest, public_id: UUID, request_id: UUID) -> HttpResponseBase:
    """Settle a version that was set aside: keep what stands, or take the other."""
    found = visit_of(request, public_id)
    try:
        save = queries.save_of(found, request_id)
    except VisitSave.DoesNotExist:
        raise Http404 from None
    if request.POST.get("hold") == "present":
        told(
            request,
            lambda: services.keep_present(actor=request.staff, save=save),
            _("What stands holds; the other version stays in the history."),
        )
    elif request.POST.get("hold") == "other":
        told(request, lambda: _take_other(request, found, save), _("The other version holds now."))
    else:
        messages.error(request, _("Choose what to do."))
    return redirect(found)


def _take_other(request: StaffRequest, found: Visit, save: VisitSave) -> None:
    base = request.POST.get("base", "")
    done = services.save_visit(
        actor=request.staff,
        request_id=new_public_id(),
        base=int(base) if base.isdigit() and len(base) < 10 else 0,
        facts=queries.facts_of_save(save),
        visit=found,
        settles=save,
    )
    if not done.is_taken:
        raise RuleBroken.at(
            "base", base, _("Someone changed the visit meanwhile; look at both again."), "changed_meanwhile"
        )


def visit_of(request: StaffRequest, public_id: UUID) -> Visit:
    """A visit of the acting union and below, or 404."""
    found: Visit = get_object_or_404(queries.visits(for_staff=request.staff), public_id=public_id)
    return found


def may_change(request: StaffRequest, found: Visit) -> bool:
    """Whether the acting post records visits there."""
    return found.post_id == request.staff.pk or policy.allows(request.staff, RECORD_VISITS, found.union)


def _beside(found: Visit, save: VisitSave) -> dict[str, Any]:
    return {"save": save, "differences": queries.differences(found, queries.facts_of_save(save))}
