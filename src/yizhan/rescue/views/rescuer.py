"""The rescuer's page on the phone: on duty and off, offers with their seconds, and the calls in hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from yizhan.geo import haversine_m
from yizhan.rescue.forms.rider import FinishForm
from yizhan.rescue.live_tokens import events_address, make_token
from yizhan.rescue.models import By, CallPhoto, CallState, Offer, RescueCall, Rescuer
from yizhan.rescue.queries import calls as queries
from yizhan.rescue.queries import subsidies as subsidy_queries
from yizhan.rescue.services import answers, duty
from yizhan.rescue.services.calls import say, say_unsafe
from yizhan.rescue.services.log import database_now
from yizhan.unions.errors import RuleBroken

from .rider import TONES, number, photo_response, request_id_of
from .subsidies import shown as shown_subsidy


def _rescuer(request: HttpRequest) -> Rescuer:
    rescuer = queries.rescuer_of(request.user)
    if rescuer is None:
        raise Http404(_("You are not on the list of rescuers; ask your union."))
    return rescuer


class _Now:
    """What a rescuer has before them: the turn of duty that runs, offers, calls in hand and those just ended."""

    def __init__(self, rescuer: Rescuer) -> None:
        self.at = database_now()
        self.running = queries.duty_of(rescuer)
        self.offers = queries.offers_to(rescuer)
        self.jobs = queries.jobs_of(rescuer, since=self.at - timedelta(hours=2))

    @property
    def version(self) -> str:
        """Whatever of this changes, the page is drawn anew."""
        return ".".join(
            [
                str(self.running.pk if self.running else 0),
                *(str(offer.pk) for offer in self.offers),
                *(f"{call.pk}-{call.version}" for call in self.jobs),
            ]
        )


def _told(rescuer: Rescuer) -> dict[str, Any]:
    now = _Now(rescuer)
    running, jobs = now.running, now.jobs
    shown = []
    paid = subsidy_queries.latest_of(jobs)
    for call in jobs:
        metres = None
        if running and running.lon is not None and running.lat is not None:
            metres = round(haversine_m(running.lon, running.lat, call.lon, call.lat))
        shown.append(
            {
                "call": call,
                "tone": TONES[CallState(call.state)],
                "metres": metres,
                "subsidy": shown_subsidy(paid[call.pk]) if call.pk in paid else None,
                "messages": queries.messages_of(call),
                "photos": queries.photos_of(call),
                "message_id": uuid4(),
                "finish": FinishForm(initial={"request_id": uuid4()}, prefix=call.public_id.hex),
            }
        )
    return {
        "rescuer": rescuer,
        "duty": running,
        "offers": [
            {
                "offer": offer,
                "left_s": max(0, round((offer.expires_at - now.at).total_seconds())),
                "minutes": max(1, round(offer.travel_s / 60)),
            }
            for offer in now.offers
        ],
        "jobs": shown,
        "side": By.RESCUER,
        "version": now.version,
        "events": events_address("rescuer", rescuer.pk),
        "position_token": make_token("rescuer", rescuer.pk),
        "marks": [[call.lon, call.lat] for call in jobs if call.is_held],
    }


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """The page of a rescuer."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    return render(request, "rescue/duty.html", _told(_rescuer(request)))


@never_cache
@require_safe
def part(request: HttpRequest) -> HttpResponseBase:
    """Whether anything changed: asked every two seconds while on duty.

    Nothing else is told: buttons that are drawn anew under a finger would lose its tap.
    """
    rescuer = _rescuer(request)
    response = HttpResponse(status=204)
    response["X-Version"] = _Now(rescuer).version
    response["X-Events"] = events_address("rescuer", rescuer.pk)
    return response


@require_POST
def turn(request: HttpRequest, turn: str) -> HttpResponseBase:
    """Go on duty, or off."""
    rescuer = _rescuer(request)
    try:
        if turn == "on":
            position = _position(request)
            duty.go_on_duty(rescuer, position=position)
            messages.success(request, _("You are on duty. Keep this page open: calls appear here."))
        elif turn == "off":
            duty.go_off_duty(rescuer)
            messages.success(request, _("You are off duty; your position was erased."))
        else:
            raise Http404
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    return redirect("rescue:duty")


def _position(request: HttpRequest) -> tuple[float, float] | None:
    told = request.POST
    if not told.get("lon") or not told.get("lat"):
        return None
    return number(told, "lon"), number(told, "lat")


@require_POST
def answer(request: HttpRequest, public_id: UUID, answer: str) -> HttpResponseBase:
    """Take an offer, or decline it."""
    try:
        offer = queries.offer_to(_rescuer(request), public_id)
    except Offer.DoesNotExist:
        raise Http404 from None
    try:
        if answer == "accept":
            answers.accept_offer(offer)
            messages.success(request, _("It is yours. The rider sees that you come."))
        elif answer == "decline":
            answers.decline_offer(offer)
        else:
            raise Http404
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    return redirect("rescue:duty")


@require_POST
def step(request: HttpRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """A step in a call in hand."""
    rescuer = _rescuer(request)
    call = _job(rescuer, public_id)
    try:
        _act(request, call, rescuer, step)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    return redirect("rescue:duty")


def _act(request: HttpRequest, call: RescueCall, rescuer: Rescuer, step: str) -> None:
    told = request.POST
    match step:
        case "on-way":
            answers.set_out(call, rescuer=rescuer)
        case "arrived":
            answers.arrive(call, rescuer=rescuer, position=_position(request))
        case "done":
            _finish(request, call, rescuer)
        case "not-done":
            answers.take_back_done(call, rescuer=rescuer)
        case "give-back":
            answers.give_back(call, rescuer=rescuer, words=told.get("words", ""))
        case "nobody":
            answers.find_nobody(call, rescuer=rescuer, words=told.get("words", ""), position=_position(request))
        case "unsafe":
            say_unsafe(call, by=By.RESCUER, rescuer=rescuer, words=told.get("words", ""))
        case "say":
            say(call, told.get("text", ""), request_id=request_id_of(told), by=By.RESCUER, rescuer=rescuer)
        case _:
            raise Http404


def _finish(request: HttpRequest, call: RescueCall, rescuer: Rescuer) -> None:
    form = FinishForm(request.POST, request.FILES, prefix=call.public_id.hex)
    if not form.is_valid():
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        raise RuleBroken.at("photo", "", words)
    told = form.cleaned_data
    position = (told["lon"], told["lat"]) if told["lon"] is not None and told["lat"] is not None else None
    answers.finish(
        call,
        rescuer=rescuer,
        photo=told["photo"].read() if told["photo"] else None,
        request_id=told["request_id"],
        parts=told["parts"],
        batteries=told["batteries"] or 0,
        position=position,
    )


def _job(rescuer: Rescuer, public_id: UUID) -> RescueCall:
    try:
        return queries.job_of(rescuer, public_id)
    except RescueCall.DoesNotExist:
        raise Http404 from None


@never_cache
@require_safe
def photo(request: HttpRequest, public_id: UUID, photo_id: UUID) -> HttpResponseBase:
    """A picture of a call in hand."""
    call = _job(_rescuer(request), public_id)
    if not call.is_held and call.state != CallState.DONE:
        raise Http404
    try:
        return photo_response(queries.photo_of(call, photo_id))
    except CallPhoto.DoesNotExist:
        raise Http404 from None
