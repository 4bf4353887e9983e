"""The live map."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from yizhan.passage.live_tokens import Watcher, make_token
from yizhan.passage.queries.rules import rules_in_force
from yizhan.passage.rights import WATCH_LIVE
from yizhan.unions.desk import StaffRequest, desk_page


@require_safe
@never_cache
@desk_page(WATCH_LIVE)
def live(request: StaffRequest) -> HttpResponseBase:
    """Simulated vehicles as they move, and reminders of the acting union's places as they are made."""
    rules = rules_in_force(request.staff.union).rules
    return render(
        request,
        "passage/live.html",
        {
            **_addresses(request),
            "rules": rules,
            "cool_down_min": rules.cool_down_s // 60,
            "gap_min": rules.gap_s // 60,
        },
    )


@require_safe
@never_cache
@desk_page(WATCH_LIVE)
def addresses(request: StaffRequest) -> HttpResponseBase:
    """Fresh addresses for a page whose token has run out, if whoever looks at it still may."""
    return JsonResponse(_addresses(request))


def _addresses(request: StaffRequest) -> dict[str, str]:
    token = urlencode({"token": make_token(Watcher(request.staff.union.path))})
    return {"events": f"/api/live/events?{token}", "roads": f"/api/live/roads.geojson?{token}"}
