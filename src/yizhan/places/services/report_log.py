"""The log of reports as their services read and write it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.files.base import ContentFile
from django.db.models import QuerySet
from django.utils.functional import lazy

from yizhan.places.models import EventKind, Place, Report, ReportEvent, ReportKind, ReportPhoto, ReportReceipt
from yizhan.places.reports.life import Fact, Life, life_of
from yizhan.places.rights import ANSWER_REPORTS
from yizhan.places.rules import one_line
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff
from yizhan.unions.services.inbox import send
from yizhan.unions.words import fitting

LONGEST_WORDS = 500


def _kind_at_place(place: str, kind: str) -> str:
    return f"{place}: {ReportKind(kind).label}"


title_of = lazy(_kind_at_place, str)


def life_now(report: Report) -> Life:
    """The life of a report as its events tell it now."""
    return life_of(facts_of_events(ReportEvent.objects.with_scopes_disabled().filter(report=report)))


def facts_of_events(events: Iterable[ReportEvent]) -> list[Fact]:
    """Events as the fold needs them."""
    return [Fact(EventKind(event.kind), event.at, event.pk, event.due_at) for event in events]


def note(
    report: Report,
    kind: EventKind,
    *,
    at: datetime,
    due_at: datetime | None = None,
    text: str = "",
    post: Staff | None = None,
    receipt: ReportReceipt | None = None,
) -> ReportEvent:
    """Write one event and bring the state that lists show into step with the log."""
    event: ReportEvent = ReportEvent.objects.with_scopes_disabled().create(
        report=report, kind=kind, at=at, due_at=due_at, text=text, post=post, receipt=receipt
    )
    state = life_now(report).state
    if state != report.state:
        report.state = state
        report.save(update_fields=["state"])
    return event


def keep_photo(
    report: Report, picture: bytes, *, receipt: ReportReceipt | None = None, event: ReportEvent | None = None
) -> None:
    """Keep a clean picture with the report and whoever gave it."""
    photo = ReportPhoto(report=report, receipt=receipt, event=event)
    photo.file.save(f"{photo.public_id.hex}.jpg", ContentFile(picture), save=False)
    photo.save()


def tell_keepers(report: Report, words: str) -> None:
    """Put it into the inbox of those who can answer it."""
    send(
        title=title_of(report.place.name, report.kind),
        body=words,
        link=report.get_absolute_url(),
        union=report.place.union,
        right=ANSWER_REPORTS,
    )


def checked_words(words: str, *, field: str) -> str:
    """One line without control characters that fits.

    Raises:
        RuleBroken: too long; names `field`.
    """
    return fitting(one_line(words), longest=LONGEST_WORDS, field=field)


def times_happened(report: Report) -> int:
    """How many events a person who answers must have seen."""
    count: int = (
        ReportEvent.objects.with_scopes_disabled()
        .filter(report=report)
        .exclude(kind__in=[EventKind.REMINDED, EventKind.ESCALATED])
        .count()
    )
    return count


def locked_place(place_id: int) -> Place:
    """The place as it is now; all acts on its reports wait for one another here."""
    rows: QuerySet[Place] = Place.objects.with_scopes_disabled().filter(pk=place_id)
    return locked_row(rows, "union")


def locked_report(report: Report) -> tuple[Place, Report]:
    """A report as it is now, and its place, which is locked."""
    place = locked_place(report.place_id)
    current: Report = Report.objects.with_scopes_disabled().get(pk=report.pk)
    current.place = place
    return place, current
