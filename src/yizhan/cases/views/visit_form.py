"""The form of a visit: on the desk, and the phone's own page that works without a network."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from yizhan.cases.forms.visits import VisitForm, initial_of
from yizhan.cases.models import Visit, VisitKind, VisitSave
from yizhan.cases.outreach_rights import RECORD_VISITS
from yizhan.cases.services.visits import add_photo, save_visit
from yizhan.cases.visits import queries
from yizhan.cases.visits.facts import facts_of
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.identity import new_public_id
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import NotAllowed

from .visits import may_change, visit_of


@require_safe
def shell(request: HttpRequest) -> HttpResponseBase:
    """The phone's form: one page for everyone, without anybody's data; what it shows comes from the phone."""
    response = render(request, "cases/visits/phone.html", {"kinds": VisitKind.choices})
    response["Cache-Control"] = "no-cache"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(RECORD_VISITS)
def new_visit(request: StaffRequest) -> HttpResponseBase:
    """Record a visit on the desk."""
    initial = {"request_id": new_public_id(), "base": 0, "kind": VisitKind.HOME, "at": timezone.localtime()}
    form = _form(request, None, initial)
    if request.method == "POST" and form.is_valid():
        try:
            done = save_visit(
                actor=request.staff,
                client_id=form.cleaned_data["request_id"],
                request_id=form.cleaned_data["request_id"],
                base=0,
                facts=form.facts(),
                needs=form.heard(),
            )
            _keep_photo(request, form, done.visit)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The visit was recorded."))
            return redirect(done.visit)
    status = 422 if form.is_bound else 200
    return render(request, "cases/visits/form.html", {"form": form, "visit": None}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(RECORD_VISITS)
def edit_visit(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change a visit; when someone changed it meanwhile, both versions are shown on its page."""
    found = visit_of(request, public_id)
    if not may_change(request, found):
        raise NotAllowed(RECORD_VISITS, found.union)
    earlier = facts_of(found)
    form = _form(request, found, initial_of(found, earlier) | {"request_id": new_public_id()})
    if request.method == "POST" and form.is_valid():
        try:
            done = save_visit(
                actor=request.staff,
                visit=found,
                request_id=form.cleaned_data["request_id"],
                base=form.cleaned_data["base"],
                facts=form.facts(earlier=earlier),
                needs=form.heard(),
                settles=_settled(found, form.cleaned_data["settles"]),
            )
            _keep_photo(request, form, done.visit)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            if done.is_taken:
                messages.success(request, _("The visit was saved."))
            else:
                messages.warning(
                    request, _("Someone changed this visit meanwhile. Yours was kept; choose below which holds.")
                )
            return redirect(done.visit)
    status = 422 if form.is_bound else 200
    return render(request, "cases/visits/form.html", {"form": form, "visit": found}, status=status)


def _form(request: StaffRequest, found: Visit | None, initial: dict[str, object]) -> VisitForm:
    posted = request.method == "POST"
    return VisitForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        initial=initial,
        workers=_workers(request.staff, found),
        unions=Union.objects.filter(
            path__startswith=request.staff.union.path, contacts__post=request.staff, contacts__ended_at=None
        ).distinct(),
    )


def _workers(staff: Staff, found: Visit | None):  # type: ignore[no-untyped-def]
    """Those with whom the post is linked, and those whom the visit names already."""
    linked = Worker.objects.filter(contacts__post=staff, contacts__ended_at=None)
    if found is not None:
        linked = linked | Worker.objects.filter(met_at__visit=found)
    return linked.select_related("user", "union").distinct().order_by("user__name", "pk")


def _settled(found: Visit, request_id: UUID | None) -> VisitSave | None:
    if request_id is None:
        return None
    try:
        return queries.save_of(found, request_id)
    except VisitSave.DoesNotExist:
        raise RuleBroken.at("settles", "", _("This version belongs to another visit."), "unknown") from None


def _keep_photo(request: StaffRequest, form: VisitForm, visit: Visit) -> None:
    content = form.photo_bytes()
    if content:
        client_id = form.cleaned_data["request_id"]
        add_photo(actor=request.staff, visit=visit, client_id=client_id, content=content)
