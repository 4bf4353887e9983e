"""What a visit says: as a form or a phone gives it, as it is kept, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases.models import MOST_COUNTED, Link, RoundStop, Visit, VisitKind
from yizhan.places.models import EAST, NORTH, SOUTH, WEST, Place, PlaceStatus
from yizhan.places.rules import one_line
from yizhan.unions.errors import Problem
from yizhan.unions.models import Staff, Union, Worker

LONGEST_WORDS: Final = 4_000
MOST_PEOPLE: Final = 200
MOST_MINUTES: Final = 1_440
EARLIEST = timedelta(days=2 * 366)
AHEAD = timedelta(minutes=10)  # phones' clocks


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFacts:
    """A visit as it is told. `at` is when it was; positions are WGS-84 degrees; others by their public ids."""

    kind: str
    at: datetime
    where: str
    minutes: int | None = None
    company: str = ""
    place: UUID | None = None
    union: UUID | None = None
    stop: UUID | None = None
    lon: float | None = None
    lat: float | None = None
    counted: int = 0
    people: Sequence[UUID] = ()
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedFacts:
    """A need heard: becomes a case. `client_id` is made on the phone, so that it becomes one only once."""

    client_id: UUID
    title: str
    text: str = ""
    kind: str = "need"
    worker: UUID | None = None


@dataclass(slots=True)
class Resolved:
    """The rows that a visit's facts name, and what is wrong with the facts."""

    place: Place | None = None
    union: Union | None = None
    stop: RoundStop | None = None
    people: list[Worker] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def resolve(facts: VisitFacts, *, staff: Staff, earlier: Visit | None = None, now: datetime | None = None) -> Resolved:
    """Look up what the facts name, as far as `staff` may name it, and check them; all problems at once."""
    found = Resolved(problems=_plain_problems(facts, now or timezone.now()))
    if facts.place is not None:
        found.place = _place(facts.place, staff)
        if found.place is None:
            found.problems.append(_unknown("place", facts.place, _("This place is not one of yours.")))
    if facts.union is not None:
        found.union = Union.objects.filter(public_id=facts.union, path__startswith=staff.union.path).first()
        if found.union is None:
            found.problems.append(_unknown("union", facts.union, _("This union is neither yours nor below it.")))
    if facts.stop is not None:
        stops = RoundStop.objects.with_scopes_disabled().filter(public_id=facts.stop)
        # A stop that was taken off the round meanwhile is no reason to refuse what happened there.
        found.stop = stops.filter(round__union__path__startswith=staff.union.path).first()
    found.people = _workers(facts.people, staff, earlier)
    known = {worker.public_id for worker in found.people}
    for public_id in facts.people:
        if public_id not in known:
            found.problems.append(_unknown("people", public_id, _("This worker does not belong to your union.")))
    return found


def kept(facts: VisitFacts) -> dict[str, Any]:
    """The facts as JSON: what a save keeps word for word."""
    return {
        "kind": str(facts.kind),
        "at": facts.at.isoformat(),
        "where": one_line(facts.where),
        "minutes": facts.minutes,
        "company": one_line(facts.company),
        "place": _text(facts.place),
        "union": _text(facts.union),
        "stop": _text(facts.stop),
        "lon": facts.lon,
        "lat": facts.lat,
        "counted": facts.counted,
        "people": sorted(str(person) for person in facts.people),
        "words": facts.words.strip(),
    }


def facts_of(visit: Visit) -> VisitFacts:
    """What stands now, as facts; asks for the people met."""
    return VisitFacts(
        kind=visit.kind,
        at=visit.at,
        where=visit.where,
        minutes=visit.minutes,
        company=visit.company,
        place=visit.place.public_id if visit.place else None,
        union=visit.linked_union.public_id if visit.linked_union else None,
        stop=visit.stop.public_id if visit.stop else None,
        lon=visit.lon,
        lat=visit.lat,
        counted=visit.counted,
        people=tuple(visit.people(manager="_base_manager").order_by("pk").values_list("public_id", flat=True)),
        words=visit.words,
    )


