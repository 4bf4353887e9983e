"""Calls and subsidies as lists to take home: phones masked, positions rounded, nobody's words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from import_export.fields import Field

from yizhan.benefits.clock import yuan
from yizhan.unions.exports import ListResource

from .models import RescueCall, Subsidy
from .queries.subsidies import words_of

MOST_EXPORTED: Final = 50_000


class CallResource(ListResource):
    """A call as a row. Where it stood is told to about a hundred metres."""

    public_id = Field(attribute="public_id", column_name=pgettext_lazy("rescue list", "Call"))
    received_at = Field(attribute="received_at", column_name=_("Received"))
    union = Field(attribute="union__name", column_name=pgettext_lazy("rescue", "Union"))
    problem = Field(attribute="get_problem_display", column_name=_("What is broken"))
    is_injured = Field(column_name=_("Someone hurt"))
    state = Field(attribute="get_state_display", column_name=_("State"))
    rescuer = Field(attribute="rescuer__name", column_name=_("Rescuer"))
    phone = Field(attribute="masked_phone", column_name=_("Phone (masked)"))
    lon = Field(column_name=_("Longitude (rounded)"))
    lat = Field(column_name=_("Latitude (rounded)"))
    due_at = Field(attribute="due_at", column_name=_("Someone should be there by"))
    accepted_at = Field(attribute="accepted_at", column_name=_("Taken"))
    arrived_at = Field(attribute="arrived_at", column_name=_("Arrived"))
    done_at = Field(attribute="done_at", column_name=_("Mended"))
    closed_at = Field(attribute="closed_at", column_name=_("Over"))
    minutes = Field(column_name=_("Minutes until someone was there"))
    misses = Field(attribute="misses", column_name=_("Offers without answer"))
    times_reopened = Field(attribute="times_reopened", column_name=_("Times opened again"))
    parts = Field(attribute="parts", column_name=_("Parts used"))
    batteries_used = Field(attribute="batteries_used", column_name=_("Batteries swapped"))
    stars = Field(attribute="stars", column_name=_("Stars"))

    def dehydrate_is_injured(self, call: RescueCall) -> str:
        """Yes or nothing."""
        return str(_("yes")) if call.is_injured else ""

    def dehydrate_lon(self, call: RescueCall) -> float:
        """To three decimals."""
        return round(call.lon, 3)

    def dehydrate_lat(self, call: RescueCall) -> float:
        """To three decimals."""
        return round(call.lat, 3)

    def dehydrate_minutes(self, call: RescueCall) -> float | None:
        """From the call to the arrival."""
        if call.arrived_at is None:
            return None
        return round((call.arrived_at - call.received_at).total_seconds() / 60, 1)


class SubsidyResource(ListResource):
    """A subsidy as a row. The worker is named by the identifier that stands in the redemption, too."""

    call = Field(attribute="call__public_id", column_name=pgettext_lazy("rescue list", "Call"))
    made_at = Field(attribute="made_at", column_name=_("Mended"))
    union = Field(attribute="call__union__name", column_name=pgettext_lazy("rescue", "Union"))
    rescuer = Field(attribute="rescuer__name", column_name=_("Rescuer"))
    place = Field(attribute="place__name", column_name=_("Paid to"))
    programme = Field(attribute="programme__name", column_name=_("Programme"))
    state = Field(attribute="get_state_display", column_name=_("State"))
    reason = Field(column_name=_("Why not"))
    amount = Field(column_name=_("Amount (yuan)"))
    redemption = Field(attribute="redemption__public_id", column_name=_("Redemption"))
    redeemed = Field(attribute="redemption__get_state_display", column_name=_("State of the redemption"))
    distance_m = Field(attribute="distance_m", column_name=_("Metres from the rider's mark"))
    tries = Field(attribute="tries", column_name=_("Tries"))

    def dehydrate_reason(self, subsidy: Subsidy) -> str:
        """In the reader's language."""
        return words_of(subsidy)

    def dehydrate_amount(self, subsidy: Subsidy) -> float | None:
        """Of the redemption, whatever became of it."""
        return float(yuan(subsidy.redemption.funded_fen)) if subsidy.redemption else None
