"""Reading visits and rounds, scoped to who asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from yizhan.cases.models import (
    Link,
    LinkKind,
    Round,
    RoundState,
    RoundStop,
    Visit,
    VisitKind,
    VisitNeed,
    VisitPerson,
    VisitPhoto,
    VisitSave,
)
from yizhan.cases.queries.pages import number_of
from yizhan.places.models import Place
from yizhan.unions.models import Staff, Union, Worker

from .facts import VisitFacts, facts_of, from_kept


def visits(*, for_staff: Staff) -> QuerySet[Visit]:
    """Visits of the acting union and below, newest first; `named`, `heard` count people and needs, `is_split` says
    that a save was set aside and nobody has settled which words hold. All three are asked for the rows shown only."""
    aside = VisitSave.objects.with_scopes_disabled().filter(
        visit=OuterRef("pk"), outcome=VisitSave.Outcome.SET_ASIDE, settled=None
    )
    found: QuerySet[Visit] = (
        Visit.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("post__user", "union", "place", "linked_union", "stop__round")
        .annotate(named=number_of(VisitPerson, "visit"), heard=number_of(VisitNeed, "visit"), is_split=Exists(aside))
        .order_by("-at", "-pk")
    )
    return found


def people_of(visit: Visit) -> list[Worker]:
    """The workers met."""
    met = VisitPerson.objects.with_scopes_disabled().filter(visit=visit).select_related("worker__user", "worker__union")
    return [person.worker for person in met.order_by("pk")]


def photos_of(visit: Visit) -> list[VisitPhoto]:
    """The pictures, oldest first."""
    return list(VisitPhoto.objects.with_scopes_disabled().filter(visit=visit).order_by("pk"))


def photo_of(visit: Visit, public_id: UUID) -> VisitPhoto:
    """One picture.

    Raises:
        VisitPhoto.DoesNotExist: it belongs to none, or to another.
    """
    found: VisitPhoto = VisitPhoto.objects.with_scopes_disabled().get(visit=visit, public_id=public_id)
    return found


def needs_of(visit: Visit) -> list[VisitNeed]:
    """The needs heard; whoever shows a case asks `visible_cases` first."""
    found = VisitNeed.objects.with_scopes_disabled().filter(visit=visit).select_related("case")
    return list(found.order_by("pk"))


def saves_of(visit: Visit) -> list[VisitSave]:
    """Every save, newest first."""
    saves = VisitSave.objects.with_scopes_disabled().filter(visit=visit)
    return list(saves.select_related("post__user", "settled__by__user").order_by("-pk"))


def set_aside(visit: Visit) -> list[VisitSave]:
    """Saves that were set aside and that nobody has settled, oldest first."""
    saves = VisitSave.objects.with_scopes_disabled().filter(visit=visit, outcome=VisitSave.Outcome.SET_ASIDE)
    return list(saves.filter(settled=None).select_related("post__user", "visit").order_by("pk"))


def save_of(visit: Visit, request_id: UUID) -> VisitSave:
    """One save of a visit.

    Raises:
        VisitSave.DoesNotExist: there is none.
    """
    found: VisitSave = (
        VisitSave.objects.with_scopes_disabled().select_related("visit").get(visit=visit, request_id=request_id)
    )
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two versions differ, in words."""

    field: str
    label: str
    present: str
    other: str


def differences(visit: Visit, other: VisitFacts) -> list[Difference]:
    """In which fields what stands now and another version differ."""
    present = facts_of(visit)
    first, second = in_words(present), in_words(other)
    return [Difference(name, _label(name), first[name], second[name]) for name in first if first[name] != second[name]]


def facts_of_save(save: VisitSave) -> VisitFacts:
    """What a save said."""
    return from_kept(save.facts)


def in_words(facts: VisitFacts) -> dict[str, str]:
    """A visit's fields as readers compare them."""
    place = Place.objects.with_scopes_disabled().filter(public_id=facts.place).first() if facts.place else None
    union = Union.objects.filter(public_id=facts.union).first() if facts.union else None
    people = Worker.objects.with_scopes_disabled().filter(public_id__in=list(facts.people)).select_related("user")
    return {
        "kind": str(VisitKind(facts.kind).label),
        "at": _moment(facts),
        "where": facts.where,
        "minutes": str(facts.minutes or ""),
        "company": facts.company,
        "place": str(place or ""),
        "union": str(union or ""),
        "counted": str(facts.counted),
        "people": "、".join(sorted(str(worker) for worker in people)),
        "words": facts.words,
    }


def _moment(facts: VisitFacts) -> str:
    from django.utils import timezone

    return timezone.localtime(facts.at).strftime("%Y-%m-%d %H:%M")


def _label(name: str) -> str:
    labels = {
        "kind": _("Kind"),
        "at": _("When"),
        "where": _("Where"),
        "minutes": _("Minutes"),
        "company": _("Platform or company"),
        "place": _("Station"),
        "union": _("Lower union"),
        "counted": _("Further people met"),
        "people": _("People met"),
        "words": _("What was said"),
    }
    return labels[name]


def rounds(*, for_staff: Staff) -> QuerySet[Round]:
    """Rounds of the acting union and below: those planned first, the latest day on top; `count` and `done` stops."""
    visited = Visit.objects.with_scopes_disabled().filter(stop=OuterRef("pk"))
    found: QuerySet[Round] = (
        Round.objects.filter(union__path__startswith=for_staff.union.path)
        .select_related("post__user", "union")
        .annotate(
            count=number_of(RoundStop, "round"),
            done=number_of(RoundStop, "round", Q(Exists(visited))),
            is_over=~Q(state=RoundState.PLANNED),
        )
        .order_by("is_over", "-day", "pk")
    )
    return found


def ownerless_rounds(*, for_staff: Staff, today: date) -> QuerySet[Round]:
    """Rounds that are planned for posts that have ended."""
    planned = rounds(for_staff=for_staff).filter(state=RoundState.PLANNED, day__gte=today)
    return planned.filter(Q(post__is_active=False) | Q(post__user__is_active=False))


def stops_of(planned: Round) -> list[RoundStop]:
    """The stops in their order, with the visits that were recorded there."""
    visits_there = Visit.objects.with_scopes_disabled().order_by("at")
    stops = RoundStop.objects.with_scopes_disabled().filter(round=planned)
    return list(
        stops.select_related("place", "worker__user", "linked_union")
        .prefetch_related(Prefetch("visits", visits_there))
        .order_by("order", "pk")
    )


@dataclass(frozen=True, slots=True)
class FieldKit:
    """What a phone takes along: today's stops and the people one is linked with."""

    stops: Sequence[RoundStop]
    workers: Sequence[Worker]
    unions: Sequence[Union]


def field_kit(staff: Staff, *, day: date) -> FieldKit:
    """What the acting post needs on the way on `day`: its own round, its own links; nobody else's."""
    stops = (
        RoundStop.objects.with_scopes_disabled()
        .filter(round__post=staff, round__day=day, round__state=RoundState.PLANNED)
        .select_related("round", "place", "worker", "linked_union")
        .order_by("round_id", "order")
    )
    mine: Iterable[Any] = (
        Link.objects.with_scopes_disabled()
        .filter(post=staff, ended_at=None)
        .exclude(kind=LinkKind.GROUP)
        .select_related("worker__user", "linked_union")
        .order_by("pk")
    )
    links = list(mine)
    return FieldKit(
        stops=list(stops),
        workers=[link.worker for link in links if link.worker],
        unions=[link.linked_union for link in links if link.linked_union],
    )
