"""The audit trail on the desk."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from import_export.fields import Field

from yizhan.unions import actions
from yizhan.unions.audit import details_in_words, label, record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import ListResource, spreadsheet
from yizhan.unions.filters import TrailFilter
from yizhan.unions.models import AuditEntry
from yizhan.unions.queries import trail as queries
from yizhan.unions.rights import READ_AUDIT


class TrailResource(ListResource):
    """The trail as it is taken home."""

    at = Field(attribute="at", column_name=gettext_lazy("Time"))
    person = Field(attribute="person", column_name=gettext_lazy("Who"))
    union = Field(attribute="union__name", column_name=gettext_lazy("Union"))
    action = Field(column_name=gettext_lazy("What"))
    target = Field(attribute="target_label", column_name=gettext_lazy("Target"))
    details = Field(column_name=gettext_lazy("Details"))
    address = Field(attribute="address", column_name=gettext_lazy("Network address"))
    request_id = Field(attribute="request_id", column_name=gettext_lazy("Request"))

    def dehydrate_action(self, entry: AuditEntry) -> str:
        """What was done, in the reader's language."""
        return str(label(entry.action))

    def dehydrate_details(self, entry: AuditEntry) -> str:
        """Details in words."""
        return "; ".join(f"{name}: {value}" for name, value in details_in_words(entry.details))


@require_safe
@desk_page(READ_AUDIT)
def trail(request: StaffRequest) -> HttpResponseBase:
    """Who did and who saw what, at and below the acting union."""
    narrowed = TrailFilter(request.GET, queryset=queries.entries(for_staff=request.staff))
    page = Paginator(narrowed.qs, 50).get_page(request.GET.get("page"))
    shown = [(entry, label(entry.action), details_in_words(entry.details)) for entry in page.object_list]
    record(request.staff, actions.TRAIL_READ, union=request.staff.union, details={"page": page.number})
    return render(request, "unions/trail.html", {"filter": narrowed, "page": page, "shown": shown})


@require_safe
@desk_page(READ_AUDIT)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same entries as a spreadsheet."""
    narrowed = TrailFilter(request.GET, queryset=queries.entries(for_staff=request.staff))
    response, count = spreadsheet(TrailResource(), narrowed.qs, form=form, name="audit")
    record(request.staff, actions.TRAIL_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response
