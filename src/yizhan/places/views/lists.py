"""The desk's list of places, one place with its history, and the list to take home."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from yizhan.geo import Datum
from yizhan.places.actions import PLACES_EXPORTED
from yizhan.places.exports import PlaceResource, geojson, with_all_facts
from yizhan.places.filters import PlaceFilter
from yizhan.places.forms import OccupancyForm, ReasonForm, WithdrawForm
from yizhan.places.forms.verification import item_label
from yizhan.places.hours import hours_in_words
from yizhan.places.models import OfferKind, Place, PlacePhoto, PlaceStatus
from yizhan.places.occupancy import occupancy_now
from yizhan.places.openness import closures_of, said_of
from yizhan.places.queries import desk as queries
from yizhan.places.rights import (
    CHANGE_PLACES,
    EXPORT_PLACES,
    EXTEND_VOCABULARY,
    IMPORT_PLACES,
    PUBLISH_PLACES,
    SET_CARE_RULES,
    VERIFY_PLACES,
    VIEW_PLACES,
)
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

from .desk_map import place_map

STATUS_TONES = {
    PlaceStatus.DRAFT: "info",
    PlaceStatus.VERIFIED: "info",
    PlaceStatus.PUBLISHED: "good",
    PlaceStatus.SUSPENDED: "warn",
    PlaceStatus.CLOSED: "neutral",
}
_PER_PAGE = 50


@require_safe
@desk_page(VIEW_PLACES)
def places(request: StaffRequest) -> HttpResponseBase:
    """Places of the acting union and below, as a list or (`view=map`) on a map."""
    narrowed = PlaceFilter(request.GET, queryset=queries.places(for_staff=request.staff))
    if request.GET.get("view") == "map":
        return place_map(request, narrowed, STATUS_TONES)
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    rows = [
        {
            "place": place,
            "tone": STATUS_TONES[PlaceStatus(place.status)],
            "hours": hours_in_words(place.hours),
            "state": said_of(place, now) if place.hours or closures_of(place) else "",
        }
        for place in page
    ]
    return render(
        request,
        "places/desk_list.html",
        {
            "filter": narrowed,
            "page": page,
            "rows": rows,
            "counts": [
                {"status": status, "label": status.label, "count": count, "tone": STATUS_TONES[status]}
                for status, count in queries.counts_by_status(for_staff=request.staff)
                if count
            ],
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_enter": policy.holds(request.staff, CHANGE_PLACES),
            "may_import": policy.holds(request.staff, IMPORT_PLACES),
            "may_export": policy.holds(request.staff, EXPORT_PLACES),
            "may_word": policy.holds(request.staff, EXTEND_VOCABULARY),
            "may_rule": policy.holds(request.staff, SET_CARE_RULES),
        },
    )


@require_safe
@desk_page(VIEW_PLACES)
def place(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One place, what may be done with it, and its history."""
    found = get_object_or_404(queries.places(for_staff=request.staff), public_id=public_id)
    now = timezone.now()
    may_publish = policy.allows(request.staff, PUBLISH_PLACES, found.union)
    lon, lat = found.position(Datum(found.datum_given))
    return render(
        request,
        "places/desk_place.html",
        {
            "place": found,
            "tone": STATUS_TONES[PlaceStatus(found.status)],
            "hours": hours_in_words(found.hours),
            "state": said_of(found, now),
            "lon": f"{lon:.6f}",
            "lat": f"{lat:.6f}",
            "history": queries.history(found),
            "may_change": policy.allows(request.staff, CHANGE_PLACES, found.union) and not found.is_closed,
            "closures": closures_of(found),
            "occupancy": occupancy_now(found, now),
            "occupancy_form": OccupancyForm(),
            "equipment": queries.equipment(for_staff=request.staff).filter(place=found).order_by("name"),
            "photos": PlacePhoto.objects.filter(place=found),
            "verifications": _looks(request, found),
            "may_verify": policy.allows(request.staff, VERIFY_PLACES, found.union) and not found.is_closed,
            "may_publish": may_publish and found.status in {PlaceStatus.DRAFT, PlaceStatus.VERIFIED},
            "may_resume": may_publish and found.status == PlaceStatus.SUSPENDED,
            "resume_form": ReasonForm(prefix="resume"),
            "may_withdraw": may_publish and found.is_published,
            "may_close": may_publish and not found.is_closed,
            "withdraw_form": WithdrawForm(prefix="withdraw"),
            "close_form": ReasonForm(prefix="close"),
        },
    )


def _looks(request: StaffRequest, place: Place) -> list[dict[str, object]]:
    """The latest verifications, with what was wrong in words."""
    kinds = {kind.code: kind.name for kind in OfferKind.objects.filter(offers__place=place)}
    return [
        {"look": look, "problems": [item_label(item, kinds) for item in look.problems]}
        for look in queries.verifications(place, for_staff=request.staff)[:5]
    ]


@require_safe
@desk_page(EXPORT_PLACES)
@transaction.atomic
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx, CSV or GeoJSON; that it was taken home is recorded."""
    narrowed = PlaceFilter(request.GET, queryset=queries.places(for_staff=request.staff))
    found = with_all_facts(narrowed.qs)
    if form == "geojson":
        response, count = geojson(found)
    elif form in {"xlsx", "csv"}:
        response, count = spreadsheet(PlaceResource(), found, form=form, name="places")
    else:
        raise Http404
    expected = narrowed.qs.count()
    if count != expected:
        msg = f"the export holds {count} of {expected} places"
        raise RuntimeError(msg)
    record(request.staff, PLACES_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


def place_of(request: StaffRequest, public_id: UUID) -> Place:
    """A place that the acting staff may see, or 404."""
    found: Place = get_object_or_404(queries.places(for_staff=request.staff), public_id=public_id)
    return found
