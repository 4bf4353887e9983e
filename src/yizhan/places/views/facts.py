"""What hangs at a place: equipment, closures, photos."""

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

from yizhan.places import services
from yizhan.places.actions import EQUIPMENT_EXPORTED
from yizhan.places.exports import EquipmentResource
from yizhan.places.filters import EquipmentFilter
from yizhan.places.forms import ClosureForm, EquipmentForm, OccupancyForm, PhotoForm
from yizhan.places.models import Closure, Equipment, PlacePhoto
from yizhan.places.queries import desk as queries
from yizhan.places.rights import CHANGE_PLACES, EXPORT_PLACES, VIEW_PLACES
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

from .lists import place_of

_PER_PAGE = 50


@require_safe
@desk_page(VIEW_PLACES)
def equipment(request: StaffRequest) -> HttpResponseBase:
    """Equipment of the acting union's places; at first that which is broken, expired or about to be."""
    narrowed = EquipmentFilter(request.GET, queryset=queries.equipment(for_staff=request.staff))
    today = timezone.localdate()
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "places/equipment_list.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": [{"thing": thing, "days": thing.days_left(today)} for thing in page],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_change": policy.holds(request.staff, CHANGE_PLACES),
            "may_export": policy.holds(request.staff, EXPORT_PLACES),
        },
    )


@require_safe
@desk_page(EXPORT_PLACES)
@transaction.atomic
def export_equipment(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded."""
    if form not in {"xlsx", "csv"}:
        raise Http404
    narrowed = EquipmentFilter(request.GET, queryset=queries.equipment(for_staff=request.staff))
    response, count = spreadsheet(EquipmentResource(), narrowed.qs, form=form, name="equipment")
    expected = narrowed.qs.count()
    if count != expected:
        msg = f"the export holds {count} of {expected} pieces"
        raise RuntimeError(msg)
    record(request.staff, EQUIPMENT_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def new_equipment(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Enter a piece of equipment."""
    place = place_of(request, public_id)
    policy.require(request.staff, CHANGE_PLACES, place.union)
    form = EquipmentForm(request.POST or None, union=place.union)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_equipment(place, form.facts(), actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” was entered.") % {"name": form.cleaned_data["name"]})
            return redirect("places:desk_place", place.public_id)
    status = 422 if form.is_bound else 200
    return render(request, "places/equipment_form.html", {"form": form, "place": place, "thing": None}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def change_equipment(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change a piece of equipment."""
    thing = _thing(request, public_id)
    form = EquipmentForm(request.POST or None, union=thing.place.union, thing=thing)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_equipment(thing, form.facts(), actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("“%(name)s” was changed.") % {"name": form.cleaned_data["name"]})
            return redirect("places:desk_place", thing.place.public_id)
    status = 422 if form.is_bound else 200
    context = {"form": form, "place": thing.place, "thing": thing}
    return render(request, "places/equipment_form.html", context, status=status)


@require_POST
@desk_page(CHANGE_PLACES)
def turn_equipment(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Say with one button that it is broken, or works again."""
    thing = _thing(request, public_id)
    works = request.POST.get("works") == "yes"
    try:
        services.set_state(thing, works=works, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        said = _("“%(name)s” works again.") if works else _("“%(name)s” is shown as broken.")
        messages.success(request, said % {"name": thing.name})
    return redirect("places:desk_place", thing.place.public_id)


@require_POST
@desk_page(CHANGE_PLACES)
def remove_equipment(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take it off the list."""
    thing = _thing(request, public_id)
    try:
        services.remove_equipment(thing, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("“%(name)s” was taken off the list.") % {"name": thing.name})
    return redirect("places:desk_place", thing.place.public_id)


@require_POST
@desk_page(CHANGE_PLACES)
def tell_occupancy(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Say how many people are inside now."""
    place = place_of(request, public_id)
    policy.require(request.staff, CHANGE_PLACES, place.union)
    form = OccupancyForm(request.POST)
    if form.is_valid():
        try:
            services.tell_occupancy(place, people=form.cleaned_data["people"], actor=request.staff)
        except RuleBroken as broken:
            messages.error(request, str(broken.problems[0].message))
        else:
            messages.success(request, _("The number of people inside is shown for an hour."))
    else:
        messages.error(request, str(form.errors["people"][0]))
    return redirect("places:desk_place", place.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def shut(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Shut a place for a while."""
    place = place_of(request, public_id)
    policy.require(request.staff, CHANGE_PLACES, place.union)
    form = ClosureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            services.shut_place(
                place,
                starts_at=values["starts_at"],
                ends_at=values["ends_at"],
                reason=values["reason"],
                actor=request.staff,
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The closure was entered; everyone reads it at once."))
            return redirect("places:desk_place", place.public_id)
    status = 422 if form.is_bound else 200
    return render(request, "places/closure_form.html", {"form": form, "place": place}, status=status)


@require_POST
@desk_page(CHANGE_PLACES)
def lift(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """End a closure now."""
    closure: Closure = get_object_or_404(
        Closure.objects.filter(place__union__path__startswith=request.staff.union.path).select_related("place__union"),
        public_id=public_id,
    )
    try:
        services.lift_closure(closure, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The closure has ended."))
    return redirect("places:desk_place", closure.place.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(CHANGE_PLACES)
def photos(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The photos of a place, and adding one."""
    place = place_of(request, public_id)
    policy.require(request.staff, CHANGE_PLACES, place.union)
    form = PhotoForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_photo(place, form.content(), alt=form.cleaned_data["alt"], actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The photo is shown; position, time and device were removed from it."))
            return redirect("places:photos", place.public_id)
    context = {"form": form, "place": place, "photos": PlacePhoto.objects.filter(place=place)}
    return render(request, "places/photos.html", context, status=422 if form.is_bound else 200)


@require_POST
@desk_page(CHANGE_PLACES)
def remove_photo(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take a photo away for good."""
    photo = _photo(request, public_id)
    try:
        services.remove_photo(photo, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The photo was removed."))
    return redirect("places:photos", photo.place.public_id)


@require_POST
@desk_page(CHANGE_PLACES)
def move_photo(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Show a photo earlier or later; the first one is the cover."""
    photo = _photo(request, public_id)
    try:
        services.move_photo(photo, earlier=request.POST.get("to") == "earlier", actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    return redirect("places:photos", photo.place.public_id)


def _photo(request: StaffRequest, public_id: UUID) -> PlacePhoto:
    found: PlacePhoto = get_object_or_404(
        PlacePhoto.objects.filter(place__union__path__startswith=request.staff.union.path).select_related(
            "place__union"
        ),
        public_id=public_id,
    )
    return found


def _thing(request: StaffRequest, public_id: UUID) -> Equipment:
    found: Equipment = get_object_or_404(queries.equipment(for_staff=request.staff), public_id=public_id)
    policy.require(request.staff, CHANGE_PLACES, found.place.union)
    return found
