"""The rules by which places remind."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.passage.forms import RulesForm, UnionForm
from yizhan.passage.queries.rules import rules_in_force
from yizhan.passage.queries.sources import own_rules
from yizhan.passage.rights import CHANGE_SETTINGS, VIEW_REMINDERS
from yizhan.passage.services import rules as services
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import policy


@require_safe
@desk_page(VIEW_REMINDERS)
def own(request: StaffRequest) -> HttpResponseBase:
    """The acting union's rules, or those of the union that was asked for by name."""
    asked = UnionForm(request.GET if "union" in request.GET else None)
    if asked.is_bound and asked.is_valid():
        try:
            found = union_called(asked.cleaned_data["union"], field="union", below=request.staff.union)
        except RuleBroken as broken:
            broken.show_on(asked)
        else:
            return redirect("passage:rules_of", found.public_id)
    return _show(request, request.staff.union, asked=asked)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(VIEW_REMINDERS)
def of(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The rules of a union at or below the acting one."""
    union: Union = get_object_or_404(Union.scoped.all(), public_id=public_id)
    if request.method != "POST":
        return _show(request, union)
    policy.require(request.staff, CHANGE_SETTINGS, union)
    form = RulesForm(request.POST)
    if form.is_valid():
        try:
            services.set_rules(
                staff=request.staff,
                union=union,
                reminders_on=form.cleaned_data["reminders_on"],
                unknown_hours_remind=form.cleaned_data["unknown_hours_remind"],
                values=form.values,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The rules hold from now on."))
            return redirect("passage:rules_of", union.public_id)
    return _show(request, union, form=form)


@require_POST
@desk_page(CHANGE_SETTINGS)
def inherit(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Follow the union above again."""
    union: Union = get_object_or_404(Union.scoped.all(), public_id=public_id)
    services.inherit_rules(staff=request.staff, union=union)
    messages.success(request, _("The rules of the union above hold again."))
    return redirect("passage:rules_of", union.public_id)


def _show(
    request: StaffRequest, union: Union, *, form: RulesForm | None = None, asked: UnionForm | None = None
) -> HttpResponseBase:
    in_force = rules_in_force(union)
    return render(
        request,
        "passage/rules.html",
        {
            "union": union,
            "in_force": in_force,
            "form": form or RulesForm.showing(in_force.rules),
            "asked": asked or UnionForm(),
            "below": own_rules(for_staff=request.staff),
            "is_own_union": union.pk == request.staff.union_id,
            "may_change": policy.allows(request.staff, CHANGE_SETTINGS, union),
        },
    )
