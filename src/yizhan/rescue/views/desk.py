"""The duty desk: the board of open calls, one call with its replay, who is on the list, and how quick help is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.rescue.actions import CALL_PHONE_SEEN, CALLS_EXPORTED
from yizhan.rescue.exports import CallResource
from yizhan.rescue.forms.desk import RescuerForm
from yizhan.rescue.life import may
from yizhan.rescue.live_tokens import events_address
from yizhan.rescue.models import (
    WAITING_STATES,
    By,
    CallEventKind,
    CallPhoto,
    CallState,
    Problem,
    RescueCall,
    Rescuer,
)
from yizhan.rescue.queries import board as queries
from yizhan.rescue.queries import calls as call_queries
from yizhan.rescue.queries import subsidies as subsidy_queries
from yizhan.rescue.rights import DISPATCH, EXPORT_RESCUE, MANAGE_RESCUERS, PAY_SUBSIDIES, VIEW_RESCUE
from yizhan.rescue.services import desk as services
from yizhan.rescue.services import rescuers as rescuer_services
from yizhan.rescue.services.calls import cancel_call, confirm_done, reopen_call, say, say_nobody_came, say_safe
from yizhan.rescue.services.log import database_now
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.personal_data import show_phone
from yizhan.unions.rights import policy

from .rider import TONES, photo_response, request_id_of
from .subsidies import shown
from .taking_home import take_home

DAYS = (7, 30, 90)


def _board(request: StaffRequest) -> dict[str, Any]:
    now = database_now()
    calls = queries.open_calls(request.staff)
    approaches = call_queries.approaches(calls, now)
    rescuers = queries.on_duty(request.staff, now)
    rows = [
        {
            "call": call,
            "tone": TONES[CallState(call.state)],
            "approach": approaches.get(call.pk),
            "is_late": now > call.due_at and call.arrived_at is None,
            "waited": int((now - call.received_at).total_seconds() // 60),
            "may_send": may(call.state, CallEventKind.ASSIGNED),
        }
        for call in calls
    ]
    return {
        "rows": rows,
        "events": events_address("board", request.staff.union.path),
        "rescuers": rescuers,
        "free": [each for each in rescuers if each.has_a_hand_free],
        "waiting": sum(1 for call in calls if call.state in WAITING_STATES),
        "held": sum(1 for call in calls if call.is_held),
        "late": sum(1 for row in rows if row["is_late"]),
        "may_dispatch": policy.holds(request.staff, DISPATCH),
        "marks": {
            "calls": [
                {
                    "id": str(call.public_id), "lon": call.lon, "lat": call.lat, "tone": TONES[CallState(call.state)],
                    "name": str(Problem(call.problem).label), "words": call.get_state_display(),
                    "url": call.get_absolute_url(),
                }
                for call in calls
            ],
            "rescuers": [
                {
                    "id": str(each.rescuer.public_id), "lon": each.duty.lon, "lat": each.duty.lat,
                    "name": each.rescuer.name, "free": each.has_a_hand_free, "silent": each.is_silent,
                }
                for each in rescuers
                if each.duty.lon is not None
            ],
        },
    }  # fmt: skip


@never_cache
@require_safe
@desk_page(VIEW_RESCUE)
def board(request: StaffRequest) -> HttpResponseBase:
    """The board: open calls by what is due first, who is on duty, the map."""
    return render(request, "rescue/board.html", _board(request))


@never_cache
@require_safe
@desk_page(VIEW_RESCUE)
def board_part(request: StaffRequest) -> HttpResponseBase:
    """What changes on the board by itself: asked for every few seconds."""
    response = HttpResponse(render_to_string("rescue/parts/board.html", _board(request), request))
    response["X-Events"] = events_address("board", request.staff.union.path)
    return response


@never_cache
@require_safe
@desk_page(VIEW_RESCUE)
def coverage(request: StaffRequest) -> HttpResponseBase:
    """Minutes to the nearest able rescuer, as GeoJSON."""
    problem = request.GET.get("problem", Problem.FLAT_TYRE)
    if problem not in Problem.values:
        raise Http404
    return JsonResponse(queries.coverage(request.staff, database_now(), problem=problem))


def _call(request: StaffRequest, public_id: UUID) -> RescueCall:
    try:
        return call_queries.call_for(request.staff, public_id)
    except RescueCall.DoesNotExist:
        raise Http404 from None


@never_cache
@require_safe
@desk_page(VIEW_RESCUE)
def call(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One call: where, who, every step with its time, and what can be done now."""
    found = _call(request, public_id)
    now = database_now()
    steps = call_queries.steps_of(found)
    may_dispatch = policy.allows(request.staff, DISPATCH, found.union)
    free = [each for each in queries.on_duty(request.staff, now) if each.has_a_hand_free] if may_dispatch else []
    return render(
        request,
        "rescue/call.html",
        {
            "call": found,
            "tone": TONES[CallState(found.state)],
            "approach": call_queries.approaches([found], now).get(found.pk),
            "is_late": found.is_open and now > found.due_at and found.arrived_at is None,
            "steps": steps,
            "messages_of_call": call_queries.messages_of(found),
            "photos": call_queries.photos_of(found),
            "side": By.DESK,
            "free": free,
            "may_dispatch": may_dispatch,
            "may_send": may(found.state, CallEventKind.ASSIGNED),
            "may_broadcast": may(found.state, CallEventKind.OFFERED),
            "may_cancel": may(found.state, CallEventKind.CANCELLED),
            "may_false": may(found.state, CallEventKind.FALSE_CALL),
            "may_reopen": may(found.state, CallEventKind.REOPENED),
            "may_say_safe": may(found.state, CallEventKind.SAFE),
            "may_confirm": may(found.state, CallEventKind.CONFIRMED),
            "may_take_off": may(found.state, CallEventKind.NOT_COME),
            "subsidies": [shown(each) for each in subsidy_queries.of_call(found)],
            "may_pay": policy.allows(request.staff, PAY_SUBSIDIES, found.union),
            "message_id": uuid4(),
            "replay": [
                {
                    "at": step.at.isoformat(), "words": str(step.get_kind_display()),
                    "who": step.rescuer.name if step.rescuer else str(step.get_by_display()),
                    "at_s": (step.at - found.received_at).total_seconds(),
                    "position": [step.lon, step.lat] if step.lon is not None else None,
                }
                for step in steps
            ],
        },
    )  # fmt: skip


