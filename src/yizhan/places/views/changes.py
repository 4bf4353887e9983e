"""Entering a place and changing it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from yizhan.places.forms import PlaceForm
from yizhan.places.queries import desk as queries
from yizhan.places.rights import CHANGE_PLACES
from yizhan.places.services import ChangedMeanwhile, change_place, create_place
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import policy

from .lists import place_of


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def new(request: StaffRequest) -> HttpResponseBase:
    """Enter a place as a draft."""
    form = PlaceForm(
        request.POST or None, union=request.staff.union, unions=queries.unions_below(for_staff=request.staff)
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = create_place(form.facts(), union=form.cleaned_data["union"], actor=request.staff)
        except RuleBroken as broken:
            form.show(broken)
        else:
            messages.success(request, _("“%(name)s” was entered as a draft.") % {"name": made.name})
            return redirect("places:desk_place", made.public_id)
    status = 422 if form.is_bound else 200
    bounds = queries.bounds(for_staff=request.staff)
    context = {"form": form, "place": None, "bounds": ",".join(f"{degrees:.4f}" for degrees in bounds or ())}
    return render(request, "places/place_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def change(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change a place; a change made meanwhile by someone else is shown, not overwritten."""
    place = place_of(request, public_id)
    policy.require(request.staff, CHANGE_PLACES, place.union)
    form = PlaceForm(request.POST or None, place=place, union=place.union)
    conflict = False
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_place(
                place, form.facts(), revision=form.cleaned_data["revision"] or 0, actor=request.staff
            )
        except ChangedMeanwhile as broken:
            form.show(broken)
            conflict = True
        except RuleBroken as broken:
            form.show(broken)
        else:
            if changed.revision == place.revision:
                messages.info(request, _("Nothing was changed."))
            else:
                messages.success(request, _("“%(name)s” was changed.") % {"name": changed.name})
            return redirect("places:desk_place", place.public_id)
    status = 409 if conflict else 422 if form.is_bound else 200
    return render(
        request,
        "places/place_form.html",
        {"form": form, "place": place, "conflict": conflict, "history": queries.history(place)},
        status=status,
    )
