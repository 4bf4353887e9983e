"""Rounds on the desk: a day's stops on a list and on the map."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yizhan.cases.forms.visits import RoundForm, StopForm
from yizhan.cases.links.queries import posts_that_may_hold
from yizhan.cases.models import Round, RoundState, RoundStop, VisitKind
from yizhan.cases.outreach_rights import RECORD_VISITS, VIEW_VISITS
from yizhan.cases.queries.pages import KeysFirst
from yizhan.cases.services import rounds as services
from yizhan.cases.visits import queries
from yizhan.cases.visits.route import length_m
from yizhan.places.models import Place, PlaceStatus
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union, Worker
from yizhan.unions.rights import policy

from .links import told

_PER_PAGE = 50
_MOST_STATIONS = 300


@require_safe
@desk_page(VIEW_VISITS)
def rounds(request: StaffRequest) -> HttpResponseBase:
    """Rounds of the acting union and below."""
    page = KeysFirst(queries.rounds(for_staff=request.staff), _PER_PAGE).get_page(request.GET.get("page"))
    may_plan = policy.holds(request.staff, RECORD_VISITS)
    return render(request, "cases/visits/rounds.html", {"page": page, "may_plan": may_plan})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(RECORD_VISITS)
def new_round(request: StaffRequest) -> HttpResponseBase:
    """Plan a round."""
    initial = {"day": timezone.localdate(), "post": request.staff.public_id, "title": _("Round")}
    posts = posts_that_may_hold(for_staff=request.staff)
    form = RoundForm(request.POST if request.method == "POST" else None, posts=posts, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            planned = services.plan_round(actor=request.staff, **form.cleaned_data)
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("Add the stops now; their order comes last."))
            return redirect(planned)
    return render(request, "cases/visits/new_round.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@desk_page(VIEW_VISITS)
def one_round(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A round's stops in their order, and on the map."""
    return _page(request, _round_of(request, public_id))


@require_POST
@desk_page(RECORD_VISITS)
def add_stop(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One more stop."""
    planned = _round_of(request, public_id)
    form = _stop_form(request, planned, bound=True)
    if form.is_valid():
        said = form.cleaned_data
        place = Place.objects.filter(name=said["name"]).first() if said["name"] else None
        stop = services.StopFacts(
            kind=said["kind"],
            name=said["name"],
            note=said["note"],
            place=place,
            worker=said["worker"],
            union=said["union"],
        )
        try:
            services.add_stops(actor=request.staff, planned=planned, stops=[stop])
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The stop was added."))
            return redirect(planned)
    return _page(request, planned, form=form, status=422)


@require_POST
@desk_page(RECORD_VISITS)
def change_stop(request: StaffRequest, public_id: UUID, stop_id: UUID) -> HttpResponseBase:
    """Take a stop off, or move it up or down."""
    planned = _round_of(request, public_id)
    stops = [stop.public_id for stop in queries.stops_of(planned)]
    if stop_id not in stops:
        raise Http404
    step = request.POST.get("step")
    if step == "remove":
        told(
            request,
            lambda: services.remove_stop(actor=request.staff, planned=planned, stop=stop_id),
            _("The stop was taken off."),
        )
    elif step in {"up", "down"}:
        at = stops.index(stop_id)
        other = at - 1 if step == "up" else at + 1
        if 0 <= other < len(stops):
            stops[at], stops[other] = stops[other], stops[at]
        told(
            request,
            lambda: services.order_stops(actor=request.staff, planned=planned, order=stops),
            _("The order was kept."),
        )
    else:
        messages.error(request, _("Choose what to do."))
    return redirect(planned)


@require_POST
@desk_page(RECORD_VISITS)
def order(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Put the stops into the order of the shortest way."""
    planned = _round_of(request, public_id)
    told(
        request,
        lambda: services.order_stops(actor=request.staff, planned=planned),
        _("The stops stand in the order of the shortest way; those without a position come last."),
    )
    return redirect(planned)


@require_POST
@desk_page(RECORD_VISITS)
def state(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Done, called off, or planned again."""
    planned = _round_of(request, public_id)
    wanted = request.POST.get("state", "")
    if wanted in RoundState.values:
        told(
            request,
            lambda: services.set_round_state(actor=request.staff, planned=planned, state=RoundState(wanted)),
            _("The state of the round was kept."),
        )
    else:
        messages.error(request, _("Choose what to do."))
    return redirect(planned)


def _round_of(request: StaffRequest, public_id: UUID) -> Round:
    found: Round = get_object_or_404(queries.rounds(for_staff=request.staff), public_id=public_id)
    return found


def _stop_form(request: StaffRequest, planned: Round, *, bound: bool) -> StopForm:
    linked = {"contacts__post": planned.post_id, "contacts__ended_at": None}
    return StopForm(
        request.POST if bound else None,
        workers=Worker.objects.filter(**linked).select_related("user").distinct().order_by("user__name"),
        unions=Union.objects.filter(path__startswith=request.staff.union.path, **linked).distinct().order_by("name"),
    )


def _page(
    request: StaffRequest, planned: Round, *, form: StopForm | None = None, status: int = 200
) -> HttpResponseBase:
    stops = queries.stops_of(planned)
    points = [(stop.lon, stop.lat) for stop in stops if stop.lon is not None and stop.lat is not None]
    may_change = planned.post_id == request.staff.pk or policy.allows(request.staff, RECORD_VISITS, planned.union)
    stations = Place.objects.exclude(status=PlaceStatus.CLOSED).order_by("name").values_list("name", flat=True)
    return render(
        request,
        "cases/visits/round.html",
        {
            "round": planned,
            "stops": stops,
            "drawn": [_drawn(number, stop) for number, stop in enumerate(stops, start=1) if stop.lon is not None],
            "km": round(length_m(points) / 1000, 1),
            "form": form or _stop_form(request, planned, bound=False),
            "stations": stations[:_MOST_STATIONS],
            "may_change": may_change,
            "is_planned": planned.state == RoundState.PLANNED,
            "states": RoundState.choices,
        },
        status=status,
    )


def _drawn(number: int, stop: RoundStop) -> dict[str, Any]:
    return {
        "number": number,
        "name": stop.name,
        "words": str(VisitKind(stop.kind).label),
        "lon": round(stop.lon or 0.0, 6),
        "lat": round(stop.lat or 0.0, 6),
        "visited": bool(list(stop.visits.all())),
    }