@require_POST
@desk_page(DISPATCH)
def take(request: StaffRequest, public_id: UUID, step: str) -> HttpResponseBase:
    """A step of the desk."""
    found = _call(request, public_id)
    policy.require(request.staff, DISPATCH, found.union)
    try:
        said = _act(request, found, step)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    else:
        if said:
            messages.success(request, said)
    return redirect("rescue:board" if request.POST.get("back") == "board" else found)


def _act(request: StaffRequest, call: RescueCall, step: str) -> str:
    told, staff = request.POST, request.staff
    match step:
        case "assign":
            rescuer = _rescuer(request, told.get("rescuer", ""))
            seen = told.get("seen", "")
            services.assign_call(call, rescuer, actor=staff, seen=int(seen) if seen.isdigit() else None)
            return _("%(name)s was sent.") % {"name": rescuer.name}
        case "broadcast":
            asked = services.broadcast(call, actor=staff)
            return _("%(n)d rescuers were asked at once.") % {"n": asked}
        case "cancel":
            cancel_call(call, words=told.get("words", ""), by=By.DESK, post=staff)
        case "false":
            services.mark_false(call, actor=staff, words=told.get("words", ""))
        case "reopen":
            reopen_call(call, words=told.get("words", ""), by=By.DESK, post=staff)
        case "safe":
            say_safe(call, by=By.DESK, post=staff, words=told.get("words", ""))
        case "confirm":
            confirm_done(call, words=told.get("words", ""), by=By.DESK, post=staff)
        case "not-come":
            say_nobody_came(call, words=told.get("words", ""), by=By.DESK, post=staff)
        case "say":
            say(call, told.get("text", ""), request_id=request_id_of(told), by=By.DESK, post=staff)
        case "phone":
            record(staff, CALL_PHONE_SEEN, union=call.union, target=call)
            return _("The number is %(phone)s.") % {"phone": show_phone(call.contact_phone)}
        case _:
            raise Http404
    return ""


def _rescuer(request: StaffRequest, public_id: str | UUID) -> Rescuer:
    try:
        found = queries.sendable_for(request.staff).filter(public_id=UUID(str(public_id))).first()
    except ValueError:
        raise RuleBroken.at("rescuer", str(public_id)[:40], _("Choose a rescuer."), "unknown") from None
    if found is None:
        raise RuleBroken.at("rescuer", str(public_id)[:40], _("Choose a rescuer."), "unknown")
    return found


