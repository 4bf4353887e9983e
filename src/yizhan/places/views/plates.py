"""Plates for doors: printing them, and what comes of them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from yizhan.places import plates as drawing
from yizhan.places.actions import PLATES_PRINTED, VISITS_EXPORTED
from yizhan.places.models import Place
from yizhan.places.queries import plates as queries
from yizhan.places.reports.exports import VisitsResource
from yizhan.places.reports.filters import PlateFilter
from yizhan.places.rights import EXPORT_PLACES, PRINT_PLATES
from yizhan.places.services.plates import count_visit, is_machine, plates_of
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import spreadsheet
from yizhan.unions.rights import policy

_PER_PAGE = 50
MOST_AT_ONCE = 500


@never_cache
@require_safe
def scanned(request: HttpRequest, code: str) -> HttpResponseBase:
    """From the plate to the page of its place; counted by day, without anything about who came."""
    plate = queries.scanned_plate(code)
    if plate is None:
        raise Http404(_("There is no such place, or it is not open to the public now."))
    is_visit = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    if is_visit and not is_machine(request.headers.get("User-Agent", "")):
        count_visit(plate)
    return redirect(plate.place)


@require_safe
@desk_page(PRINT_PLATES)
def plates(request: StaffRequest) -> HttpResponseBase:
    """Places with their plates and visits."""
    narrowed = PlateFilter(request.GET, queryset=queries.places_with_plates(for_staff=request.staff))
    page = Paginator(narrowed.qs, _PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "places/plates/list.html",
        {
            "filter": narrowed,
            "page": page,
            "most": MOST_AT_ONCE,
            "too_many": page.paginator.count > MOST_AT_ONCE,
            "is_narrowed": any(narrowed.data.get(name) for name in narrowed.filters),
            "may_export": policy.holds(request.staff, EXPORT_PLACES),
        },
    )


@require_safe
@desk_page(PRINT_PLATES)
def batch(request: StaffRequest, size: str) -> HttpResponseBase:
    """The plates of the narrowed list in one PDF."""
    _check_size(size)
    narrowed = PlateFilter(request.GET, queryset=queries.places_with_plates(for_staff=request.staff))
    places = list(narrowed.qs[: MOST_AT_ONCE + 1])
    if not places or len(places) > MOST_AT_ONCE:
        raise Http404(_("Choose at least one place and at most %(n)d.") % {"n": MOST_AT_ONCE})
    content = drawing.pdf(_texts(request, places), size=size)
    record(request.staff, PLATES_PRINTED, union=request.staff.union, details={"rows": len(places), "form": size})
    response = _file(content, "application/pdf", f"plates-{size}.pdf")
    response["X-Row-Count"] = str(len(places))
    return response


@require_safe
@desk_page(EXPORT_PLACES)
@transaction.atomic
def export_visits(request: StaffRequest, form: str) -> HttpResponseBase:
    """All visits by plate and day; that they were taken home is recorded."""
    visits = queries.visits(for_staff=request.staff)
    response, count = spreadsheet(VisitsResource(), visits, form=form, name="plate-visits")
    expected = visits.count()
    if count != expected:
        msg = f"the export holds {count} of {expected} rows"
        raise RuntimeError(msg)
    record(request.staff, VISITS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    response["X-Row-Count"] = str(count)
    return response


@require_safe
@desk_page(PRINT_PLATES)
def plate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One place's plate, and who many came by it."""
    place = _place_of(request, public_id)
    days = queries.days_of(place)
    return render(
        request,
        "places/plates/plate.html",
        {
            "place": place,
            "address": _texts(request, [place])[0].url,
            "days": days,
            "bars": [(n * 10, 100 - day.share, max(day.share, 1), day) for n, day in enumerate(days)],
            "total": sum(day.count for day in days),
            "today": days[-1].count,
            "busiest": max(days, key=lambda day: day.count),
        },
    )


@require_safe
@desk_page(PRINT_PLATES)
def plate_svg(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The plate as an SVG file."""
    place = _place_of(request, public_id)
    content = drawing.svg(_texts(request, [place])[0]).encode()
    response = _file(content, "image/svg+xml", "plate.svg")
    if "show" in request.GET:
        response["Content-Disposition"] = "inline"
    return response


@require_safe
@desk_page(PRINT_PLATES)
def plate_pdf(request: StaffRequest, public_id: UUID, size: str) -> HttpResponseBase:
    """The plate as a PDF to print."""
    _check_size(size)
    place = _place_of(request, public_id)
    content = drawing.pdf(_texts(request, [place]), size=size)
    return _file(content, "application/pdf", f"plate-{size}.pdf")


def _texts(request: StaffRequest, places: list[Place]) -> list[drawing.PlateText]:
    codes = plates_of(places, actor=request.staff)
    return [
        drawing.PlateText(
            place=place.name,
            union=place.union.name,
            url=settings.BASE_URL + reverse("places:plate_scanned", args=[codes[place.pk]]),
        )
        for place in places
    ]


def _place_of(request: StaffRequest, public_id: UUID) -> Place:
    found: Place = get_object_or_404(queries.places_with_plates(for_staff=request.staff), public_id=public_id)
    return found


def _check_size(size: str) -> None:
    if size not in drawing.SIZES:
        raise Http404


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
