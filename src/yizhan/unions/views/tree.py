"""The union tree on the desk."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.forms import MoveUnionForm, NewUnionForm, RenameUnionForm
from yizhan.unions.models import Level, Union
from yizhan.unions.queries import tree as queries
from yizhan.unions.rights import BROWSE_UNIONS, MANAGE_UNIONS, SEE_POSTS, policy
from yizhan.unions.services import tree as services


def _union(public_id: UUID) -> Union:
    union: Union = get_object_or_404(Union.scoped, public_id=public_id)
    return union


@require_safe
@desk_page(BROWSE_UNIONS)
def unions(request: StaffRequest) -> HttpResponseBase:
    """The acting post's own union, or those that a search finds."""
    text = request.GET.get("q", "").strip()
    if not text:
        return union(request, request.staff.union.public_id)
    found = queries.search(text, for_staff=request.staff)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "unions/union_search.html", {"page": page, "text": text})


@require_safe
@desk_page(BROWSE_UNIONS)
def union(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One union: what hangs below it, and what may be done with it."""
    shown = _union(public_id)
    above = Union.objects.get_parent(shown)
    may_manage_above = above is not None and policy.allows(request.staff, MANAGE_UNIONS, above)
    return render(
        request,
        "unions/union.html",
        {
            "union": shown,
            "ancestors": queries.ancestors(shown, for_staff=request.staff),
            "page": Paginator(queries.children(shown), 100).get_page(request.GET.get("page")),
            "size": queries.size(shown),
            "may_manage": policy.allows(request.staff, MANAGE_UNIONS, shown),
            "may_manage_above": may_manage_above,
            "may_see_posts": policy.allows(request.staff, SEE_POSTS, shown),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_UNIONS)
def create(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new union below this one."""
    parent = _union(public_id)
    form = NewUnionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_union(
                actor=request.staff,
                parent=parent,
                name=form.cleaned_data["name"],
                level=Level(form.cleaned_data["level"]),
                division_code=form.cleaned_data["division_code"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” has been created.") % {"name": made.name})
            return redirect("unions:union", made.public_id)
    return render(request, "unions/union_form.html", {"form": form, "union": parent, "purpose": "create"})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_UNIONS)
def rename(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Another name."""
    union = _union(public_id)
    form = RenameUnionForm(request.POST or None, initial={"name": union.name})
    if request.method == "POST" and form.is_valid():
        try:
            services.rename_union(actor=request.staff, union=union, name=form.cleaned_data["name"])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The union has been renamed."))
            return redirect("unions:union", union.public_id)
    return render(request, "unions/union_form.html", {"form": form, "union": union, "purpose": "rename"})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_UNIONS)
def move(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Another place in the tree."""
    union = _union(public_id)
    form = MoveUnionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            to = queries.union_called(form.cleaned_data["to"], field="to", below=request.staff.union)
            services.move_union(actor=request.staff, union=union, to=to)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” now hangs below “%(to)s”.") % {"name": union.name, "to": to.name})
            return redirect("unions:union", union.public_id)
    return render(request, "unions/union_form.html", {"form": form, "union": union, "purpose": "move"})


@require_POST
@desk_page(MANAGE_UNIONS)
def deactivate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Deactivate this union and all below."""
    union = _union(public_id)
    count = services.deactivate_union(actor=request.staff, union=union)
    messages.success(
        request,
        ngettext("%(count)s union has been deactivated.", "%(count)s unions have been deactivated.", count)
        % {"count": count},
    )
    return redirect("unions:union", union.public_id)


@require_POST
@desk_page(MANAGE_UNIONS)
def reactivate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Bring it back."""
    union = _union(public_id)
    try:
        count = services.reactivate_union(actor=request.staff, union=union)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(
            request,
            ngettext("%(count)s union is active again.", "%(count)s unions are active again.", count)
            % {"count": count},
        )
    return redirect("unions:union", union.public_id)