@never_cache
@require_safe
@desk_page(VIEW_RESCUE)
def photo(request: StaffRequest, public_id: UUID, photo_id: UUID) -> HttpResponseBase:
    """A picture of a call."""
    try:
        return photo_response(call_queries.photo_of(_call(request, public_id), photo_id))
    except CallPhoto.DoesNotExist:
        raise Http404 from None


def _narrowed(request: StaffRequest) -> tuple[QuerySet[RescueCall], int, str]:
    """The calls of the chosen period and state, newest first."""
    days = next((each for each in DAYS if request.GET.get("days") == str(each)), DAYS[1])
    calls = call_queries.visible_calls(request.staff).filter(received_at__gte=database_now() - timedelta(days=days))
    state = request.GET.get("state", "")
    if state in CallState.values:
        calls = calls.filter(state=state)
    return calls.order_by("-received_at", "-pk"), days, state


@require_safe
@desk_page(EXPORT_RESCUE)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The narrowed list as xlsx or CSV; that it was taken home is recorded. Rows are counted against the list."""
    calls, _days, _state = _narrowed(request)
    return take_home(
        request,
        CallResource(),
        calls,
        form=form,
        name="rescue-calls",
        recorded_as=CALLS_EXPORTED,
        back="rescue:history",
    )


@require_safe
@desk_page(VIEW_RESCUE)
def history(request: StaffRequest) -> HttpResponseBase:
    """The calls of a period, newest first, and how quick help was."""
    calls, days, state = _narrowed(request)
    page = Paginator(calls, 30).get_page(request.GET.get("page"))
    return render(
        request,
        "rescue/history.html",
        {
            "page": page,
            "rows": [{"call": each, "tone": TONES[CallState(each.state)]} for each in page],
            "figures": queries.figures(request.staff, days=days),
            "days": days,
            "choices": DAYS,
            "state": state,
            "states": CallState.choices,
            "least": queries.LEAST_COUNTED,
            "may_export": policy.holds(request.staff, EXPORT_RESCUE),
        },
    )


@require_safe
@desk_page(VIEW_RESCUE)
def rescuers(request: StaffRequest) -> HttpResponseBase:
    """Who is on the list of rescuers."""
    found = queries.rescuers_for(request.staff).order_by("-is_active", "name", "pk")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    now = database_now()
    on_duty = {each.rescuer.pk for each in queries.on_duty(request.staff, now)}
    return render(
        request,
        "rescue/rescuers.html",
        {
            "page": page,
            "rows": [
                {
                    "rescuer": each,
                    "is_on_duty": each.pk in on_duty,
                    "skills": [str(Problem(skill).label) for skill in each.skills],
                }
                for each in page
            ],
            "may_manage": policy.holds(request.staff, MANAGE_RESCUERS),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_RESCUERS)
def new_rescuer(request: StaffRequest) -> HttpResponseBase:
    """Put someone on the list."""
    unions = queries.unions_for(request.staff)
    form = RescuerForm(request.POST or None, unions=unions, initial={"union": request.staff.union.public_id})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = rescuer_services.create_rescuer(
                form.facts(), union=told["union"], actor=request.staff, place=told["place"]
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("%(name)s is on the list.") % {"name": made.name})
            return redirect("rescue:rescuers")
    return render(request, "rescue/rescuer_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE_RESCUERS)
def rescuer(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Change a rescuer."""
    found = queries.rescuers_for(request.staff).filter(public_id=public_id).first()
    if found is None or not policy.allows(request.staff, MANAGE_RESCUERS, found.union):
        raise Http404
    form = RescuerForm(
        request.POST or None, unions=queries.unions_for(request.staff), rescuer=found,
        initial=RescuerForm.initial_of(found),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            rescuer_services.change_rescuer(found, form.facts(), actor=request.staff)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("%(name)s was changed.") % {"name": found.name})
            return redirect("rescue:rescuers")
    context = {"form": form, "rescuer": found}
    return render(request, "rescue/rescuer_form.html", context, status=422 if form.errors else 200)


@require_POST
@desk_page(MANAGE_RESCUERS)
def switch_rescuer(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take a rescuer off the list, or put them back on it."""
    found = queries.rescuers_for(request.staff).filter(public_id=public_id).first()
    if found is None or not policy.allows(request.staff, MANAGE_RESCUERS, found.union):
        raise Http404
    try:
        rescuer_services.set_active(found, active=request.POST.get("active") == "yes", actor=request.staff)
    except RuleBroken as broken:
        messages.error(request, " ".join(str(problem.message) for problem in broken.problems))
    else:
        messages.success(request, _("%(name)s was changed.") % {"name": found.name})
    return redirect("rescue:rescuers")
