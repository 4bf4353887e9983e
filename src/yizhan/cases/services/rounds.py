"""Rounds: a day's stops and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases import outreach_actions as actions
from yizhan.cases.models import MOST_STOPS, Round, RoundState, RoundStop, VisitKind
from yizhan.cases.outreach_rights import RECORD_VISITS
from yizhan.cases.visits.route import best_order
from yizhan.places.models import Place
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import NotAllowed, policy

FARTHEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFacts:
    """A stop: at a place, with a worker, at a lower union, or somewhere that only has a name."""

    kind: str
    name: str = ""
    address: str = ""
    note: str = ""
    place: Place | None = None
    worker: Worker | None = None
    union: Union | None = None


@transaction.atomic
def plan_round(
    *,
    actor: Staff,
    title: str,
    day: date,
    stops: Sequence[StopFacts] = (),
    post: Staff | None = None,
    start: tuple[float, float] | None = None,
) -> Round:
    """Plan a round of `post` (the acting one when not given), with its stops in the order given.

    Args:
        start: Where it begins, WGS-84 longitude and latitude.

    Raises:
        NotAllowed: the actor records no visits at the post's union.
        RuleBroken: no title, a day that lies behind or too far ahead, too many stops or one that cannot be.
    """
    who = post or actor
    _require(actor, who, who.union)
    said = one_line(title)
    problems: list[Problem] = []
    if not said or len(said) > 80:
        rule = _("A title has from 1 to %(most)d characters.") % {"most": 80}
        problems.append(Problem("title", said[:40], rule, "title"))
    today = timezone.localdate()
    if not today <= day <= today + FARTHEST_AHEAD:
        rule = _("Choose a day from today on, at most a year ahead.")
        problems.append(Problem("day", str(day), rule, "day"))
    problems += _wrong_stops(actor, stops, already=0)
    if problems:
        raise RuleBroken(problems)
    planned: Round = Round.objects.with_scopes_disabled().create(
        post=who,
        union=who.union,
        title=said,
        day=day,
        start_lon=start[0] if start else None,
        start_lat=start[1] if start else None,
    )
    _add(planned, stops, after=0)
    record(actor, actions.ROUND_PLANNED, union=who.union, target=planned, details={"stops": len(stops)})
    return planned


@transaction.atomic
def add_stops(*, actor: Staff, planned: Round, stops: Sequence[StopFacts]) -> Round:
    """Add stops at the end.

    Raises:
        NotAllowed: as with `plan_round`.
        RuleBroken: the round is over, or a stop cannot be.
    """
    current = _locked(actor, planned)
    last = _stops(current).count()
    if problems := _wrong_stops(actor, stops, already=last):
        raise RuleBroken(problems)
    _add(current, stops, after=last)
    return _changed(actor, current)


@transaction.atomic
def remove_stop(*, actor: Staff, planned: Round, stop: UUID) -> Round:
    """Take a stop off; visits that were recorded there stay. One that is off already changes nothing."""
    current = _locked(actor, planned)
    removed, _by_model = _stops(current).filter(public_id=stop).delete()
    if not removed:
        return current
    _number(list(_stops(current)))
    return _changed(actor, current)


@transaction.atomic
def order_stops(*, actor: Staff, planned: Round, order: Sequence[UUID] | None = None) -> Round:
    """Put the stops into an order: the one given, or the shortest way; stops without a position come last.

    Raises:
        RuleBroken: the order does not name each stop once (someone changed the round meanwhile).
    """
    current = _locked(actor, planned)
    stops = list(_stops(current))
    if order is not None:
        by_id = {stop.public_id: stop for stop in stops}
        if sorted(order) != sorted(by_id):
            raise RuleBroken.at(
                "order", "", _("Someone changed the stops meanwhile; look at the round again."), "changed_meanwhile"
            )
        ordered = [by_id[public_id] for public_id in order]
    else:
        placed = [stop for stop in stops if stop.lon is not None]
        points = [(stop.lon or 0.0, stop.lat or 0.0) for stop in placed]
        start = (current.start_lon, current.start_lat) if current.start_lon is not None else None
        best = best_order(points, start=start)  # type: ignore[arg-type]  # both or neither, as the database sees to
        ordered = [placed[number] for number in best] + [stop for stop in stops if stop.lon is None]
    if ordered == stops:
        return current
    _number(ordered)
    return _changed(actor, current)


@transaction.atomic
def set_round_state(*, actor: Staff, planned: Round, state: RoundState) -> Round:
    """Say that a round is done, called off, or planned again."""
    current = _locked(actor, planned, also_over=True)
    if current.state != state:
        current.state = state
        current.save(update_fields=["state"])
        _changed(actor, current, state=str(state))
    return current


def _require(actor: Staff, post: Staff, union: Union) -> None:
    if actor.pk == post.pk and policy.allows(actor, RECORD_VISITS, actor.union):
        return
    if not policy.allows(actor, RECORD_VISITS, union):
        raise NotAllowed(RECORD_VISITS, union)


def _locked(actor: Staff, planned: Round, *, also_over: bool = False) -> Round:
    found = Round.objects.with_scopes_disabled().filter(pk=planned.pk)
    current: Round = locked_row(found, "union", "post__union", "post__user")
    _require(actor, current.post, current.union)
    if current.state != RoundState.PLANNED and not also_over:
        raise RuleBroken.at("state", current.state, _("This round is over; plan a new one."), "over")
    return current


def _stops(planned: Round):  # type: ignore[no-untyped-def]
    return RoundStop.objects.with_scopes_disabled().filter(round=planned).order_by("order", "pk")


def _number(stops: Sequence[RoundStop]) -> None:
    for number, stop in enumerate(stops, start=1):
        stop.order = number
    RoundStop.objects.with_scopes_disabled().bulk_update(stops, ["order"])


def _add(planned: Round, stops: Sequence[StopFacts], *, after: int) -> None:
    RoundStop.objects.with_scopes_disabled().bulk_create(
        RoundStop(
            round=planned,
            order=after + number,
            kind=stop.kind,
            name=name_of(stop),
            address=one_line(stop.address) or (stop.place.address[:200] if stop.place else ""),
            place=stop.place,
            worker=stop.worker,
            linked_union=stop.union,
            lon=stop.place.lon if stop.place else None,
            lat=stop.place.lat if stop.place else None,
            note=one_line(stop.note),
        )
        for number, stop in enumerate(stops, start=1)
    )


def name_of(stop: StopFacts) -> str:
    """What a stop is called: by its place, union or worker when nothing else was said."""
    said = one_line(stop.name)
    if not said:
        said = str(stop.place or stop.union or stop.worker or "")
    return said[:120]


def _wrong_stops(actor: Staff, stops: Sequence[StopFacts], *, already: int) -> list[Problem]:
    problems: list[Problem] = []
    if already + len(stops) > MOST_STOPS:
        rule = _("A round has at most %(most)d stops.") % {"most": MOST_STOPS}
        problems.append(Problem("stops", already + len(stops), rule, "too_many"))
    for stop in stops:
        name = name_of(stop)
        if stop.kind not in VisitKind.values:
            problems.append(Problem("kind", str(stop.kind)[:20], _("Choose a kind of visit."), "unknown"))
        if not name:
            problems.append(Problem("name", "", _("Say where this stop is."), "missing"))
        if len(one_line(stop.note)) > 200 or len(one_line(stop.address)) > 200:
            rule = _("At most %(most)d characters.") % {"most": 200}
            problems.append(Problem("note", name[:40], rule, "too_long"))
        if stop.worker and not (stop.worker.union and stop.worker.union.path.startswith(actor.union.path)):
            problems.append(Problem("worker", "", _("This worker does not belong to your union."), "elsewhere"))
        if stop.union and not stop.union.path.startswith(actor.union.path):
            problems.append(
                Problem("union", stop.union.name, _("This union is neither yours nor below it."), "elsewhere")
            )
    return problems


def _changed(actor: Staff, current: Round, **details: str) -> Round:
    current.revision += 1
    current.save(update_fields=["revision"])
    stops = _stops(current).count()
    record(actor, actions.ROUND_CHANGED, union=current.union, target=current, details={"stops": stops, **details})
    return current
