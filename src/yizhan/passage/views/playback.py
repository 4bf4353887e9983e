"""A day played back: vehicles, passages, reminders, and why no reminder. Nothing of the positions is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from yizhan.passage.actions import DAY_PLAYED_BACK
from yizhan.passage.forms import RidersForm, TrackForm
from yizhan.passage.playback.judging import Playback, play_back
from yizhan.passage.playback.riders import ride
from yizhan.passage.playback.tracks import MOST_PINGS, MOST_VEHICLES, midnight_ms, read_track
from yizhan.passage.playback.uploads import MOST_BYTES, InMemoryUploadHandler, is_too_big
from yizhan.passage.playback.words import OUTCOMES, ROW_RULES, clock, why
from yizhan.passage.rights import PLAY_BACK
from yizhan.places.models import Place
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken

MOST_LISTED = 500
SORTS = {"REMINDED": "good", "OUTSIDE": "neutral"}


@csrf_exempt  # checked by the function inside, once the file can no longer reach the disk
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(PLAY_BACK)
def playback(request: StaffRequest) -> HttpResponseBase:
    """Ask for a file or for simulated riders; show what came of it in the same answer."""
    if request.method == "POST" and is_too_big(request):
        form = TrackForm(for_staff=request.staff)
        form.full_clean()
        rule = _("the file is bigger than %(most)s MB") % {"most": MOST_BYTES // 2**20}
        return _show(request, track=form, too_big=rule, status=413)
    # Before anything of the body is read; the check of the form's token reads it.
    request.upload_handlers = [InMemoryUploadHandler(request)]
    return _checked(request)


@csrf_protect
@sensitive_post_parameters()
def _checked(request: StaffRequest) -> HttpResponseBase:
    if request.method != "POST":
        return _show(request)
    if request.POST.get("from") == "riders":
        riders = RidersForm(request.POST)
        if not riders.is_valid():
            return _show(request, riders=riders, status=422)
        around = list(
            Place.published.filter(union__path__startswith=request.staff.union.path).values_list("lon", "lat")[:5_000]
        )
        if not around:
            riders.add_error(None, _("Your union and those below have no published place to ride around."))
            return _show(request, riders=riders, status=422)
        track = ride(around=around, **riders.cleaned_data)
        return _played(request, play_back(track, for_staff=request.staff), simulated=True, riders=riders)
    form = TrackForm(request.POST, request.FILES, for_staff=request.staff)
    if not form.is_valid():
        return _show(request, track=form, status=422)
    try:
        track = read_track(form.content(), datum=form.chosen_datum, day=form.cleaned_data["day"])
    except RuleBroken as broken:
        broken.show_on(form)
        return _show(request, track=form, status=422)
    played = play_back(track, for_staff=request.staff, source=form.cleaned_data["source"])
    return _played(request, played, simulated=False, track=form)


def _played(request: StaffRequest, played: Playback, *, simulated: bool, **forms: Any) -> HttpResponse:
    details = {"day": played.track.day.isoformat(), "pings": len(played.track.pings), "simulated": simulated}
    details["source"] = str(played.source.public_id) if played.source else None
    record(request.staff, DAY_PLAYED_BACK, union=request.staff.union, details=details)
    return _show(request, played=played, simulated=simulated, **forms)


def _show(
    request: StaffRequest,
    *,
    track: TrackForm | None = None,
    riders: RidersForm | None = None,
    played: Playback | None = None,
    simulated: bool = False,
    too_big: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "track": track or TrackForm(for_staff=request.staff),
        "riders": riders or RidersForm.suggested(),
        "played": played,
        "simulated": simulated,
        "too_big": too_big,
        "most_mb": MOST_BYTES // 2**20,
        "most_pings": f"{MOST_PINGS:,}",
        "most_vehicles": MOST_VEHICLES,
    }
    if played is not None:
        context |= {
            "rows": [_row(each, played) for each in played.encounters[:MOST_LISTED]],
            "hidden": max(len(played.encounters) - MOST_LISTED, 0),
            "outcomes": [
                (name, OUTCOMES[name], count) for name, count in sorted(played.reasons.items(), key=lambda of: -of[1])
            ],
            "data": _data(played),
            "rejected": [(each.index + 2, ROW_RULES[each.code]) for each in played.track.rejected[:10]],
            "other_days": [day for day in sorted(played.track.days) if day != played.track.day][:31],
        }
    return render(request, "passage/playback.html", context, status=status)


def _row(encounter: Any, played: Playback) -> dict[str, Any]:
    return {
        "encounter": encounter,
        "vehicle": played.track.names[encounter.vehicle],
        "at": clock(encounter.at_ms),
        "outcome": OUTCOMES[encounter.outcome],
        "tone": SORTS.get(encounter.outcome, "warn"),
        "why": why(encounter),
    }


def _data(played: Playback) -> dict[str, Any]:
    """What the map draws: times are seconds of the day, positions degrees to the metre."""
    track, begin = played.track, midnight_ms(played.track.day)
    lon, lat = track.pings.longitude.round(5).tolist(), track.pings.latitude.round(5).tolist()
    seconds = ((track.pings.time_ms - begin) // 1000).tolist()
    ways: list[list[list[float]]] = [[] for _name in track.names]
    for vehicle, *point in zip(track.pings.vehicle.tolist(), lon, lat, seconds, strict=True):
        ways[vehicle].append(point)
    stations = {each.number: at for at, each in enumerate(played.stations)}
    return {
        "day": track.day.isoformat(),
        "vehicles": [{"name": name, "way": way} for name, way in zip(track.names, ways, strict=True)],
        "stations": [
            {
                "name": each.name,
                "lon": round(each.longitude, 6),
                "lat": round(each.latitude, 6),
                "radius": round(played.radius_m.get(each.number, 0)),
            }
            for each in played.stations
        ],
        "encounters": [
            {
                "vehicle": each.vehicle,
                "station": stations.get(each.place.number, -1),
                "place": each.place.name,
                "at": (each.at_ms - begin) // 1000,
                "distance": round(each.distance_m),
                "outcome": each.outcome,
                "said": str(OUTCOMES[each.outcome]),
                "why": why(each),
            }
            for each in played.encounters
        ],
    }
