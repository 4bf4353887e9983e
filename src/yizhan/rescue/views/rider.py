"""The rider's pages: call in two taps, then follow who comes, on a page whose address is the secret."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.rescue.forms.rider import CallForm, VerdictForm
from yizhan.rescue.life import may
from yizhan.rescue.live_tokens import events_address
from yizhan.rescue.models import By, CallEventKind, CallPhoto, CallState, RescueCall
from yizhan.rescue.queries import calls as queries
from yizhan.rescue.services import calls as services
from yizhan.rescue.services.log import database_now
from yizhan.rescue.throttle import TooMany
from yizhan.rescue.tokens import token_for
from yizhan.unions.audit import client_address
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import User, Worker
from yizhan.unions.queries.people import worker_of

P = ParamSpec("P")

TONES = {
    CallState.SUBMITTED: "warn",
    CallState.OFFERED: "warn",
    CallState.ESCALATED: "bad",
    CallState.ACCEPTED: "info",
    CallState.ON_WAY: "info",
    CallState.ARRIVED: "info",
    CallState.DONE: "good",
    CallState.CONFIRMED: "good",
    CallState.UNSAFE: "bad",
    CallState.CANCELLED: "neutral",
    CallState.NO_SHOW: "neutral",
    CallState.FALSE_CALL: "neutral",
}


def quiet(response: HttpResponseBase) -> HttpResponseBase:
    """A secret address is told to no other site, and no search engine keeps it."""
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _worker(request: HttpRequest) -> Worker | None:
    return worker_of(request.user) if isinstance(request.user, User) else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Call for help. Who has a call open is led to it."""
    worker = _worker(request)
    has_phone = bool(worker and worker.user.phone)
    status = 200
    if request.method == "POST":
        form = CallForm(request.POST, request.FILES, has_phone=has_phone)
        status = 422
        if form.is_valid():
            try:
                call = services.submit_call(
                    form.facts(),
                    request_id=form.cleaned_data["request_id"],
                    worker=worker,
                    photo=form.photo_bytes(),
                    address=client_address.get(),
                )
            except services.OpenAlready as broken:
                if worker is not None and broken.call.worker_id == worker.pk:
                    return redirect("rescue:live", token_for(broken.call.request_id))
                form.show(broken)
            except TooMany as broken:
                form.show(broken)
                status = 429
            except RuleBroken as broken:
                form.show(broken)
            else:
                return redirect("rescue:live", token_for(call.request_id))
    else:
        if worker is not None and (earlier := queries.open_call_of(worker)):
            return redirect("rescue:live", token_for(earlier.request_id))
        form = CallForm(initial={"request_id": uuid4()}, has_phone=has_phone)
    return render(request, "rescue/new.html", {"form": form, "worker": worker}, status=status)


