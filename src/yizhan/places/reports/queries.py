"""Reading reports: what the desk lists, scoped to who asks; what everyone may know of a place; what a reporter sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.utils import timezone

from yizhan.places.models import (
    EventKind,
    Place,
    Report,
    ReportEvent,
    ReportPhoto,
    ReportReceipt,
    ReportState,
    StarChange,
)
from yizhan.places.models.reports import UNANSWERED
from yizhan.unions.models import Staff, Union

ANSWERED = (ReportState.FIXED, ReportState.NOT_A_FAULT)
SHOW_FIXED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many reports wait for what."""

    overdue: int
    unanswered: int
    to_verify: int
    settled: int


def with_clock(reports: QuerySet[Report]) -> QuerySet[Report]:
    """Reports with `due` (None when no answer is owed), `told` (how many reported it) and `last_told`."""
    deadlines = (
        ReportEvent.objects.with_scopes_disabled()
        .filter(report=OuterRef("pk"), due_at__isnull=False)
        .exclude(kind__in=[EventKind.REMINDED, EventKind.ESCALATED])
        .order_by("-at", "-pk")
    )
    told = Q(events__kind=EventKind.REPORTED)
    return reports.annotate(
        due=Case(When(state__in=UNANSWERED, then=Subquery(deadlines.values("due_at")[:1]))),
        told=Count("events", filter=told),
        last_told=Max("events__at", filter=told),
    )


def reports(*, for_staff: Staff) -> QuerySet[Report]:
    """Reports about places of the acting union and below: what is due first stands first."""
    found: QuerySet[Report] = Report.objects.filter(place__union__path__startswith=for_staff.union.path)
    return _in_order(found)


def reports_at(union: Union) -> QuerySet[Report]:
    """The same for an operator at the command line, who acts for a union."""
    return _in_order(Report.objects.with_scopes_disabled().filter(place__union__path__startswith=union.path))


def _in_order(found: QuerySet[Report]) -> QuerySet[Report]:
    return with_clock(found).select_related("place__union").order_by(F("due").asc(nulls_last=True), "-opened_at", "-pk")


def with_answers(found: QuerySet[Report]) -> QuerySet[Report]:
    """Reports with `answer`, `answer_words` and `answered_at` of the newest answer."""
    answers = (
        ReportEvent.objects.with_scopes_disabled()
        .filter(report=OuterRef("pk"), kind__in=[EventKind.FIXED, EventKind.NOT_A_FAULT, EventKind.PROMISED])
        .order_by("-at", "-pk")
    )
    return found.annotate(
        answer=Subquery(answers.values("kind")[:1]),
        answer_words=Subquery(answers.values("text")[:1]),
        answered_at=Subquery(answers.values("at")[:1]),
    )


def overdue(found: QuerySet[Report], at: datetime) -> QuerySet[Report]:
    """Those of `reports` whose answer is late."""
    return found.filter(Q(("due__lte", at)))


def counts(*, for_staff: Staff, at: datetime | None = None) -> Counts:
    """How many reports of the acting union and below wait for what."""
    late = Q(due__lte=at or timezone.now())
    counted = (
        reports(for_staff=for_staff)
        .order_by()
        .aggregate(
            overdue=Count("pk", filter=late),
            unanswered=Count("pk", filter=Q(state__in=UNANSWERED)),
            to_verify=Count("pk", filter=Q(state__in=ANSWERED)),
            settled=Count("pk", filter=Q(state__in=[ReportState.SETTLED, ReportState.WITHDRAWN])),
        )
    )
    return Counts(**counted)


def unanswered(*, for_staff: Staff) -> QuerySet[Report]:
    """Reports of the acting union and below that wait for the keeper: navigation shows how many."""
    waiting: QuerySet[Report] = Report.objects.filter(place__union__path__startswith=for_staff.union.path)
    return waiting.filter(state__in=UNANSWERED)


def events_of(report: Report) -> list[ReportEvent]:
    """What happened to a report, oldest first, with who answered and the pictures."""
    photos = ReportPhoto.objects.with_scopes_disabled().order_by("pk")
    return list(
        ReportEvent.objects.with_scopes_disabled()
        .filter(report=report)
        .select_related("post__user", "receipt")
        .prefetch_related(Prefetch("photos", photos), Prefetch("receipt__photos", photos))
        .order_by("at", "pk")
    )


def photo_of(report: Report, public_id: UUID) -> ReportPhoto:
    """One picture of a report.

    Raises:
        ReportPhoto.DoesNotExist: it belongs to none, or to another.
    """
    found: ReportPhoto = ReportPhoto.objects.with_scopes_disabled().get(report=report, public_id=public_id)
    return found


def photos_for_reporter(receipt: ReportReceipt) -> QuerySet[ReportPhoto]:
    """What a reporter may see: their own pictures and those of the answers, not those of other reporters."""
    photos: QuerySet[ReportPhoto] = ReportPhoto.objects.with_scopes_disabled().filter(report=receipt.report_id)
    return photos.filter(Q(receipt=receipt) | Q(receipt=None)).select_related("event").order_by("pk")


def known_problems(place: Place, *, at: datetime | None = None) -> list[Report]:
    """What is wrong at a place and publicly known: unanswered reports, and those said to be fixed these days."""
    since = (at or timezone.now()) - SHOW_FIXED
    found = with_answers(with_clock(Report.objects.with_scopes_disabled().filter(place=place)))
    shown = found.filter(Q(state__in=UNANSWERED) | Q(state=ReportState.FIXED, answered_at__gte=since))
    return list(shown.order_by("opened_at", "pk"))


def last_star_change(place: Place) -> StarChange | None:
    """How many stars are off a place now, and why."""
    found: StarChange | None = (
        StarChange.objects.with_scopes_disabled().filter(place=place).order_by("-at", "-pk").first()
    )
    return found


def star_changes(place: Place) -> Iterable[StarChange]:
    """How a place's stars went, newest first; the last twenty."""
    changes: QuerySet[StarChange] = StarChange.objects.with_scopes_disabled().filter(place=place)
    return changes.order_by("-at", "-pk")[:20]
