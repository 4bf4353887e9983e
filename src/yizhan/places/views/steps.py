"""The steps in the life of a place: publish, withdraw, close."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yizhan.places import services
from yizhan.places.forms import ReasonForm
from yizhan.places.rights import PUBLISH_PLACES
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken

from .lists import place_of


@require_POST
@desk_page(PUBLISH_PLACES)
def publish(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let everyone see a place."""
    place = place_of(request, public_id)
    try:
        services.publish_place(place, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("“%(name)s” is now seen by everyone.") % {"name": place.name})
    return redirect("places:desk_place", public_id)


@require_POST
@desk_page(PUBLISH_PLACES)
def withdraw(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take a place from public view for the time being."""
    place = place_of(request, public_id)
    try:
        services.withdraw_place(place, actor=request.staff, reason=_reason(request, "withdraw"))
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("“%(name)s” was withdrawn; nobody is led there now.") % {"name": place.name})
    return redirect("places:desk_place", public_id)


@require_POST
@desk_page(PUBLISH_PLACES)
def resume(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let everyone see a suspended place again."""
    place = place_of(request, public_id)
    try:
        services.resume_place(place, actor=request.staff, reason=_reason(request, "resume"))
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("“%(name)s” is seen by everyone again.") % {"name": place.name})
    return redirect("places:desk_place", public_id)


@require_POST
@desk_page(PUBLISH_PLACES)
def close(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Close a place for good."""
    place = place_of(request, public_id)
    try:
        services.close_place(place, actor=request.staff, reason=_reason(request, "close"))
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("“%(name)s” is closed for good.") % {"name": place.name})
    return redirect("places:desk_place", public_id)


def _reason(request: StaffRequest, prefix: str) -> str:
    form = ReasonForm(request.POST, prefix=prefix)
    if not form.is_valid():
        raise RuleBroken.at("reason", "", _("Give a reason in at most 200 characters."), "missing")
    return str(form.cleaned_data["reason"])
