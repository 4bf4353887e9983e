"""What time does to reports: of a passed deadline the keeper is told, then the union above; stars are recounted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from yizhan.places.models import (
    EventKind,
    Place,
    PlaceStatus,
    Report,
    ReportEvent,
    ReportKind,
    ReportPhoto,
    ReportReceipt,
    StarChange,
)
from yizhan.places.models.reports import UNANSWERED, ReportState
from yizhan.places.reports.deadlines import due_after
from yizhan.places.reports.rules import rules_of
from yizhan.places.rights import ANSWER_REPORTS, VERIFY_REPORTS
from yizhan.unions.models import Union
from yizhan.unions.services.inbox import send

from .report_log import life_now, locked_place
from .stars import recount_stars

KEEP_WORDS = timedelta(days=180)


def watch_deadlines(*, at: datetime | None = None) -> int:
    """Tell whoever must know of each deadline that has passed; says how many messages' worth of news there were.

    Run as often as you like, and twice at once: every deadline is told once to the keepers and once to the union above.
    """
    now = at or timezone.now()
    places = (
        Report.objects.with_scopes_disabled()
        .filter(state__in=UNANSWERED, events__due_at__lte=now)
        .exclude(place__status=PlaceStatus.CLOSED)
        .order_by("place_id")
        .values_list("place_id", flat=True)
        .distinct()
    )
    return sum(_watch_place(place, now) for place in list(places))


def recount_all_stars(*, at: datetime | None = None) -> int:
    """Recount stars wherever reports are unsettled or stars are off, as rules may have changed; says how many moved."""
    now = at or timezone.now()
    unsettled = Report.objects.with_scopes_disabled().exclude(state__in=[ReportState.SETTLED, ReportState.WITHDRAWN])
    marked = StarChange.objects.with_scopes_disabled().filter(taken__gt=0)
    places = Place.objects.with_scopes_disabled().exclude(status=PlaceStatus.CLOSED)
    wanted = places.filter(Q(pk__in=unsettled.values("place")) | Q(pk__in=marked.values("place"))).order_by("pk")
    moved = 0
    for pk in list(wanted.values_list("pk", flat=True)):
        with transaction.atomic():
            moved += recount_stars(locked_place(pk), at=now) is not None
    return moved


@transaction.atomic
def _watch_place(place_id: int, now: datetime) -> int:
    place = locked_place(place_id)
    rules = rules_of(place.union)
    told = 0
    for report in Report.objects.with_scopes_disabled().filter(place=place, state__in=UNANSWERED):
        report.place = place
        due_at = life_now(report).due_at
        if due_at is None or due_at > now:
            continue
        if _told_now(report, EventKind.REMINDED, due_at, now):
            told += 1
            send(
                title=_overdue(place.name, report.kind),
                link=report.get_absolute_url(),
                union=place.union,
                right=ANSWER_REPORTS,
            )
        if due_after(due_at - timedelta(microseconds=1), rules.escalate_days) <= now:
            told += _escalate(report, due_at, now)
    recount_stars(place, at=now, rules=rules)
    return told


def _escalate(report: Report, due_at: datetime, now: datetime) -> int:
    above = Union.objects.get_parent(report.place.union)
    if above is None or not _told_now(report, EventKind.ESCALATED, due_at, now):
        return 0
    send(
        title=_unanswered(report.place.name, report.kind),
        body=report.place.union.name,
        link=report.get_absolute_url(),
        union=above,
        right=VERIFY_REPORTS,
    )
    return 1


def _told_now(report: Report, kind: EventKind, due_at: datetime, now: datetime) -> bool:
    """Note that someone is told of this deadline, unless they were."""
    events = ReportEvent.objects.with_scopes_disabled()
    if events.filter(report=report, kind=kind, due_at=due_at).exists():
        return False
    events.create(report=report, kind=kind, at=now, due_at=due_at)
    return True


def forget_reporters(*, at: datetime | None = None) -> int:
    """Remove reporters' words and all photos of reports that were settled half a year ago; says of how many."""
    before = (at or timezone.now()) - KEEP_WORDS
    forgotten = 0
    old = (
        Report.objects.with_scopes_disabled()
        .filter(state__in=[ReportState.SETTLED, ReportState.WITHDRAWN], opened_at__lt=before)
        .exclude(receipts__words="", photos=None)
        .distinct()
    )
    for report in old:
        settled = life_now(report).settled_at
        if settled is None or settled >= before:
            continue
        with transaction.atomic():
            ReportReceipt.objects.with_scopes_disabled().filter(report=report).update(words="")
            photos = list(ReportPhoto.objects.with_scopes_disabled().filter(report=report))
            ReportPhoto.objects.with_scopes_disabled().filter(report=report).delete()
        for photo in photos:
            photo.file.delete(save=False)
        forgotten += 1
    return forgotten


def _overdue_words(place: str, kind: str) -> str:
    return _("Overdue: %(what)s at “%(place)s”") % {"what": ReportKind(kind).label, "place": place}


def _unanswered_words(place: str, kind: str) -> str:
    return _("Still unanswered by the keeper: %(what)s at “%(place)s”") % {
        "what": ReportKind(kind).label,
        "place": place,
    }


_overdue = lazy(_overdue_words, str)
_unanswered = lazy(_unanswered_words, str)
