"""Where vehicles are, by square and hour: what an installation may keep of positions, if the union wants it."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from import_export.fields import Field

from yizhan.passage.actions import COUNTS_EXPORTED
from yizhan.passage.filters import HourCountFilter
from yizhan.passage.models import SQUARES_PER_DEGREE, HourCount, PingSource
from yizhan.passage.queries import counts as queries
from yizhan.passage.queries import sources
from yizhan.passage.rights import EXPORT_REMINDERS, MANAGE_SOURCES, VIEW_REMINDERS
from yizhan.passage.services.counts import keep_counts
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import ListResource, spreadsheet
from yizhan.unions.rights import policy

MOST_EXPORTED = 200_000


class HourCountResource(ListResource):
    """The list as it is taken home."""

    hour = Field(attribute="hour", column_name=gettext_lazy("Hour (Shanghai)"))
    west = Field(attribute="west", column_name=gettext_lazy("Western edge (degrees, WGS-84)"))
    south = Field(attribute="south", column_name=gettext_lazy("Southern edge (degrees, WGS-84)"))
    vehicles = Field(attribute="vehicles", column_name=gettext_lazy("Vehicles"))
    source = Field(attribute="source__name", column_name=gettext_lazy("Source"))


@require_safe
@desk_page(VIEW_REMINDERS)
def counts(request: StaffRequest) -> HttpResponseBase:
    """How many vehicles were in which square in which hour, at and below the acting union."""
    narrowed = HourCountFilter(request.GET, queryset=queries.counts(for_staff=request.staff))
    return render(
        request,
        "passage/counts.html",
        {
            "filter": narrowed,
            "figures": queries.count_figures(narrowed.qs),
            "page": Paginator(narrowed.qs, 50).get_page(request.GET.get("page")),
            "may_export": policy.holds(request.staff, EXPORT_REMINDERS),
            "may_manage": policy.holds(request.staff, MANAGE_SOURCES),
        },
    )


@require_safe
@desk_page(EXPORT_REMINDERS)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same list as a spreadsheet, or as squares for a map (GeoJSON)."""
    found = HourCountFilter(request.GET, queryset=queries.counts(for_staff=request.staff)).qs
    if (count := found.count()) > MOST_EXPORTED:
        text = _("More than %(most)s rows do not fit into one file: narrow the list by days, then export again.")
        messages.error(request, text % {"most": f"{MOST_EXPORTED:,}"})
        return redirect(f"{reverse('passage:counts')}?{request.GET.urlencode()}")
    response: HttpResponseBase
    if form == "geojson":
        response = HttpResponse(_geojson(found), content_type="application/geo+json")
        response["Content-Disposition"] = 'attachment; filename="vehicle-counts.geojson"'
    else:
        response, count = spreadsheet(HourCountResource(), found, form=form, name="vehicle-counts")
    record(request.staff, COUNTS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response


@require_POST
@desk_page(MANAGE_SOURCES)
def keep(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Begin or end to count the vehicles of a source."""
    found: PingSource = get_object_or_404(sources.sources(for_staff=request.staff), public_id=public_id)
    kept = request.POST.get("kept") == "yes"
    keep_counts(staff=request.staff, source=found, kept=kept)
    text = _("Its vehicles are counted from now on.") if kept else _("Its vehicles are no longer counted.")
    messages.success(request, text)
    return redirect("passage:source", found.public_id)


def _geojson(found: list[HourCount]) -> str:
    side = 1 / SQUARES_PER_DEGREE
    features = []
    for each in found:
        west, south = each.west, each.south
        east, north = round(west + side, 2), round(south + side, 2)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        hour = timezone.localtime(each.hour).isoformat()
        properties = {"hour": hour, "vehicles": each.vehicles, "source": each.source.name}
        features.append(
            {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
