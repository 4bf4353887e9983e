"""The steps in the life of a place: publish, withdraw, close."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yizhan.places import services
from yizhan.places.forms import ReasonForm, WithdrawForm
from yizhan.places.models import Place
from yizhan.places.rights import PUBLISH_PLACES
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff

from .lists import place_of


@require_POST
@desk_page(PUBLISH_PLACES)
def publish(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let everyone see a place."""
    return _take(request, public_id, services.publish_place, _("“%(name)s” is now seen by everyone."))


@require_POST
@desk_page(PUBLISH_PLACES)
def withdraw(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take a place from public view for the time being."""

    def withdrawn(place: Place, *, actor: Staff) -> Place:
        form = WithdrawForm(request.POST, prefix="withdraw")
        if not form.is_valid():
            raise RuleBroken.at(
                "reason", "", _("Give a reason in at most 200 characters, and a day or none."), "missing"
            )
        return services.withdraw_place(place, actor=actor, **form.cleaned_data)

    return _take(request, public_id, withdrawn, _("“%(name)s” was withdrawn; nobody is led there now."))


@require_POST
@desk_page(PUBLISH_PLACES)
def resume(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let everyone see a suspended place again."""
    return _take_with_reason(
        request, public_id, services.resume_place, "resume", _("“%(name)s” is seen by everyone again.")
    )


@require_POST
@desk_page(PUBLISH_PLACES)
def close(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Close a place for good."""
    return _take_with_reason(request, public_id, services.close_place, "close", _("“%(name)s” is closed for good."))


def _take(request: StaffRequest, public_id: UUID, step: Callable[..., Place], said: str) -> HttpResponseBase:
    """Take one step of a place's life; `said` tells its keeper what came of it, or the broken rule is told."""
    place = place_of(request, public_id)
    try:
        step(place, actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, said % {"name": place.name})
    return redirect("places:desk_place", public_id)


def _take_with_reason(
    request: StaffRequest, public_id: UUID, step: Callable[..., Place], prefix: str, said: str
) -> HttpResponseBase:
    def with_reason(place: Place, *, actor: Staff) -> Place:
        return step(place, actor=actor, reason=_reason(request, prefix))

    return _take(request, public_id, with_reason, said)


def _reason(request: StaffRequest, prefix: str) -> str:
    form = ReasonForm(request.POST, prefix=prefix)
    if not form.is_valid():
        raise RuleBroken.at("reason", "", _("Give a reason in at most 200 characters."), "missing")
    return str(form.cleaned_data["reason"])