def _with_token(
    view: Callable[Concatenate[HttpRequest, RescueCall, str, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def found(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            call = queries.call_by_token(token)
        except RescueCall.DoesNotExist:
            raise Http404(_("There is no such call; check whether the whole address was copied.")) from None
        return quiet(view(request, call, token, *args, **kwargs))

    return never_cache(found)


def _told(call: RescueCall, token: str) -> dict[str, Any]:
    now = database_now()
    approach = queries.approaches([call], now).get(call.pk)
    return {
        "call": call,
        "token": token,
        "events": events_address("call", call.pk),
        "tone": TONES[CallState(call.state)],
        "approach": approach,
        "rescuer": call.rescuer if call.is_held or call.state == CallState.DONE else None,
        "is_late": call.is_open and now > call.due_at and call.arrived_at is None,
        "steps": queries.steps_of(call, for_rider=True),
        "messages_of_call": queries.messages_of(call),
        "side": By.RIDER,
        "mark": {
            "version": call.version,
            "call": [call.lon, call.lat],
            "rescuer": [approach.lon, approach.lat] if approach and approach.lon is not None else None,
        },
    }


@require_safe
@_with_token
def live(request: HttpRequest, call: RescueCall, token: str) -> HttpResponseBase:
    """Who comes, where they are, how long they take."""
    return _page(request, call, token)


def _page(
    request: HttpRequest, call: RescueCall, token: str, *, verdict: VerdictForm | None = None, status: int = 200
) -> HttpResponseBase:
    context = _told(call, token) | {
        "link": settings.BASE_URL + reverse("rescue:live", args=[token]),
        "photos": queries.photos_of(call),
        "message_id": uuid4(),
        "photo_id": uuid4(),
        "verdict": verdict or VerdictForm(),
        "may_cancel": may(call.state, CallEventKind.CANCELLED),
        "may_move": may(call.state, CallEventKind.MOVED),
        "may_confirm": may(call.state, CallEventKind.CONFIRMED),
        "may_reopen": may(call.state, CallEventKind.REOPENED) and call.state != CallState.FALSE_CALL,
        "may_say_nobody_came": services.may_say_nobody_came(call, database_now()),
        "may_say_unsafe": may(call.state, CallEventKind.UNSAFE),
        "may_say_safe": may(call.state, CallEventKind.SAFE),
        "may_talk": call.is_open or call.state == CallState.DONE,
    }
    return render(request, "rescue/live.html", context, status=status)


@require_safe
@_with_token
def part(request: HttpRequest, call: RescueCall, token: str) -> HttpResponseBase:
    """What changes on the page by itself: asked for every few seconds."""
    response = HttpResponse(render_to_string("rescue/parts/live.html", _told(call, token), request))
    response["X-Version"] = str(call.version)
    response["X-Events"] = events_address("call", call.pk)
    return response


@require_POST
@_with_token
def step(request: HttpRequest, call: RescueCall, token: str, step: str) -> HttpResponseBase:
    """A step of the rider."""
    try:
        if step == "confirm":
            verdict = VerdictForm(request.POST)
            if not verdict.is_valid():
                return _page(request, call, token, verdict=verdict, status=422)
            services.confirm_done(call, stars=verdict.cleaned_data["stars"], words=verdict.cleaned_data["words"])
            messages.success(request, _("Thank you. Ride safely!"))
        else:
            _act(request, call, step)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    return redirect("rescue:live", token)


def _act(request: HttpRequest, call: RescueCall, step: str) -> None:
    told = request.POST
    match step:
        case "cancel":
            services.cancel_call(call, words=told.get("words", ""))
        case "reopen":
            services.reopen_call(call, words=told.get("words", ""))
        case "not-come":
            services.say_nobody_came(call, words=told.get("words", ""))
        case "unsafe":
            services.say_unsafe(call, by=By.RIDER)
        case "safe":
            services.say_safe(call, by=By.RIDER)
        case "move":
            services.move_call(call, lon=number(told, "lon"), lat=number(told, "lat"))
        case "say":
            services.say(call, told.get("text", ""), request_id=request_id_of(told), by=By.RIDER)
        case "photo":
            given = request.FILES.get("photo")
            services.add_photo(call, given.read() if given else b"", request_id=request_id_of(told), by=By.RIDER)
        case _:
            raise Http404


def number(told: Any, name: str) -> float:
    """A number of a form without fields of its own; what is none becomes a broken rule."""
    try:
        return float(told.get(name, ""))
    except ValueError:
        raise RuleBroken.at(
            name, str(told.get(name, ""))[:40], _("A position is a longitude and a latitude."), "invalid"
        ) from None


def request_id_of(told: Any) -> UUID:
    """The id that the page made for what is sent; a page without script has one from the server."""
    try:
        return UUID(told.get("request_id", ""))
    except ValueError:
        return uuid4()


@require_safe
@_with_token
def photo(request: HttpRequest, call: RescueCall, token: str, public_id: UUID) -> HttpResponseBase:
    """A picture of the call, for whoever holds the link."""
    try:
        return photo_response(queries.photo_of(call, public_id))
    except CallPhoto.DoesNotExist:
        raise Http404 from None


def photo_response(kept: CallPhoto) -> FileResponse:
    """The picture, for this reader alone."""
    response = FileResponse(kept.file.open("rb"), content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    response["Cache-Control"] = "private, no-store"
    return response


def now_in_shanghai() -> str:
    """The wall clock, for pages that say how fresh they are."""
    return timezone.localtime().strftime("%H:%M:%S")
