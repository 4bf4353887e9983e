"""Reminders on the desk."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from import_export.fields import Field

from yizhan.passage.actions import REMINDERS_EXPORTED
from yizhan.passage.filters import ReminderFilter
from yizhan.passage.models import Reminder
from yizhan.passage.queries import reminders as queries
from yizhan.passage.rights import EXPORT_REMINDERS, VIEW_REMINDERS, WATCH_LIVE
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.exports import ListResource, spreadsheet
from yizhan.unions.rights import policy

MOST_EXPORTED = 100_000


class ReminderResource(ListResource):
    """The list as it is taken home."""

    passed_at = Field(attribute="passed_at", column_name=gettext_lazy("Passed at"))
    place = Field(attribute="place__name", column_name=gettext_lazy("Place"))
    union = Field(attribute="union__name", column_name=gettext_lazy("Union"))
    distance = Field(column_name=gettext_lazy("Distance in metres"))
    vehicle = Field(attribute="vehicle_name", column_name=gettext_lazy("Vehicle (pseudonym)"))
    source = Field(attribute="source__name", column_name=gettext_lazy("Source"))
    kind = Field(column_name=gettext_lazy("Vehicles"))
    public_id = Field(attribute="public_id", column_name=gettext_lazy("Number"))

    def dehydrate_distance(self, reminder: Reminder) -> int:
        """Whole metres."""
        return round(reminder.distance_m)

    def dehydrate_kind(self, reminder: Reminder) -> str:
        """Simulated or real."""
        return _("Simulated") if reminder.is_simulated else _("Real")


@require_safe
@desk_page(VIEW_REMINDERS)
def reminders(request: StaffRequest) -> HttpResponseBase:
    """Who was reminded of which place, at and below the acting union."""
    narrowed = ReminderFilter(request.GET, queryset=queries.reminders(for_staff=request.staff))
    return render(
        request,
        "passage/reminders.html",
        {
            "filter": narrowed,
            "figures": queries.figures(narrowed.qs),
            "page": Paginator(narrowed.qs, 50).get_page(request.GET.get("page")),
            "may_export": policy.holds(request.staff, EXPORT_REMINDERS),
            "may_watch": policy.holds(request.staff, WATCH_LIVE),
        },
    )


@require_safe
@desk_page(EXPORT_REMINDERS)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same list as a spreadsheet."""
    narrowed = ReminderFilter(request.GET, queryset=queries.reminders(for_staff=request.staff))
    if narrowed.qs.count() > MOST_EXPORTED:
        text = _("More than %(most)s reminders do not fit into one file: narrow the list by days, then export again.")
        messages.error(request, text % {"most": f"{MOST_EXPORTED:,}"})
        return redirect(f"{reverse('passage:reminders')}?{request.GET.urlencode()}")
    response, count = spreadsheet(ReminderResource(), narrowed.qs, form=form, name="reminders")
    record(request.staff, REMINDERS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response