def from_kept(stored: dict[str, Any]) -> VisitFacts:
    """The facts that `kept` gave."""
    return VisitFacts(
        kind=stored["kind"],
        at=datetime.fromisoformat(stored["at"]),
        where=stored["where"],
        minutes=stored["minutes"],
        company=stored["company"],
        place=_uuid(stored["place"]),
        union=_uuid(stored["union"]),
        stop=_uuid(stored["stop"]),
        lon=stored["lon"],
        lat=stored["lat"],
        counted=stored["counted"],
        people=tuple(UUID(person) for person in stored["people"]),
        words=stored["words"],
    )


def same(one: VisitFacts, other: VisitFacts) -> bool:
    """Whether two tell the same; the same moment counts as the same whatever its zone."""
    first, second = kept(one), kept(other)
    return one.at == other.at and all(first[name] == second[name] for name in first if name not in {"at", "stop"})


def _plain_problems(facts: VisitFacts, now: datetime) -> list[Problem]:
    problems: list[Problem] = []

    def wrong(name: str, value: object, message: str, code: str = "invalid") -> None:
        problems.append(Problem(name, value, message, code))

    where, company = one_line(facts.where), one_line(facts.company)
    if facts.kind not in VisitKind.values:
        wrong("kind", str(facts.kind)[:20], _("Choose a kind of visit."), "unknown")
    if not where or len(where) > 120:
        wrong("where", where[:40], _("Say where, in at most %(most)d characters.") % {"most": 120}, "where")
    if len(company) > 60:
        wrong("company", company[:40], _("At most %(most)d characters.") % {"most": 60}, "too_long")
    if len(facts.words) > LONGEST_WORDS or "\x00" in facts.words:
        wrong("words", facts.words[:40], _("At most %(most)d characters.") % {"most": LONGEST_WORDS}, "too_long")
    if facts.at.tzinfo is None or not now - EARLIEST <= facts.at <= now + AHEAD:
        wrong("at", facts.at.isoformat(), _("A visit lies in the past, at most two years back."), "when")
    if facts.minutes is not None and not 1 <= facts.minutes <= MOST_MINUTES:
        wrong("minutes", facts.minutes, _("From 1 to %(most)d minutes.") % {"most": MOST_MINUTES}, "number")
    if not 0 <= facts.counted <= MOST_COUNTED:
        wrong("counted", facts.counted, _("From 0 to %(most)d people.") % {"most": MOST_COUNTED}, "number")
    if len(set(facts.people)) != len(facts.people) or len(facts.people) > MOST_PEOPLE:
        rule = _("Name each person once, at most %(most)d.") % {"most": MOST_PEOPLE}
        wrong("people", len(facts.people), rule, "number")
    if not _position_is_possible(facts.lon, facts.lat):
        wrong("lon", facts.lon, _("A position has longitude and latitude within China, or is left out."), "position")
    return problems


def _position_is_possible(lon: float | None, lat: float | None) -> bool:
    if lon is None or lat is None:
        return lon is None and lat is None
    return math.isfinite(lon) and math.isfinite(lat) and WEST <= lon <= EAST and SOUTH <= lat <= NORTH


def _place(public_id: UUID, staff: Staff) -> Place | None:
    mine = Q(union__path__startswith=staff.union.path) | Q(status=PlaceStatus.PUBLISHED)
    found: Place | None = Place.objects.with_scopes_disabled().filter(mine, public_id=public_id).first()
    return found


def _workers(public_ids: Sequence[UUID], staff: Staff, earlier: Visit | None) -> list[Worker]:
    """Those of the acting unions, those the post is or was the contact of, and those this visit names already."""
    mine = Q(union__path__startswith=staff.union.path)
    mine |= Q(pk__in=Link.objects.with_scopes_disabled().filter(post=staff).values("worker"))
    if earlier is not None:
        mine |= Q(met_at__visit=earlier)
    workers = Worker.objects.with_scopes_disabled().filter(mine, public_id__in=list(public_ids)[: MOST_PEOPLE + 1])
    return list(workers.distinct().order_by("pk"))


def _unknown(name: str, value: UUID, message: str) -> Problem:
    return Problem(name, str(value), message, "unknown")


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
